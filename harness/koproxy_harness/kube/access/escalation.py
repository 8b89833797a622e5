"""That nobody gives more than they have: what is refused when roles and bindings are written.

Pure: it decides, and the caller writes.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from koproxy_harness.kube.access.aggregation import Object
from koproxy_harness.kube.access.coverage import described, uncovered
from koproxy_harness.kube.access.forbidden import about
from koproxy_harness.kube.access.rbac import GROUP, PLURALS, Rbac
from koproxy_harness.kube.access.rules import Rule
from koproxy_harness.kube.access.users import User
from koproxy_harness.kube.quoting import quoted, quoted_list
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.status import Refusal, together

_ROLES = ("roles", "clusterroles")
_BINDINGS = ("rolebindings", "clusterrolebindings")
_EVERYTHING: list[Rule] = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
]
# Who changes only these gives nobody anything: garbage collection needs them.
_HARMLESS = ("finalizers", "ownerReferences", "managedFields")


class Escalation:
    """Judges what is written to roles and bindings."""

    def __init__(self, rbac: Rbac) -> None:
        self._rbac = rbac

    def check(self, user: User, info: RequestInfo, new: Object, old: Object | None = None) -> None:
        """Let pass what `user` may write, whatever its kind; `old` is what it replaces.

        Raises `Refusal`: 403 for a role or a binding that gives more than the user has, 404 for a
        binding to a role that isn't there.
        """
        if info.group != GROUP or info.subresource or (old is not None and _same(new, old)):
            return
        if info.resource in _ROLES:
            self._role(user, info, new, old)
        elif info.resource in _BINDINGS:
            self._binding(user, info, new)

    def _role(self, user: User, info: RequestInfo, new: Object, old: Object | None) -> None:
        if self._rbac.allowed(user, replace(info, verb="escalate")).allowed:
            return
        self._confirm(user, info, new, new.get("rules") or ())
        if _gathers(new) or (old is not None and _gathers(old)):
            try:
                self._confirm(user, info, new, _EVERYTHING)
            except Refusal:
                why = "must have cluster-admin privileges to use the aggregationRule"
                raise about(GROUP, info.resource, _name(new), why) from None

    def _binding(self, user: User, info: RequestInfo, new: Object) -> None:
        reference = new["roleRef"]
        resource = PLURALS[reference["kind"]]
        bind = replace(info, verb="bind", resource=resource, name=reference["name"])
        if self._rbac.allowed(user, bind).allowed:
            return
        rules = self._rbac.role(reference, info.namespace)
        if rules is None:
            name = reference["name"]
            details = {"name": name, "group": GROUP, "kind": info.resource}
            raise Refusal(404, _not_found(info, name), details=details)
        self._confirm(user, info, new, rules)

    def _confirm(self, user: User, info: RequestInfo, new: Object, rules: Iterable[Rule]) -> None:
        owned, lost = self._rbac.rules(user, info.namespace)
        missing = uncovered(owned, rules)
        if not missing:
            return
        why = (
            f"user {quoted(user.username)} (groups={quoted_list(user.groups)}) is attempting to "
            "grant RBAC permissions not currently held:\n" + "\n".join(described(missing))
        )
        if lost:
            errors = [_not_found(info, each.name) for each in lost]
            why += f"; resolution errors: [{together(errors)}]"
        raise about(GROUP, info.resource, _name(new), why)


def _not_found(info: RequestInfo, role: str) -> str:
    """Say that a role isn't there; the API server gives it the resource of the request."""
    return f"{info.resource}.{GROUP} {quoted(role)} not found"


def _gathers(role: Object) -> bool:
    return bool((role.get("aggregationRule") or {}).get("clusterRoleSelectors"))


def _name(item: Object) -> str:
    return str((item.get("metadata") or {}).get("name") or "")


def _same(new: Object, old: Object) -> bool:
    """Whether nothing differs that could give anybody anything."""
    return _essence(new) == _essence(old)


def _essence(item: Object) -> Object:
    metadata = item.get("metadata") or {}
    return {
        **item,
        "metadata": {key: value for key, value in metadata.items() if key not in _HARMLESS},
    }
