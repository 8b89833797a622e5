"""More than one koproxy, and more than one cluster."""

from collections.abc import Iterator

import pytest
from e2e.load import CONFIGMAPS, load
from e2e.running import Koproxy, KoproxyStarter
from localcluster.apiserver import ApiServer, start_api_server, start_etcd
from localcluster.cluster import CLUSTER_ROLE, Cluster, write_credential
from localcluster.dex import ANNA
from localcluster.pki import Authority
from localcluster.processes import Processes


def test_two_before_one_api_server(
    cluster: Cluster, koproxy: Koproxy, start_koproxy: KoproxyStarter
) -> None:
    second = start_koproxy("koproxy-2", cluster.koproxy_kubeconfig, cluster.issuer)
    second.wait_until_ready()
    token = cluster.issuer.log_in(ANNA)
    with load() as people:
        askers = [people.add(each, token) for each in (koproxy, second)]
        for asker in askers:
            asker.wait_for(200)
        # One goes away; who is with the other does not notice.
        first_kubectl, second_kubectl = koproxy.kubectl(token), second.kubectl(token)
        second_kubectl("create", "configmap", "of-two", "--namespace=shop")
        assert "of-two" in first_kubectl("get", "configmaps", "--namespace=shop")
        first_kubectl("delete", "configmap", "of-two", "--namespace=shop")
    assert [asker.changes() for asker in askers] == [[200], [200]]
    second.server.stop()
    assert koproxy.get(CONFIGMAPS, token).status == 200


@pytest.fixture
def another_api(parts: Processes, authority: Authority) -> Iterator[ApiServer]:
    """A second API server, with objects of its own."""
    another = start_api_server(parts, authority, start_etcd(parts), name="another-kube-apiserver")
    another.admin("apply", "-f", CLUSTER_ROLE)
    another.admin(
        "create", "clusterrolebinding", "anna", "--clusterrole=cluster-admin", f"--user={ANNA}"
    )
    yield another
    another.server.stop()


def test_a_token_for_one_cluster_is_refused_at_the_other(
    cluster: Cluster,
    koproxy: Koproxy,
    another_api: ApiServer,
    parts: Processes,
    start_koproxy: KoproxyStarter,
) -> None:
    kubeconfig = write_credential(
        another_api.admin, another_api.url, another_api.ca, parts.directory
    )
    another = start_koproxy("koproxy-b", kubeconfig, cluster.issuer, client="koproxy-b")
    another.wait_until_ready()
    a = cluster.issuer.log_in(ANNA)
    b = cluster.issuer.log_in(ANNA, client="koproxy-b")

    statuses = [
        [each.get(path, token).status for token in (a, b)]
        for each, path in ((koproxy, CONFIGMAPS), (another, "/api/v1/namespaces"))
    ]
    assert statuses == [[200, 401], [401, 200]]

    refused = another.kubectl(a, "with-the-token-of-a").run("get", "namespaces")
    assert refused.returncode == 1
    assert "error: You must be logged in to the server" in refused.stderr.decode()
    another.server.stop()
