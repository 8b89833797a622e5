"""Who may do what, by the roles and bindings in the store.

Pure: it reads the store and changes nothing.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from koproxy_harness.kube.access.aggregation import Object, rules_of
from koproxy_harness.kube.access.rules import Rule, allows
from koproxy_harness.kube.access.users import MASTERS, User, service_account_name
from koproxy_harness.kube.quoting import quoted
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.status import together

GROUP = "rbac.authorization.k8s.io"
PLURALS = {"Role": "roles", "ClusterRole": "clusterroles"}


class Objects(Protocol):
    """What is read of a store."""

    def objects(self, group: str, plural: str, namespace: str | None = None) -> Iterable[Object]:
        """Give the objects of one kind, of one namespace or of all."""

    def find(self, group: str, plural: str, namespace: str, name: str) -> Object | None:
        """Give one object, whose namespace is "" where its kind has none."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request is allowed, and why, as the API server says it; often it doesn't."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one binding gives to one user: a role's rules."""

    source: str  # the binding, as the API server describes it
    rules: list[Rule]


@dataclass(frozen=True, slots=True)
class Lost:
    """A binding whose role isn't there."""

    kind: str
    name: str

    @property
    def message(self) -> str:
        """As the reason of a decision has it."""
        return f"{self.kind.lower()}.{GROUP} {quoted(self.name)} not found"


class Rbac:
    """Decides by the roles and bindings of one store."""

    def __init__(self, store: Objects) -> None:
        self._store = store

    def allowed(self, user: User, info: RequestInfo) -> Decision:
        """Decide about a request; all is allowed to the group system:masters."""
        if MASTERS in user.groups:
            return Decision(True)
        lost: list[str] = []
        for grant in self.grants(user, info.namespace):
            if isinstance(grant, Lost):
                lost.append(grant.message)
            elif any(allows(rule, info) for rule in grant.rules):
                return Decision(True, f"RBAC: allowed by {grant.source}")
        return Decision(False, f"RBAC: {together(lost)}" if lost else "")

    def grants(self, user: User, namespace: str) -> Iterator[Grant | Lost]:
        """Give what the user's bindings give, in the whole cluster and in one namespace ("": none).

        Bindings come in the order of their names, those of the cluster first.
        """
        places = [("ClusterRoleBinding", "clusterrolebindings", "")]
        if namespace:
            places.append(("RoleBinding", "rolebindings", namespace))
        for kind, plural, place in places:
            for binding in sorted(self._store.objects(GROUP, plural, place or None), key=_name):
                subject = _meant(user, binding.get("subjects") or (), place)
                if subject is None:
                    continue
                reference = binding["roleRef"]
                rules = self.role(reference, place)
                if rules is None:
                    yield Lost(reference["kind"], reference["name"])
                    continue
                name = f"{_name(binding)}/{place}" if place else _name(binding)
                role = f"{reference['kind']} {quoted(reference['name'])}"
                source = f"{kind} {quoted(name)} of {role} to {_described(subject, place)}"
                yield Grant(source, rules)

    def rules(self, user: User, namespace: str) -> tuple[list[Rule], list[Lost]]:
        """Give all rules that are the user's in a namespace, and the bindings that give none."""
        rules: list[Rule] = []
        lost: list[Lost] = []
        for grant in self.grants(user, namespace):
            if isinstance(grant, Lost):
                lost.append(grant)
            else:
                rules += grant.rules
        return rules, lost

    def role(self, reference: dict[str, str], namespace: str) -> list[Rule] | None:
        """Give the rules of a `roleRef` in a namespace's binding, None where it names no role."""
        kind = reference["kind"]
        place = namespace if kind == "Role" else ""
        found = self._store.find(GROUP, PLURALS[kind], place, reference["name"])
        if found is None:
            return None
        if found.get("aggregationRule") is None:
            return found.get("rules") or []
        return rules_of(found, sorted(self._store.objects(GROUP, "clusterroles"), key=_name))


def _name(item: Object) -> str:
    return str(item["metadata"]["name"])


def _meant(user: User, subjects: Iterable[dict[str, Any]], namespace: str) -> dict[str, Any] | None:
    return next((subject for subject in subjects if _is(user, subject, namespace)), None)


def _is(user: User, subject: dict[str, Any], namespace: str) -> bool:
    name = subject["name"]
    match subject["kind"]:
        case "User":
            return bool(user.username == name)
        case "Group":
            return name in user.groups
        case "ServiceAccount":
            place = subject.get("namespace") or namespace
            return bool(place) and user.username == service_account_name(place, name)
    return False


def _described(subject: dict[str, Any], namespace: str) -> str:
    name = subject["name"]
    if subject["kind"] == "ServiceAccount":
        name = f"{name}/{subject.get('namespace') or namespace}"
    return f"{subject['kind']} {quoted(name)}"
