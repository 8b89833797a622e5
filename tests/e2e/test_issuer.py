"""An issuer that changes its keys, goes away and comes back."""

from collections.abc import Iterator

import pytest
from e2e.load import CONFIGMAPS, load
from e2e.running import KoproxyStarter
from localcluster.cluster import Cluster
from localcluster.dex import ANNA, BERT, Dex
from localcluster.pki import Authority
from localcluster.processes import Processes


@pytest.fixture
def dex(parts: Processes, authority: Authority) -> Iterator[Dex]:
    """A Dex for one test, not started yet."""
    dex = Dex(parts, authority, name="dex-of-one-test")
    yield dex
    dex.stop()


def test_keys_change_under_load(cluster: Cluster, dex: Dex, start_koproxy: KoproxyStarter) -> None:
    dex.start()
    koproxy = start_koproxy("koproxy-of-changing-keys", cluster.koproxy_kubeconfig, dex.issuer)
    koproxy.wait_until_ready()
    with load() as people:
        old = [people.add(koproxy, dex.issuer.log_in(person)) for person in (ANNA, BERT)]
        for asker in old:
            asker.wait_for(200)

        dex.stop()
        for asker in old:
            asker.wait_for(200)  # known keys are good while the issuer is away

        dex.start()
        new = [people.add(koproxy, dex.issuer.log_in(person)) for person in (ANNA, BERT)]
        for asker in new:
            asker.wait_for(200)
        for asker in old:
            asker.wait_for(401)  # their key is not among the issuer's any more
    for asker in old:
        assert asker.failure is None
        assert asker.changes() == [200, 401]
    for asker in new:
        assert asker.failure is None
        assert asker.changes() in ([200], [401, 200])
    koproxy.server.stop()


def test_an_issuer_that_is_down_at_start(
    cluster: Cluster, dex: Dex, start_koproxy: KoproxyStarter
) -> None:
    koproxy = start_koproxy("koproxy-before-its-issuer", cluster.koproxy_kubeconfig, dex.issuer)
    status, text = koproxy.readiness()
    assert status == 503
    assert "[-]issuer" in text
    assert dex.issuer.url in text
    refused = koproxy.get(CONFIGMAPS, cluster.issuer.log_in(ANNA))
    assert refused.status in (401, 503)
    assert refused.body["kind"] == "Status"

    dex.start()
    token = dex.issuer.log_in(ANNA)
    koproxy.wait_until_ready()
    assert koproxy.get(CONFIGMAPS, token).status == 200
    assert koproxy.server.process.poll() is None
    koproxy.server.stop()
