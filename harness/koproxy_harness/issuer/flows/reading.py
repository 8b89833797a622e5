"""Reads the issuer's own tokens when they come back to it.

It takes every token under one of the published keys, also those that a test has made by hand, and
judges by the issuer's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from koproxy_harness.issuer.flows.grants import Grant
from koproxy_harness.issuer.flows.issuing import Issuing

# What says something about a token rather than about the person in it.
_ABOUT_TOKEN = frozenset(
    {"iss", "aud", "exp", "iat", "nbf", "jti", "azp", "nonce", "at_hash", "c_hash", "auth_time"}
    | {"client_id", "scope", "act", "may_act", "sid"}
)


class BadToken(Exception):
    """A token is not (or no more) good; the text says why, to go after "the token"."""


@dataclass(frozen=True)
class Read:
    """A good token: its type (`typ`), its claims, and what it stems from, if that is known."""

    type: str
    claims: Mapping[str, Any]
    grant: Grant | None

    @property
    def is_access_token(self) -> bool:
        """Whether it says that it is one (RFC 9068 section 4)."""
        return self.type in ("at+jwt", "application/at+jwt")

    @property
    def scope(self) -> tuple[str, ...] | None:
        """What it allows, None where it says nothing about that."""
        scope = self.claims.get("scope")
        return tuple(scope.split()) if isinstance(scope, str) else None

    @property
    def about_person(self) -> dict[str, Any]:
        """The claims that are not about the token itself, `sub` among them."""
        return {name: value for name, value in self.claims.items() if name not in _ABOUT_TOKEN}


@dataclass(frozen=True)
class Reading:
    """Verifies tokens; `keys` gives the key set document as it is published now."""

    issuing: Issuing
    keys: Callable[[], Mapping[str, Any]]

    def read(self, token: str, as_hint: bool = False) -> Read:
        """Verify a token, raise `BadToken` if it is not good.

        `as_hint`: it only has to show whom it was about, so it may have expired or been revoked
        since (OpenID Connect Core 1.0 section 3.1.2.1, RP-Initiated Logout 1.0 section 2).
        """
        header, claims = verified(token, self.keys(), self.issuing.clock.now(), as_hint)
        if claims.get("iss") != self.issuing.url():
            raise BadToken("is of another issuer")
        if not as_hint and self.issuing.ledger.is_revoked(token):
            raise BadToken("was revoked")
        return Read(str(header.get("typ", "")).lower(), claims, self.issuing.ledger.grant_of(token))


def verified(
    token: str, keys: Mapping[str, Any], now: float, expired: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Verify signature and times of a JWT, and give its header and claims.

    The key is the one of its `kid`, or the only one, and the algorithm that of the key
    (RFC 8725 section 3.1). Raises `BadToken`.
    """
    try:
        header = jwt.get_unverified_header(token)
        found = [jwk for jwk in keys.get("keys", ()) if header.get("kid") in (None, jwk.get("kid"))]
        if len(found) != 1:
            raise BadToken("is signed by a key that is not published")
        key = jwt.PyJWK(found[0])
        claims = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            options={
                **{"verify_aud": False, "verify_exp": False, "verify_nbf": False},
                **{"verify_iat": False, "verify_sub": False, "verify_jti": False},
            },
        )
    except (jwt.PyJWTError, ValueError, TypeError):
        raise BadToken("is no JWT with a good signature") from None
    for name in ("exp", "nbf"):
        if name in claims and (
            isinstance(claims[name], bool) or not isinstance(claims[name], int | float)
        ):
            raise BadToken(f"has no number for {name}")
    if not expired and claims.get("exp", now + 1) <= now:
        raise BadToken("has expired")
    if claims.get("nbf", now) > now:
        raise BadToken("is not valid yet")
    return header, claims
