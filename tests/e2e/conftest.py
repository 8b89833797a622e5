"""Fixtures of the end-to-end tests: a cluster for all of them, people, and koproxies.

`kind/build` has to have been run. Every process that is started here ends with the session; what a
killed session has left is ended by the next one. Logs are in build/e2e; sessions at the
same time have a folder each.
"""

from __future__ import annotations

import fcntl
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.running import GROUPS_PREFIX, Koproxy, KoproxyStarter, ShortLogins, Side
from e2e.trusting import Trusting, start_trusting, write_reviewer
from koproxy_harness import Issuer as HarnessIssuer
from localcluster import docker, local
from localcluster.apiserver import start_etcd
from localcluster.cluster import NAMESPACE, Cluster
from localcluster.dex import ANNA, BERT, Dex
from localcluster.kubectl import Kubectl
from localcluster.pki import Authority
from localcluster.processes import Processes, stop_recorded

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def directory() -> Iterator[Path]:
    """A folder that this session has for itself."""
    for number in itertools.count():
        folder = REPOSITORY / "build" / "e2e" / f"e2e-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield folder
            return


def _processes(directory: Path) -> Iterator[Processes]:
    directory.mkdir(parents=True, exist_ok=True)
    stop_recorded(directory)
    processes = Processes(directory)
    try:
        yield processes
    finally:
        processes.stop()


@pytest.fixture(scope="session")
def cluster(directory: Path) -> Iterator[Cluster]:
    """A cluster without any OIDC, in which Anna may do everything in the namespace `shop` and the
    group `oidc:auditors` may look at its ConfigMaps and at a single Pod."""
    for processes in _processes(directory):
        docker.stop(directory)
        try:
            if docker.works():
                found = docker.start(directory)
            else:
                found = local.start(processes)
            anna = {"kind": "User", "name": ANNA}
            auditors = {"kind": "Group", "name": f"{GROUPS_PREFIX}auditors"}
            found.admin.apply(
                *_role("shopkeeper", anna, {"*": ["*"]}),
                *_role(
                    "auditor", auditors, {"configmaps": ["get", "list", "watch"], "pods": ["get"]}
                ),
            )
            yield found
        finally:
            docker.stop(directory)


def _role(
    name: str, subject: dict[str, str], verbs: dict[str, list[str]]
) -> Iterator[dict[str, object]]:
    """A Role in `shop` that allows `verbs` by resource, and its binding to `subject`."""
    group = "rbac.authorization.k8s.io"
    metadata = {"name": name, "namespace": NAMESPACE}
    yield {
        "apiVersion": f"{group}/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": [
            {"apiGroups": [""], "resources": [resource], "verbs": allowed}
            for resource, allowed in verbs.items()
        ],
    }
    yield {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
        "subjects": [{"apiGroup": group, **subject}],
    }


@pytest.fixture(scope="session")
def parts(directory: Path) -> Iterator[Processes]:
    """Where tests start servers of their own, beside the cluster."""
    yield from _processes(directory / "parts")


@pytest.fixture(scope="session")
def etcd(parts: Processes) -> str:
    """One for the API servers that tests start of their own: its URL."""
    return start_etcd(parts)


@pytest.fixture(scope="session")
def authority(parts: Processes) -> Authority:
    """Signs the certificates of those servers."""
    return Authority(parts.directory / "pki")


@pytest.fixture(scope="session")
def doomed_processes(directory: Path) -> Iterator[Processes]:
    """Where a test starts a whole cluster of its own, to end parts of it."""
    yield from _processes(directory / "doomed")


@pytest.fixture(scope="session")
def start_koproxy(parts: Processes, authority: Authority) -> KoproxyStarter:
    """Starts one more koproxy."""
    return KoproxyStarter(parts, authority)


@pytest.fixture(scope="session")
def koproxy(cluster: Cluster, start_koproxy: KoproxyStarter) -> Koproxy:
    """The koproxy of the tests that need nothing special: in front of `cluster`, and ready."""
    return start_koproxy("koproxy", cluster.koproxy_kubeconfig, cluster.issuer).wait_until_ready()


@pytest.fixture(scope="session")
def reviewer(cluster: Cluster, parts: Processes) -> Path:
    """The kubeconfig of a koproxy that may also ask about tokens and rights of others, and
    impersonate ServiceAccounts."""
    return write_reviewer(cluster.admin, cluster.url, cluster.ca, parts.directory, "reviewer")


@pytest.fixture(scope="session")
def trusting(parts: Processes, authority: Authority, etcd: str) -> Iterator[Trusting]:
    """An API server that knows the tokens of an issuer itself; Dex is not it."""
    with HarnessIssuer() as issuer:
        found = start_trusting(parts, authority, etcd, issuer)
        yield found
        found.api.server.stop()


@pytest.fixture(scope="session")
def short_logins(
    cluster: Cluster, parts: Processes, authority: Authority, start_koproxy: KoproxyStarter
) -> ShortLogins:
    """A koproxy in front of `cluster`, with a Dex whose tokens are good for 3 seconds."""
    dex = Dex(parts, authority, name="dex-of-short-tokens", id_tokens="3s")
    dex.start()
    koproxy = start_koproxy("koproxy-of-short-tokens", cluster.koproxy_kubeconfig, dex.issuer)
    return ShortLogins(koproxy.wait_until_ready(), dex.issuer)


@pytest.fixture(scope="session")
def direct(cluster: Cluster) -> Side:
    """The API server itself, for comparison; with all rights."""
    admin = cluster.admin
    admin("create", "serviceaccount", "direct", "--namespace=koproxy")
    admin(
        *("create", "clusterrolebinding", "direct", "--clusterrole=cluster-admin"),
        "--serviceaccount=koproxy:direct",
    )
    token = admin("create", "token", "direct", "--namespace=koproxy").strip()
    return Side(cluster.url, cluster.ca, token)


@pytest.fixture
def through(cluster: Cluster, koproxy: Koproxy) -> Side:
    """koproxy, as Anna, who has just logged in."""
    return Side(koproxy.url, koproxy.ca, cluster.issuer.log_in(ANNA))


@pytest.fixture
def anna(cluster: Cluster, koproxy: Koproxy) -> Kubectl:
    """kubectl as Anna, who has just logged in."""
    return koproxy.kubectl(cluster.issuer.log_in(ANNA), "anna")


@pytest.fixture
def bert(cluster: Cluster, koproxy: Koproxy) -> Kubectl:
    """kubectl as Bert, of the groups auditors and visitors, who has just logged in."""
    return koproxy.kubectl(cluster.issuer.log_in(BERT), "bert")
