"""Whom a request asks to act as, and whether who asks may act as them.

Pure but for one memory, as the API server has it: who was last let through by which rules, since
the message of a refusal goes by that.
https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import unquote

from koproxy_harness.kube.access.extra_keys import wrong_with
from koproxy_harness.kube.access.forbidden import forbidden
from koproxy_harness.kube.access.rbac import Decision
from koproxy_harness.kube.access.users import (
    ANONYMOUS,
    AUTHENTICATED,
    MASTERS,
    NODES,
    UNAUTHENTICATED,
    User,
    extra,
    node_of,
    service_account_groups,
    service_account_of,
)
from koproxy_harness.kube.quoting import quoted
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.status import Refusal

_EXTRA = "impersonate-extra-"
_AUTHENTICATION = ("authentication.k8s.io", "v1")
_CORE = ("", "v1")
_NODE_NAME = "authentication.kubernetes.io/node-name"
_NOT_ESCAPED = re.compile("%(?![0-9a-fA-F]{2})")
_MANY = 4  # from so many values on, leave for all of them is asked for first

Allowed = Callable[[User, RequestInfo], Decision]


class Headers(Protocol):
    """What is read of a request."""

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        """The fields, in the order in which they came."""


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to be let through: the plain verb `impersonate`, or a constrained one."""

    name: str  # "" is the plain one
    fits: Callable[[User, User], bool]  # who is wanted, by whom

    @property
    def verb(self) -> str:
        return f"impersonate:{self.name}" if self.name else "impersonate"


def _is_own_node(wanted: User, by: User) -> bool:
    node = node_of(wanted.username)
    named = dict(by.extra).get(_NODE_NAME)
    return node is not None and service_account_of(by.username) is not None and named == (node,)


def _is_name_only(user: User) -> bool:
    return not (user.uid or user.groups or user.extra)


MODES = (
    Mode("associated-node", lambda wanted, by: _is_name_only(wanted) and _is_own_node(wanted, by)),
    Mode(
        "arbitrary-node",
        lambda wanted, _: _is_name_only(wanted) and node_of(wanted.username) is not None,
    ),
    Mode(
        "serviceaccount",
        lambda wanted, _: _is_name_only(wanted) and service_account_of(wanted.username) is not None,
    ),
    Mode(
        "user-info",
        lambda wanted, _: not (node_of(wanted.username) or service_account_of(wanted.username)),
    ),
    Mode("", lambda wanted, by: True),
)


