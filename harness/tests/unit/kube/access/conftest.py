"""A store of the simplest kind, for what only reads one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from koproxy_harness.kube.access.bootstrap import BOOTSTRAP

PLURALS = {
    "Role": "roles",
    "ClusterRole": "clusterroles",
    "RoleBinding": "rolebindings",
    "ClusterRoleBinding": "clusterrolebindings",
    "ServiceAccount": "serviceaccounts",
    "Pod": "pods",
    "Node": "nodes",
}


class Objects:
    """The objects of every cluster, and those given."""

    def __init__(self, given: Iterable[dict[str, Any]]) -> None:
        self.items = [*BOOTSTRAP, *given]

    def objects(
        self, group: str, plural: str, namespace: str | None = None
    ) -> Iterator[dict[str, Any]]:
        for item in self.items:
            place = item["metadata"].get("namespace", "")
            if PLURALS[item["kind"]] == plural and namespace in (None, place):
                yield item

    def find(self, group: str, plural: str, namespace: str, name: str) -> dict[str, Any] | None:
        found = self.objects(group, plural, namespace)
        return next((item for item in found if item["metadata"]["name"] == name), None)


@pytest.fixture(scope="session")
def store() -> Callable[..., Objects]:
    """Makes a store with these objects."""
    return lambda *items: Objects(items)


@pytest.fixture(scope="session")
def granted() -> Callable[..., list[dict[str, Any]]]:
    """Makes a role with these rules, in a namespace or in the cluster (""), and gives it a user."""

    def make(user: str, namespace: str, *rules: dict[str, Any], name: str = "given") -> Any:
        kind = "Role" if namespace else "ClusterRole"
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        subject = {"kind": "User", "name": user}
        return [
            {"kind": kind, "metadata": metadata, "rules": list(rules)},
            {
                "kind": f"{kind}Binding",
                "metadata": metadata,
                "roleRef": {"kind": kind, "name": name},
                "subjects": [subject],
            },
        ]

    return make
