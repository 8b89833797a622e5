"""Who goes is missed at once: the client at the API server, the API server at the client."""

import contextlib
import http.client

import pytest
from e2e.longrunning import long_running
from e2e.running import KoproxyStarter, running
from e2e.upgrades import BOTH, SPDY, WEBSOCKET, assert_upgraded
from localcluster import local
from localcluster.cluster import CAT, ECHO_PORT, NAMESPACE, POD, Cluster
from localcluster.dex import ANNA
from localcluster.kubectl import Kubectl
from localcluster.processes import Processes, wait_until

IN_SHOP = f"--namespace={NAMESPACE}"
EXEC = ("exec", "--stdin", "-v=6", IN_SHOP, POD, "--", "cat")
ATTACH = ("attach", "--stdin", "-v=6", IN_SHOP, CAT)
PORT_FORWARD = ("port-forward", "-v=6", IN_SHOP, POD, f":{ECHO_PORT}")
LOGS = ("logs", "--follow", IN_SHOP, POD)
WATCH = ("get", "configmaps", IN_SHOP, "--watch")


def served(cluster: Cluster, resource: str, subresource: str, number: int) -> None:
    """Wait until the API server has so many of these requests in hand."""
    wait_until(
        lambda: long_running(cluster, resource, subresource) == number,
        f"the API server serves {number} of {resource}/{subresource}",
        seconds=10,
    )


@pytest.mark.parametrize(
    ("command", "resource", "subresource"),
    [(WATCH, "configmaps", ""), (LOGS, "pods", "log")],
    ids=["watch", "logs"],
)
def test_a_request_ends_with_its_client(
    anna: Kubectl, cluster: Cluster, command: tuple[str, ...], resource: str, subresource: str
) -> None:
    others = long_running(cluster, resource, subresource)
    with running(anna, *command):
        served(cluster, resource, subresource, others + 1)
    served(cluster, resource, subresource, others)


@BOTH
@pytest.mark.parametrize(
    ("command", "subresource"),
    [(EXEC, "exec"), (ATTACH, "attach"), (PORT_FORWARD, "portforward")],
    ids=["exec", "attach", "port-forward"],
)
def test_a_stream_ends_with_its_client(
    anna: Kubectl, cluster: Cluster, env: dict[str, str], command: tuple[str, ...], subresource: str
) -> None:
    others = long_running(cluster, "pods", subresource)
    with running(anna, *command, env=env) as client:
        served(cluster, "pods", subresource, others + 1)
        log = client.errors()
    served(cluster, "pods", subresource, others)
    assert_upgraded(log, env, subresource)


def test_clients_learn_that_the_api_server_is_gone(
    doomed_processes: Processes, start_koproxy: KoproxyStarter
) -> None:
    cluster = local.start(doomed_processes)
    cluster.admin(
        "create", "clusterrolebinding", "anna", "--clusterrole=cluster-admin", f"--user={ANNA}"
    )
    koproxy = start_koproxy("koproxy-of-doomed", cluster.koproxy_kubeconfig, cluster.issuer)
    koproxy.wait_until_ready()
    token = cluster.issuer.log_in(ANNA)
    kubectl = koproxy.kubectl(token)
    cluster.write_log("a line")

    with contextlib.ExitStack() as stack:
        client = stack.enter_context(koproxy.client())
        watch = client.ask(f"/api/v1/namespaces/{NAMESPACE}/configmaps?watch=true", token)
        assert watch.status == 200
        logs = stack.enter_context(running(kubectl, *LOGS))
        assert logs.line() == "a line"
        execs = [stack.enter_context(running(kubectl, *EXEC, env=env)) for env in (WEBSOCKET, SPDY)]
        for cat in execs:
            cat.write(b"here\n")
            assert cat.line() == "here"

        (api,) = [server for server in doomed_processes.servers if server.name == "kube-apiserver"]
        api.stop(kill=True)
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            watch.read()  # it is cut, and does not end as if it were whole
        # Over SPDY kubectl takes a cut connection for the command's end, here as without koproxy.
        assert [stream.status() for stream in (logs, *execs)] == [1, 1, 0]
    assert koproxy.get("/version", token).status == 502
    koproxy.server.stop()
    doomed_processes.stop()
