"""How the tokens of an OpenID Connect issuer become users.

It reads the issuer's keys and clock, and nothing over the network. As kube-apiserver's `--oidc`
flags say it:
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

from koproxy_harness.issuer.keys import ALGORITHMS
from koproxy_harness.kube.access.users import CREDENTIAL_ID, Extra, User

if TYPE_CHECKING:
    from jwt.types import Options

    from koproxy_harness.issuer.issuer import Issuer

_EARLY = 5 * 60  # seconds that a token may come before its time, as in kube-apiserver
# Times are compared with the API server's clock, further down; the others don't matter here.
_UNCHECKED: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_sub": False,
    "verify_jti": False,
}


@dataclass(frozen=True, slots=True)
class TokenRules:
    """Whose tokens are taken, for which audience, and which claims are the user and the groups."""

    issuer: Issuer
    audience: str
    username_claim: str
    groups_claim: str

    def user(self, token: str, now: float) -> User | None:
        """Give the user of a token, None for one that is not valid `now` (seconds since 1970)."""
        try:
            keys = jwt.PyJWKSet.from_dict(self.issuer.jwks)
            key = keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token,
                key,
                ALGORITHMS,
                audience=self.audience,
                issuer=self.issuer.url,
                options=_UNCHECKED,
            )
            return self._user(claims) if _is_valid(claims, now) else None
        except (jwt.PyJWTError, KeyError, TypeError):
            return None

    def _user(self, claims: dict[str, Any]) -> User | None:
        username = claims[self.username_claim]
        unverified = (
            self.username_claim == "email" and claims.get("email_verified", True) is not True
        )
        groups = claims.get(self.groups_claim)
        groups = [groups] if isinstance(groups, str) else groups or []
        if not isinstance(username, str) or not username or unverified:
            return None
        if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
            return None
        identity = claims.get("jti")
        extra: Extra = ()
        if isinstance(identity, str) and identity:
            extra = ((CREDENTIAL_ID, (f"JTI={identity}",)),)
        return User(username, tuple(groups), extra=extra)


def _is_valid(claims: dict[str, Any], now: float) -> bool:
    if claims["exp"] < now:
        return False
    return "nbf" not in claims or bool(claims["nbf"] <= now + _EARLY)
