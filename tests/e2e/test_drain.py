"""koproxy ends while kubectl is at work: what is under way ends well, the rest goes elsewhere."""

from __future__ import annotations

import http.client
import itertools
import json
import signal
import threading
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from e2e.balancer import Balancer, balanced
from e2e.longrunning import long_running
from e2e.running import Koproxy, KoproxyStarter, running
from e2e.upgrades import BOTH, WEBSOCKET, assert_upgraded
from localcluster.cluster import NAMESPACE, POD, Cluster
from localcluster.dex import ANNA
from localcluster.kubectl import Kubectl, write_kubeconfig
from localcluster.processes import Processes, wait_until

WHERE = f"--namespace={NAMESPACE}"
EXEC = ("exec", "--stdin", "-v=6", WHERE, POD, "--")
DELAY = "--shutdown-delay-duration=2s"
LONG = "--shutdown-stream-grace-period=1h"
SHORT = "--shutdown-stream-grace-period=5s"

NUMBERS = itertools.count()
Start = Callable[..., Koproxy]


@pytest.fixture
def start(cluster: Cluster, start_koproxy: KoproxyStarter) -> Iterator[Start]:
    """Starts a koproxy that is ready; the flags are its own."""
    begun = []

    def start(*flags: str) -> Koproxy:
        name = f"koproxy-drained-{next(NUMBERS)}"
        koproxy = start_koproxy(name, cluster.koproxy_kubeconfig, cluster.issuer, flags=flags)
        begun.append(koproxy)
        return koproxy.wait_until_ready()

    yield start
    for each in begun:
        each.server.stop(kill=True)


def tell_to_end(koproxy: Koproxy) -> None:
    koproxy.server.process.send_signal(signal.SIGTERM)


def wait_for_end(koproxy: Koproxy) -> None:
    assert koproxy.server.process.wait(60) == 0
    log = koproxy.server.log.read_text()
    assert "Traceback" not in log
    assert "Unhandled" not in log


def through(balancer: Balancer, koproxy: Koproxy, token: str, parts: Processes) -> Kubectl:
    """kubectl that knows the balancer alone."""
    path = parts.directory / "people" / f"balanced-{uuid.uuid4().hex[:8]}.kubeconfig"
    url = f"https://127.0.0.1:{balancer.port}"
    return Kubectl(write_kubeconfig(path, url, koproxy.ca, {"token": token}))


