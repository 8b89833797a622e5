"""koproxy is killed under load: what its audit log must say of what others have seen, it says.

In blocking mode an event is with the kernel before what it speaks of happens. So of each request
that the API server has seen there is a RequestReceived, and of each whole answer that a client has,
a refusal too, a ResponseComplete.
"""

import contextlib
import gzip
import json
import os
import re
import signal
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from koproxy_harness import Issuer, KubeAPI
from support.running import PEOPLE_MAY_LOOK, SECONDS, Client, Running, koproxy

POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n"
PODS = "/api/v1/namespaces/demo/pods"
CLIENTS = 6
LONG = "x" * 1500  # of a path, so that a file is full soon
NAME = re.compile(rb"\r\naudit-id: (\S+)\r\n", re.IGNORECASE)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def api() -> Iterator[KubeAPI]:
    with KubeAPI() as api:
        api.apply(PEOPLE_MAY_LOOK)
        yield api


class Load:
    """Clients who ask one after the other, until koproxy is there no more."""

    def __init__(self, running: Running, tokens: list[str]) -> None:
        self._running = running
        self._tokens = tokens
        self._news = threading.Condition()
        self._over = self._ending = False
        self.answered: dict[str, int] = {}
        self._threads = [threading.Thread(target=self._ask, args=(at,)) for at in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _ask(self, at: int) -> None:
        number = 0
        while not self._over:
            try:
                with contextlib.closing(self._connect()) as client:
                    while not self._over:
                        number += 1
                        name = f"{at}-{number}"
                        token = self._tokens[number % len(self._tokens)]
                        status, body = client.get(f"{PODS}?x={LONG}", token, f"Audit-ID: {name}")
                        json.loads(body)
                        with self._news:
                            self.answered[name] = status
                            self._news.notify_all()
            except (OSError, ValueError, IndexError):
                if self._ending:
                    return

    def _connect(self) -> Client:
        return Client(self._running.port, self._running.directory / "kube-oidc-proxy.crt")

    def kill(self) -> None:
        """Kill koproxy while they ask; nobody connects anew, for that is another story."""
        self._ending = True
        self._running.process.kill()
        self._running.process.wait(SECONDS)

    def wait_for(self, more: int) -> None:
        """Wait until there have been so many more answers."""
        with self._news:
            until = len(self.answered) + more
            assert self._news.wait_for(lambda: len(self.answered) >= until, SECONDS)

    def end(self) -> None:
        """Wait for all of them."""
        self._over = True
        for thread in self._threads:
            thread.join(SECONDS)


def stages(folder: Path) -> dict[str, set[str]]:
    """Which events there are of each request; at most the last line of a file is half one."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in folder.glob("audit*"):
        content = file.read_bytes()
        lines = (gzip.decompress(content) if file.suffix == ".gz" else content).split(b"\n")
        for at, line in enumerate(lines):
            try:
                event = json.loads(line)
            except ValueError:
                assert at == len(lines) - 1, line
                continue
            found[event["auditID"]].add(event["stage"])
    return found


def compare(api: KubeAPI, load: Load, folder: Path) -> None:
    seen = {
        name[1].decode()
        for each in api.requests
        if each.path == PODS and (name := NAME.search(each.raw))
    }
    told = stages(folder)
    assert len(seen) > 50
    assert not {name for name in seen if "RequestReceived" not in told[name]}
    # A worker that has just begun may have no keys yet.
    assert {200, 401} <= set(load.answered.values()) <= {200, 401, 503}
    both = {"RequestReceived", "ResponseComplete"}
    assert not {name for name in load.answered if told[name] != both}


def flags(folder: Path, *more: str) -> list[str]:
    (folder / "policy.yaml").write_text(POLICY)
    policy, log = folder / "policy.yaml", folder / "audit.log"
    return [f"--audit-policy-file={policy}", f"--audit-log-path={log}", *more]


@pytest.mark.parametrize(
    ("answers", "more"),
    [
        (100, ()),
        (333, ("--audit-log-mode=blocking-strict",)),
        (600, ("--audit-log-maxsize=1", "--audit-log-compress")),
    ],
    ids=["early", "strict", "put aside"],
)
def test_whoever_is_killed_has_told_of_what_was_seen(
    issuer: Issuer, api: KubeAPI, tmp_path: Path, answers: int, more: tuple[str, ...]
) -> None:
    tokens = [issuer.token(sub="jane"), issuer.token(sub="max"), issuer.token(wrong="expired")]
    with koproxy(issuer, api, tmp_path, *flags(tmp_path, *more)) as running:
        load = Load(running, tokens)
        try:
            load.wait_for(answers)
            load.kill()
        finally:
            load.end()
    assert answers < 600 or len([*tmp_path.glob("audit*")]) > 1
    compare(api, load, tmp_path)


def test_a_worker_that_is_killed_leaves_the_others_lines_whole(
    issuer: Issuer, api: KubeAPI, tmp_path: Path
) -> None:
    tokens = [issuer.token(sub="jane"), issuer.token(wrong="expired")]
    with koproxy(issuer, api, tmp_path, *flags(tmp_path, "--workers=2")) as running:
        load = Load(running, tokens)
        try:
            load.wait_for(200)
            one = int(running.wait_for(r"worker 1 serves \(pid (\d+)\)")[1])
            os.kill(one, signal.SIGKILL)
            running.wait_for(rf"worker 1 \(pid {one}\) was ended by SIGKILL")
            load.wait_for(200)
        finally:
            load.end()
    told = stages(tmp_path)
    assert not {name for name in load.answered if "ResponseComplete" not in told[name]}
    compare(api, load, tmp_path)
