"""Makes the tokens that a permission is answered with (RFC 6749 section 5.1).

ID tokens follow OpenID Connect Core 1.0 section 2. Access tokens are JWTs of the type `at+jwt`
(RFC 9068), not opaque: whoever is tested with this issuer verifies tokens by its keys, and to
userinfo and introspection it is all the same. They carry the user's claims, too.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import urlsplit

from koproxy_harness.issuer import tokens
from koproxy_harness.issuer.clients import Client, Clients
from koproxy_harness.issuer.flows.answers import OAuthError
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.grants import Grant, Ledger, Refresh
from koproxy_harness.issuer.users import Users

REFRESH_LIFETIME = 86_400  # seconds
ACCESS_TOKEN: dict[str, Any] = {"typ": "at+jwt"}  # RFC 9068 section 2.1


Sign = Callable[[dict[str, Any], dict[str, Any] | None], str]


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> float:
        """Give the seconds since 1970."""


@dataclass
class Issuing:
    """Everything that the endpoints share: who is known, what is out, and how tokens are made.

    `url` gives the issuer's own; `sign` makes a token of a payload and, maybe, header fields;
    `lifetime` is that of ID and access tokens, in seconds.
    """

    url: Callable[[], str]
    sign: Sign
    clock: Clock
    users: Users
    clients: Clients
    lifetime: float = 300
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def path(self) -> str:
        """What the issuer's URL has behind the host; all its endpoints are below it."""
        return urlsplit(self.url()).path

    def answer(
        self, grant: Grant, client: Client, scope: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Give the successful answer of the token endpoint.

        `scope` is less than the grant's, where a refresh asked for less. There is a refresh token
        if `offline_access` was granted (OpenID Connect Core 1.0 section 11).
        """
        scope = grant.scope if scope is None else scope
        access_token = self.access_token(grant, client, scope)
        answer: dict[str, Any] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": int(self.lifetime),
            "scope": " ".join(scope),
        }
        if grant.username is not None:
            if "openid" in scope:
                answer["id_token"] = self.id_token(grant, access_token, scope)
            if "offline_access" in grant.scope and client.may("refresh_token"):
                expires = self.clock.now() + REFRESH_LIFETIME
                answer["refresh_token"] = self.ledger.new_refresh(Refresh(grant, expires))
        return answer

    def access_token(self, grant: Grant, client: Client, scope: Sequence[str]) -> str:
        """Make an access token (RFC 9068 section 2.2)."""
        audience = grant.audience or tuple(client.audience) or (client.client_id,)
        return self.signed(
            {
                **self.claims(grant, scope),
                "aud": audience[0] if len(audience) == 1 else list(audience),
                "client_id": client.client_id,
                "scope": " ".join(scope),
                "auth_time": grant.auth_time,
            },
            grant,
            ACCESS_TOKEN,
        )

    def id_token(self, grant: Grant, access_token: str, scope: Sequence[str]) -> str:
        """Make an ID token (OpenID Connect Core 1.0 sections 2 and 3.1.3.6).

        The nonce is in the first one only, not in those of a refresh (section 12.2).
        """
        nonce, grant.nonce = grant.nonce, None
        return self.signed(
            {
                **self.claims(grant, scope),
                "aud": grant.client_id,
                "azp": grant.client_id,
                "auth_time": grant.auth_time,
                "nonce": nonce,
                "at_hash": tokens.encode(sha256(access_token.encode()).digest()[:16]),
            },
            grant,
        )

    def claims(self, grant: Grant, scope: Sequence[str]) -> dict[str, Any]:
        """Give the claims of who has given this permission, as they are now."""
        user = None if grant.username is None else self.users.find(grant.username)
        return {"sub": grant.client_id} if user is None else user.claims_for(scope)

    def signed(
        self, claims: dict[str, Any], grant: Grant, header: dict[str, Any] | None = None
    ) -> str:
        """Sign a token that is good from now for `lifetime`; claims that are None are left out."""
        now = int(self.clock.now())
        times = {"iat": now, "exp": now + int(self.lifetime), "jti": secrets.token_urlsafe(12)}
        payload = {"iss": self.url(), **claims, **times}
        token = self.sign({k: v for k, v in payload.items() if v is not None}, header)
        self.ledger.given_out(token, grant)
        return token


def requested_audience(form: Form) -> tuple[str, ...]:
    """Give what the token asked for is to be good for: `resource` (RFC 8707) or `audience`."""
    for resource in form.all("resource"):
        if ":" not in resource or "#" in resource:
            raise OAuthError(
                "invalid_target", "resource has to be an absolute URI without a fragment"
            )
    return tuple(dict.fromkeys((*form.all("resource"), *form.all("audience"))))