def health(koproxy: Koproxy, path: str) -> int:
    address = urllib.parse.urlsplit(koproxy.health).netloc
    with closing(http.client.HTTPConnection(address)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


@BOTH
def test_what_goes_on_has_a_time_of_its_own(
    cluster: Cluster, start: Start, env: dict[str, str]
) -> None:
    koproxy = start(SHORT)
    kubectl = koproxy.kubectl(cluster.issuer.log_in(ANNA), "drained")
    with ExitStack() as stack:
        cat = stack.enter_context(running(kubectl, *EXEC, "cat", env=env))
        logs = stack.enter_context(running(kubectl, "logs", "--follow", WHERE, POD))
        cat.write(b"before\n")
        assert cat.line() == "before"
        line = uuid.uuid4().hex
        cluster.write_log(line)
        assert logs.line_with(line) == line

        tell_to_end(koproxy)
        wait_until(lambda: refuses(koproxy), "it accepts nobody any more")
        cat.write(b"after\n")
        assert cat.line() == "after"
        cluster.write_log("after")
        assert logs.line() == "after"

        wait_for_end(koproxy)
        # An end without a word is a good one to kubectl where it speaks SPDY.
        assert cat.status() == (1 if env == WEBSOCKET else 0)
        assert_upgraded(cat.errors(), env, "exec")
        assert logs.status() in (0, 1)


def refuses(koproxy: Koproxy) -> bool:
    try:
        with koproxy.client() as client:
            client.get("/version", "nonsense")
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


@BOTH
def test_nobody_waits_for_the_time_of_streams_when_there_are_none_left(
    cluster: Cluster, start: Start, env: dict[str, str]
) -> None:
    koproxy = start(LONG)
    kubectl = koproxy.kubectl(cluster.issuer.log_in(ANNA), "drained")
    with running(kubectl, *EXEC, "sh", "-c", "head -n 1; exit 7", env=env) as head:
        wait_until(lambda: long_running(cluster, "pods", "exec") > 0, "the command runs")
        tell_to_end(koproxy)
        wait_until(lambda: refuses(koproxy), "it accepts nobody any more")
        head.write(b"one line\n")
        assert head.line() == "one line"
        assert head.status() == 7
        assert_upgraded(head.errors(), env, "exec")
    wait_for_end(koproxy)


def test_health_says_so_first(cluster: Cluster, start: Start) -> None:
    koproxy = start("--shutdown-delay-duration=1h")
    kubectl = koproxy.kubectl(cluster.issuer.log_in(ANNA), "drained")
    assert [health(koproxy, path) for path in ("/ready", "/livez")] == [200, 200]
    tell_to_end(koproxy)
    wait_until(lambda: health(koproxy, "/ready") == 503, "health says no")
    assert "[-]shutdown" in koproxy.readiness()[1]
    assert health(koproxy, "/livez") == 200
    assert kubectl("get", "pod", POD, WHERE, "-o", "name") == f"pod/{POD}\n"
    tell_to_end(koproxy)  # a second time: at once
    wait_for_end(koproxy)


@pytest.fixture
def configmap(cluster: Cluster) -> Iterator[str]:
    name = f"drained-{uuid.uuid4().hex[:8]}"
    cluster.admin("create", "configmap", name, WHERE)
    yield name
    cluster.admin("delete", "configmap", name, WHERE)


def test_a_watch_goes_on_at_another_replica(
    cluster: Cluster, start: Start, parts: Processes, configmap: str
) -> None:
    """`kubectl wait` watches again when a watch has ended, as client-go's informers do."""
    first = start(DELAY)
    others = long_running(cluster, "configmaps")
    with balanced(first) as balancer:
        kubectl = through(balancer, first, cluster.issuer.log_in(ANNA), parts)
        named = f"configmap/{configmap}"
        with (
            running(kubectl, "wait", named, WHERE, "--for=jsonpath={.data.tea}=hot") as waiting,
            running(kubectl, "get", named, WHERE, "--watch", "-o", "name") as watching,
        ):
            assert watching.line() == named
            wait_until(lambda: long_running(cluster, "configmaps") == others + 2, "two watches run")
            second = start(DELAY)
            balancer.add(second)
            wait_until(lambda: balancer.has(second), "the second is there")
            tell_to_end(first)
            wait_for_end(first)
            # A plain watch ends in good order, which is all that kubectl asks of it.
            assert watching.status() == 0
            assert watching.errors() == ""
            wait_until(
                lambda: long_running(cluster, "configmaps") == others + 1, "it watches again"
            )
            cluster.admin("patch", named, WHERE, "--patch", '{"data":{"tea":"hot"}}')
            assert waiting.line() == f"{named} condition met"
            assert waiting.status() == 0
            assert waiting.errors() == ""


def test_an_informer_goes_on_at_another_replica(
    cluster: Cluster, start: Start, parts: Processes
) -> None:
    """`kubectl rollout status` has one."""
    name = f"drained-{uuid.uuid4().hex[:8]}"
    labels = {"app": name}
    admin = cluster.admin
    admin.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "nodeSelector": {"no-such": "node"},
                        "containers": [{"name": "a", "image": "example.com/a"}],
                    },
                },
            },
        }
    )
    may = ("create", "role", name, WHERE, "--verb=get,list,watch", "--resource=daemonsets.apps")
    admin(*may)
    admin("create", "rolebinding", name, WHERE, f"--role={name}", f"--user={ANNA}")
    first = start(DELAY)
    others = long_running(cluster, "daemonsets")
    with balanced(first) as balancer:
        kubectl = through(balancer, first, cluster.issuer.log_in(ANNA), parts)
        with running(kubectl, "rollout", "status", f"daemonset/{name}", WHERE) as rollout:
            wait_until(
                lambda: long_running(cluster, "daemonsets") == others + 1, "the informer runs"
            )
            second = start(DELAY)
            balancer.add(second)
            wait_until(lambda: balancer.has(second), "the second is there")
            tell_to_end(first)
            wait_for_end(first)
            wait_until(
                lambda: long_running(cluster, "daemonsets") == others + 1, "it watches again"
            )
            status = {"observedGeneration": 10, "desiredNumberScheduled": 0}
            status |= {"currentNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0}
            admin(
                *("patch", "daemonset", name, WHERE, "--subresource=status", "--type=merge"),
                *("--patch", json.dumps({"status": status})),
            )
            rollout.line_with("successfully rolled out")
            assert rollout.status() == 0
    admin("delete", "daemonset,rolebinding,role", name, WHERE)


ROUNDS = 3


def test_a_rolling_change_loses_no_command(
    cluster: Cluster, start: Start, parts: Processes
) -> None:
    """Replicas are replaced one by one while people work, as a Deployment does it."""
    token = cluster.issuer.log_in(ANNA)
    replicas = [start(DELAY, LONG) for _ in range(2)]
    failed: list[str] = []
    counts = [0] * 4
    over = threading.Event()
    with balanced(*replicas) as balancer:

        def work(worker: int) -> None:
            kubectl = through(balancer, replicas[0], token, parts)
            name = f"rolled-{uuid.uuid4().hex[:8]}"
            tunnel = ("exec", "--stdin", WHERE, POD, "--", "sh", "-c", "cat; exit 3")
            commands: list[tuple[tuple[str, ...], bytes, int, bytes]] = [
                (("create", "configmap", name, WHERE), b"", 0, b"created"),
                (("get", "configmap", name, WHERE, "-o", "name"), b"", 0, name.encode()),
                (tunnel, b"through\n" * 1000, 3, b"through\n" * 1000),
                (("logs", WHERE, POD, "--tail=1"), b"", 0, b""),
                (("delete", "configmap", name, WHERE), b"", 0, b"deleted"),
            ]
            while not over.is_set():
                for command, stdin, status, said in commands:
                    done = kubectl.run(*command, stdin=stdin)
                    counts[worker] += 1
                    if done.returncode != status or said not in done.stdout:
                        failed.append(f"{command}: {done.returncode}, {done.stderr.decode()}")

        workers = [threading.Thread(target=work, args=(worker,)) for worker in range(len(counts))]
        for worker in workers:
            worker.start()
        try:
            for _ in range(ROUNDS):
                before = list(counts)
                new = start(DELAY, LONG)
                balancer.add(new)
                wait_until(lambda new=new: balancer.has(new), "the new one is there")  # type: ignore[misc]
                old = replicas.pop(0)
                replicas.append(new)
                tell_to_end(old)
                wait_for_end(old)
                wait_until(
                    lambda before=before: all(a > b for a, b in zip(counts, before, strict=True)),  # type: ignore[misc]
                    "everybody has done something since",
                )
        finally:
            over.set()
            for worker in workers:
                worker.join()
    assert failed == []
    assert min(counts) > ROUNDS
