"""Who makes a request to the mock API server, and what they may do.

Pure. The rule is small: an administrator may do all and act as anybody; everybody else may do
all but impersonate. Roles are not evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import jwt

from koproxy_harness.issuer.keys import ALGORITHMS
from koproxy_harness.kube.status import Refusal

if TYPE_CHECKING:
    from koproxy_harness.issuer.issuer import Issuer
    from koproxy_harness.serving.exchange import Request

AUTHENTICATED = "system:authenticated"
MASTERS = "system:masters"
ANONYMOUS = "system:anonymous"


@dataclass(frozen=True, slots=True)
class User:
    """A user as the API server knows them."""

    username: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
    admin: bool = False

    @property
    def json(self) -> dict[str, Any]:
        """As `userInfo` in a SelfSubjectReview."""
        info: dict[str, Any] = {"username": self.username}
        if self.uid:
            info["uid"] = self.uid
        if self.groups:
            info["groups"] = list(self.groups)
        if self.extra:
            info["extra"] = {key: list(values) for key, values in self.extra}
        return info


@dataclass(frozen=True, slots=True)
class TokenRules:
    """How the tokens of an issuer become users, as kube-apiserver's `--oidc` flags say it."""

    issuer: Issuer
    audience: str
    username_claim: str
    groups_claim: str

    def user(self, token: str) -> User | None:
        """Give the user of a token, None for one that is not valid now."""
        try:
            keys = jwt.PyJWKSet.from_dict(self.issuer.jwks)
            key = keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token,
                key,
                ALGORITHMS,
                audience=self.audience,
                issuer=self.issuer.url,
                options={"require": ["exp"]},
            )
            username = claims[self.username_claim]
        except (jwt.InvalidTokenError, jwt.PyJWTError, KeyError):
            return None
        groups = claims.get(self.groups_claim, [])
        groups = [groups] if isinstance(groups, str) else groups
        return User(username, (*groups, AUTHENTICATED))


def impersonated(user: User, request: Request) -> User:
    """Give the user that `user` asks to be, who is `user` where nothing is asked.

    https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
    Raises `Refusal`: 403 for who may not, 500 for a group, uid or extra without a user, which is
    how Kubernetes answers that.
    """
    names = [value for value in request.values("impersonate-user") if value]
    groups = request.values("impersonate-group")
    uids = [value for value in request.values("impersonate-uid") if value]
    extra: dict[str, list[str]] = {}
    for name, value in request.headers:
        if name.lower().startswith("impersonate-extra-"):
            extra.setdefault(unquote(name[18:].lower()), []).append(value)
    if not names:
        if groups or uids or extra:
            raise Refusal(500, "requested to impersonate without a user to impersonate")
        return user
    if len(names) > 1 or len(uids) > 1:
        raise Refusal(400, "more than one Impersonate-User or Impersonate-Uid")
    if not user.admin:
        raise Refusal(
            403,
            f'users "{names[0]}" is forbidden: User "{user.username}" cannot impersonate '
            'resource "users" in API group "" at the cluster scope',
        )
    if names[0] != ANONYMOUS and AUTHENTICATED not in groups:
        groups = [*groups, AUTHENTICATED]
    return User(
        names[0],
        tuple(groups),
        "".join(uids),
        tuple((key, tuple(values)) for key, values in extra.items()),
    )


def may(user: User, spec: dict[str, Any]) -> bool:
    """Whether `user` may do what the `spec` of a SelfSubjectAccessReview asks."""
    asked = spec.get("resourceAttributes") or {}
    return user.admin or asked.get("verb") not in ("impersonate", "*")
