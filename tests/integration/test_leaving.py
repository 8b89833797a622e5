"""koproxy told to end: what is under way comes to its end, and nobody who comes is lost."""

import http.client
import json
import signal
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from koproxy_harness import Issuer, KubeAPI
from support.running import PEOPLE_MAY_LOOK, SECONDS, Client, Running, koproxy, request

PODS = "/api/v1/namespaces/demo/pods"
DELAY = "--shutdown-delay-duration=1s"
FEW = 20


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def api() -> Iterator[KubeAPI]:
    with KubeAPI() as api:
        api.apply(PEOPLE_MAY_LOOK)
        yield api


def connect(running: Running) -> Client:
    return Client(running.port, running.directory / "kube-oidc-proxy.crt")


def tell_to_end(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)


def test_it_serves_on_for_the_delay_and_says_that_it_is_not_ready(
    issuer: Issuer, api: KubeAPI, tmp_path: Path
) -> None:
    token = issuer.token(groups=["dev"])
    with koproxy(issuer, api, tmp_path, "--shutdown-delay-duration=1h") as running:
        kept = connect(running)
        assert kept.get(PODS, token)[0] == 200
        tell_to_end(running)
        running.wait_for("ending in 3600 s; until then it serves")
        assert running.health("/readyz") == (503, "shutdown: koproxy is about to end\n")
        assert running.health("/livez")[0] == 200
        for client in (kept, connect(running)):
            client.send(request("GET", PODS, token))
            status, fields = client.head()
            assert (status, fields["connection"]) == (200, "close")
            client.close()
        tell_to_end(running)  # again: now
        assert running.process.wait(SECONDS) == 0


def test_a_watch_ends_in_good_order_and_a_slow_answer_whole(
    issuer: Issuer, api: KubeAPI, tmp_path: Path
) -> None:
    token = issuer.token(groups=["dev"])
    with koproxy(issuer, api, tmp_path) as running:
        idle, watch, slow = connect(running), connect(running), connect(running)
        assert idle.get(PODS, token)[0] == 200
        watch.send(request("GET", f"{PODS}?watch=1", token))
        assert watch.head()[0] == 200
        api.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "demo"}}
        )
        assert json.loads(watch.chunk())["type"] == "ADDED"
        slow.send(request("PUT", "/version", token, "Content-Length: 2") + b"{")
        running.process.send_signal(signal.SIGTERM)
        assert idle.line() == b""
        assert watch.line() == b"0\r\n"
        assert watch.line() == b"\r\n"
        slow.send(b"}")
        status, fields = slow.head()
        assert (status, fields["connection"]) == (403, "close")
        for client in (idle, watch, slow):
            client.close()
        assert running.process.wait(SECONDS) == 0
    assert [line for line in running.lines if "Traceback" in line or "Unhandled" in line] == []


class Replicas:
    """Two of them behind one name, as a load balancer has it: those that are ready get requests."""

    def __init__(self) -> None:
        self.here: list[Running] = []
        self.failed: list[str] = []
        self.over = threading.Event()
        self.answered = threading.Semaphore(0)

    def look(self) -> None:
        """Leave out who isn't ready any more."""
        self.here = [each for each in self.here if each.health("/readyz")[0] == 200]

    def ask(self, token: str, number: int) -> None:
        """Ask again and again, on kept connections, and on new ones for what changes something."""
        kept: tuple[Running, http.client.HTTPSConnection] | None = None
        while not self.over.is_set():
            number += 1
            if kept is None:
                replica = self.here[number % len(self.here)]
                kept = replica, self._connection(replica)
                fresh = True
            try:
                status, stays = self._once(kept[1], token, changes=fresh and number % 2 == 0)
            except (OSError, http.client.HTTPException) as problem:
                kept[1].close()
                kept = None
                if not fresh and isinstance(problem, http.client.RemoteDisconnected):
                    continue  # an idle connection that was closed: every client asks again
                self.failed.append(repr(problem))
                return
            if status not in (200, 201):
                self.failed.append(str(status))
            self.answered.release()
            fresh = False
            if not stays or number % 5 == 0:
                kept[1].close()
                kept = None
        if kept is not None:
            kept[1].close()

    def _connection(self, replica: Running) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=replica.directory / "kube-oidc-proxy.crt")
        return http.client.HTTPSConnection(
            "127.0.0.1", replica.port, timeout=SECONDS, context=context
        )

    def _once(
        self, connection: http.client.HTTPSConnection, token: str, *, changes: bool
    ) -> tuple[int, bool]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if changes:
            review = {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "SelfSubjectReview",
            }
            path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
            connection.request("POST", path, json.dumps(review), headers)
        else:
            connection.request("GET", PODS, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, not answer.will_close


def test_two_replicas_are_rolled_under_load_and_nothing_is_lost(
    issuer: Issuer, api: KubeAPI, tmp_path: Path
) -> None:
    token = issuer.token(groups=["dev"])
    replicas = Replicas()
    askers = [
        threading.Thread(target=replicas.ask, args=(token, number), daemon=True)
        for number in range(4)
    ]
    with ExitStack() as running:

        def start(name: str) -> Running:
            (tmp_path / name).mkdir()
            started = running.enter_context(koproxy(issuer, api, tmp_path / name, DELAY))
            replicas.here = [*replicas.here, started]
            return started

        old = [start("a"), start("b")]
        for asker in askers:
            asker.start()
        try:
            for number, each in enumerate(old):
                for _ in range(FEW):
                    assert replicas.answered.acquire(timeout=SECONDS)
                tell_to_end(each)
                each.wait_for("ending in 1 s")
                replicas.look()
                assert each not in replicas.here
                assert each.process.wait(SECONDS) == 0
                start(f"new-{number}")
            for _ in range(FEW):
                assert replicas.answered.acquire(timeout=SECONDS)
        finally:
            replicas.over.set()
            for asker in askers:
                asker.join(SECONDS)
    assert replicas.failed == []