class Impersonation:
    """Lets users act as others, as `allowed` decides."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._last: dict[str, Mode] = {}  # what let a user through the last time

    def acting(self, user: User, request: Headers, info: RequestInfo) -> User:
        """Give whom the request is made as: `user` where it doesn't ask for another.

        Raises `Refusal`: 400 for a group, uid or extra without a user, 403 for who may not.
        """
        wanted = asked_for(request)
        if wanted is None:
            return user
        refusals: list[Refusal] = []
        last = self._last.get(user.username)
        modes = MODES if last is None else (last, *(mode for mode in MODES if mode is not last))
        for mode in modes:
            if not mode.fits(wanted, user):
                continue
            try:
                found = _Attempt(self._allowed, user, wanted, mode).check(info)
            except Refusal as refusal:
                refusals.append(refusal)
                continue
            self._last[user.username] = mode
            return found
        raise refusals[0]


def asked_for(request: Headers) -> User | None:
    """Give whom the request's fields name, as they name them, None where they name nobody.

    Of a name or uid that is there twice the first counts. Raises `Refusal` 400 for a group, uid or
    extra without a user.
    """
    fields: dict[str, list[str]] = {}
    extras: dict[str, list[str]] = {}
    for name, value in request.headers:
        lower = name.lower()
        if lower.startswith(_EXTRA):
            extras.setdefault(_key(lower.removeprefix(_EXTRA)), []).append(_text(value))
        elif lower.startswith("impersonate-"):
            fields.setdefault(lower, []).append(_text(value))
    username = fields.get("impersonate-user", [""])[0]
    uid = fields.get("impersonate-uid", [""])[0]
    groups = fields.get("impersonate-group", [])
    if username:
        values = {key: tuple(each) for key, each in extras.items()}
        return User(username, tuple(groups), uid, extra(values))
    if uid or groups or extras:
        # The API server prints its own structure here, in the notation of Go.
        said = f'&user.DefaultInfo{{Name:"", UID:{quoted(uid)}, Groups:[]string{_values(groups)}, '
        keys = ", ".join(f"{quoted(key)}:[]string{_values(extras[key])}" for key in sorted(extras))
        said += f"Extra:map[string][]string{f'{{{keys}}}' if extras else '(nil)'}}}"
        raise Refusal(400, f"requested {said} without impersonating a user name")
    return None


class _Attempt:
    """One try to let `user` act as `wanted`."""

    def __init__(self, allowed: Allowed, user: User, wanted: User, mode: Mode) -> None:
        self._allowed = allowed
        self._user = user
        self._wanted = wanted
        self._mode = mode

    def check(self, info: RequestInfo) -> User:
        """Give whom the user acts as then; raises `Refusal` 403."""
        if self._mode.name:
            self._confirm(replace(info, verb=f"impersonate-on:{self._mode.name}:{info.verb}"))
        groups = self._username()
        if self._wanted.uid:
            self._confirm(self._info(_AUTHENTICATION, "uids", self._wanted.uid))
        if self._wanted.groups:
            self._groups()
        if self._wanted.extra:
            self._extra()
        if self._wanted.username == ANONYMOUS:
            added = () if UNAUTHENTICATED in groups else (UNAUTHENTICATED,)
        else:
            known = AUTHENTICATED in groups or UNAUTHENTICATED in groups
            added = () if known else (AUTHENTICATED,)
        return replace(self._wanted, groups=(*groups, *added))

    def _username(self) -> tuple[str, ...]:
        """Confirm the name, and give the groups that go with it."""
        name, groups = self._wanted.username, self._wanted.groups
        info = self._info(self._place, "users", name)
        node = node_of(name) if self._mode.name else None
        account = service_account_of(name)
        if node is not None:
            every = self._mode.name == "associated-node"
            info = replace(info, resource="nodes", name="*" if every else node)
            groups = (NODES,)
        elif account is not None:
            namespace, name = account
            info = replace(info, resource="serviceaccounts", namespace=namespace, name=name)
            groups = groups or service_account_groups(namespace)
        self._confirm(info)
        return groups

    def _groups(self) -> None:
        wanted = self._wanted.groups
        info = self._info(self._place, "groups", "")
        if self._mode.name:
            if "" in wanted:
                why = "impersonating the empty string group is not allowed"
                raise forbidden(self._user, info, why)
            if MASTERS in wanted:
                why = f"impersonating the {MASTERS} group is not allowed"
                raise forbidden(self._user, replace(info, name=MASTERS), why)
            if len(wanted) >= _MANY and self._may(replace(info, name="*")):
                return
        for group in wanted:
            self._confirm(replace(info, name=group))

    def _extra(self) -> None:
        wanted = self._wanted.extra
        info = self._info(_AUTHENTICATION, "userextras", "")
        if self._mode.name:
            self._valid(info)
            many = len(wanted) >= _MANY or sum(len(values) for _, values in wanted) >= _MANY
            if many and self._may(replace(info, subresource="*", name="*")):
                return
        for key, values in wanted:
            for value in values:
                self._confirm(replace(info, subresource=key, name=value))

    def _valid(self, info: RequestInfo) -> None:
        for key, values in self._wanted.extra:
            why = ""
            if not key:
                why = "the empty string key in extra is not allowed"
            elif wrong := wrong_with(key):
                why = f"an invalid key in extra is not allowed: {wrong}"
            elif "" in values:
                why = "the empty string value in extra is not allowed"
            if why:
                raise forbidden(self._user, info, f"impersonating {why}")

    @property
    def _place(self) -> tuple[str, str]:
        """The group and version that users and groups are in."""
        return _AUTHENTICATION if self._mode.name else _CORE

    def _info(self, place: tuple[str, str], resource: str, name: str) -> RequestInfo:
        group, version = place
        return RequestInfo(self._mode.verb, "", True, group, version, resource=resource, name=name)

    def _may(self, info: RequestInfo) -> bool:
        return self._allowed(self._user, info).allowed

    def _confirm(self, info: RequestInfo) -> None:
        decision = self._allowed(self._user, info)
        if not decision.allowed:
            raise forbidden(self._user, info, decision.reason)


def _key(encoded: str) -> str:
    """Give an extra's key from the end of a field's name; what is escaped wrongly stays so."""
    return encoded if _NOT_ESCAPED.search(encoded) else unquote(encoded)


def _text(value: str) -> str:
    """Give a field's value as Kubernetes reads it: its bytes are UTF-8."""
    return value.encode("latin-1").decode("utf-8", "replace")


def _values(values: list[str]) -> str:
    return f"{{{', '.join(map(quoted, values))}}}" if values else "(nil)"
