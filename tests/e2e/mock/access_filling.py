"""A real kube-apiserver and the mock's decisions, filled with the same roles and bindings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme
from e2e.mock.access_sides import AUTHORIZATION, Mock, Objects, Person, Real
from e2e.mock.access_worlds import NAMESPACES, RBAC, World
from localcluster.apiserver import start_api_server, start_etcd
from localcluster.pki import Authority
from localcluster.processes import Processes, stop_recorded, wait_until


class Sides:
    """Both, with the same objects in them."""

    def __init__(self, real: Real, mock: Mock, objects: Objects, people: list[Person]) -> None:
        self.real = real
        self.mock = mock
        self.objects = objects
        self.people = people

    def ask(self, *args: Any, **how: Any) -> tuple[Any, Any]:
        """Give the answers of both to one request."""
        return self.real.ask(*args, **how), self.mock.ask(*args, **how)


@contextmanager
def both(folder: Path, seeds: Iterable[int]) -> Iterator[Sides]:
    """Give both, with the roles and bindings of these seeds; the real one ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    stop_recorded(folder)
    processes = Processes(folder)
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "clients.pem"))
    try:
        api = start_api_server(
            processes,
            Authority(folder / "pki"),
            start_etcd(processes),
            oidc_flags=[f"--client-ca-file={folder / 'clients.pem'}"],
        )
        real, objects = Real(api), Objects()
        people = [
            Person.of(ca, folder, "jane", ()),
            Person.of(ca, folder, "bert", ("dev", "ops")),
            Person.of(ca, folder, "carl", ("two words",)),
            Person.of(ca, folder, "dora", ("constrained",)),
        ]
        _fill(real, objects, [World(seed) for seed in seeds])
        yield Sides(real, Mock(objects, api.admin_token), objects, people)
        real.stop()
    finally:
        processes.stop()


def _fill(real: Real, objects: Objects, worlds: list[World]) -> None:
    for name in NAMESPACES:
        real.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for item in (
        *(item for world in worlds for item in world.objects()),
        *_writers(),
        *_constrained(),
        *_last(),
    ):
        real.create(item)
        objects.items.append(item)
    # A kube-apiserver takes roles up one kind after the other, and in each in their order.
    for namespace in ("", NAMESPACES[0]):
        asked = {"verb": "last", "resource": "x", "group": "x", "namespace": namespace}
        review = {"spec": {"user": "last", "resourceAttributes": asked}}
        wait_until(
            lambda review=review: real.ask(  # type: ignore[misc]
                "POST", f"{AUTHORIZATION}/subjectaccessreviews", body=review
            ).body["status"]["allowed"],
            "the roles are in force",
        )


def _writers() -> Iterator[dict[str, Any]]:
    """Who may write roles and bindings at all: `writer` all, `binder` with bind and escalate."""
    written = ["roles", "rolebindings", "clusterroles", "clusterrolebindings"]
    more = {"writer": [], "binder": ["bind", "escalate"]}
    for name, verbs in more.items():
        rule = {"apiGroups": [RBAC], "resources": written, "verbs": ["create", "update", *verbs]}
        yield _role("ClusterRole", name, "", [rule])
        yield _binding("ClusterRoleBinding", name, "", "ClusterRole", "Group", name)


def _constrained() -> Iterator[dict[str, Any]]:
    """What lets a group act as anybody, but not by the plain verb."""
    modes = ("user-info", "serviceaccount", "arbitrary-node")
    verbs = [f"impersonate:{mode}" for mode in modes]
    on = [f"impersonate-on:{mode}:create" for mode in modes]
    rule = {"apiGroups": ["authentication.k8s.io"], "resources": ["*"], "verbs": [*verbs, *on]}
    yield _role("ClusterRole", "constrained", "", [rule])
    yield _binding("ClusterRoleBinding", "constrained", "", "ClusterRole", "Group", "constrained")


def _last() -> Iterator[dict[str, Any]]:
    rule = {"apiGroups": ["x"], "resources": ["x"], "verbs": ["last"]}
    place = NAMESPACES[0]
    yield _role("Role", "last", place, [rule])
    yield _role("ClusterRole", "last", "", [{**rule, "verbs": ["last"]}])
    yield _binding("RoleBinding", "last", place, "Role", "User", "last")
    yield _binding("ClusterRoleBinding", "last", "", "ClusterRole", "User", "last")


def _role(kind: str, name: str, namespace: str, rules: list[Any]) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, "rules": rules}


def _binding(
    kind: str, name: str, namespace: str, role: str, subject: str, who: str
) -> dict[str, Any]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": kind,
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "roleRef": {"apiGroup": RBAC, "kind": role, "name": name},
        "subjects": [{"apiGroup": RBAC, "kind": subject, "name": who}],
    }
