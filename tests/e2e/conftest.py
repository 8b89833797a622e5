"""Fixtures of the end-to-end tests: a cluster for all of them, people, and koproxies.

`kind/build` has to have been run. Every process that is started here ends with the session; what a
killed session has left is ended by the next one. Logs are in build/e2e.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "kind"))

from e2e.running import GROUPS_PREFIX, Koproxy, KoproxyStarter  # noqa: E402
from localcluster import docker, local  # noqa: E402
from localcluster.cluster import NAMESPACE, Cluster  # noqa: E402
from localcluster.dex import ANNA, BERT  # noqa: E402
from localcluster.kubectl import Kubectl  # noqa: E402
from localcluster.pki import Authority  # noqa: E402
from localcluster.processes import Processes, stop_recorded  # noqa: E402

CLUSTER_DIRECTORY = REPOSITORY / "build" / "e2e"


def _processes(directory: Path) -> Iterator[Processes]:
    directory.mkdir(parents=True, exist_ok=True)
    stop_recorded(directory)
    processes = Processes(directory)
    try:
        yield processes
    finally:
        processes.stop()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster without any OIDC, in which Anna may do everything in the namespace `shop` and the
    group `oidc:auditors` may look at its ConfigMaps."""
    for processes in _processes(CLUSTER_DIRECTORY):
        docker.stop(CLUSTER_DIRECTORY)
        try:
            if docker.works():
                found = docker.start(CLUSTER_DIRECTORY)
            else:
                found = local.start(processes)
            found.admin.apply(
                *_role("shopkeeper", ["*"], ["*"], {"kind": "User", "name": ANNA}),
                *_role(
                    "auditor",
                    ["configmaps"],
                    ["get", "list", "watch"],
                    {"kind": "Group", "name": f"{GROUPS_PREFIX}auditors"},
                ),
            )
            yield found
        finally:
            docker.stop(CLUSTER_DIRECTORY)


def _role(
    name: str, resources: list[str], verbs: list[str], subject: dict[str, str]
) -> Iterator[dict[str, object]]:
    group = "rbac.authorization.k8s.io"
    metadata = {"name": name, "namespace": NAMESPACE}
    yield {
        "apiVersion": f"{group}/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": [{"apiGroups": [""], "resources": resources, "verbs": verbs}],
    }
    yield {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
        "subjects": [{"apiGroup": group, **subject}],
    }


@pytest.fixture(scope="session")
def parts() -> Iterator[Processes]:
    """Where tests start servers of their own, beside the cluster."""
    yield from _processes(CLUSTER_DIRECTORY / "parts")


@pytest.fixture(scope="session")
def authority(parts: Processes) -> Authority:
    """Signs the certificates of those servers."""
    return Authority(parts.directory / "pki")


@pytest.fixture(scope="session")
def start_koproxy(parts: Processes, authority: Authority) -> KoproxyStarter:
    """Starts one more koproxy."""
    return KoproxyStarter(parts, authority)


@pytest.fixture(scope="session")
def koproxy(cluster: Cluster, start_koproxy: KoproxyStarter) -> Koproxy:
    """The koproxy of the tests that need nothing special: in front of `cluster`, and ready."""
    return start_koproxy("koproxy", cluster.koproxy_kubeconfig, cluster.issuer).wait_until_ready()


@pytest.fixture
def anna(cluster: Cluster, koproxy: Koproxy) -> Kubectl:
    """kubectl as Anna, who has just logged in."""
    return koproxy.kubectl(cluster.issuer.log_in(ANNA), "anna")


@pytest.fixture
def bert(cluster: Cluster, koproxy: Koproxy) -> Kubectl:
    """kubectl as Bert, of the groups auditors and visitors, who has just logged in."""
    return koproxy.kubectl(cluster.issuer.log_in(BERT), "bert")
