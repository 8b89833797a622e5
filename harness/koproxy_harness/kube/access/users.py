"""Users as an API server knows them, and the names that Kubernetes has given a meaning.

Pure. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#users-in-kubernetes
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ANONYMOUS = "system:anonymous"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
MASTERS = "system:masters"
NODES = "system:nodes"
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"

_NODE = "system:node:"
_SERVICE_ACCOUNT = "system:serviceaccount:"
_SERVICE_ACCOUNTS = "system:serviceaccounts"
# A label and a subdomain of RFC 1123, as Kubernetes wants the names of most objects.
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAMESPACE = re.compile(rf"(?=.{{1,63}}\Z){_LABEL}\Z")
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*\Z")

Extra = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class User:
    """Who makes a request; `extra` is in the order of its keys."""

    username: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Extra = ()

    @property
    def json(self) -> dict[str, Any]:
        """As `userInfo` in a SelfSubjectReview and `user` in a TokenReview."""
        info: dict[str, Any] = {}
        if self.username:
            info["username"] = self.username
        if self.uid:
            info["uid"] = self.uid
        if self.groups:
            info["groups"] = list(self.groups)
        if self.extra:
            info["extra"] = {key: list(values) for key, values in self.extra}
        return info


def extra(values: Mapping[str, tuple[str, ...]]) -> Extra:
    """Give a user's extra values from a mapping."""
    return tuple(sorted(values.items()))


def authenticated(user: User) -> User:
    """Give the user with the group of all who said who they are, as the API server adds it."""
    if AUTHENTICATED in user.groups or UNAUTHENTICATED in user.groups:
        return user
    return User(user.username, (*user.groups, AUTHENTICATED), user.uid, user.extra)


def service_account_name(namespace: str, name: str) -> str:
    """Give the username of a service account."""
    return f"{_SERVICE_ACCOUNT}{namespace}:{name}"


def service_account_groups(namespace: str) -> tuple[str, ...]:
    """Give the groups that every service account of a namespace is in."""
    return (_SERVICE_ACCOUNTS, f"{_SERVICE_ACCOUNTS}:{namespace}")


def service_account_of(username: str) -> tuple[str, str] | None:
    """Give the namespace and the name of the service account that has this username."""
    if not username.startswith(_SERVICE_ACCOUNT):
        return None
    namespace, _, name = username.removeprefix(_SERVICE_ACCOUNT).partition(":")
    return (namespace, name) if _NAMESPACE.match(namespace) and _NAME.match(name) else None


def node_of(username: str) -> str | None:
    """Give the name of the node that has this username."""
    name = username.removeprefix(_NODE)
    return name if name != username and _NAME.match(name) else None
