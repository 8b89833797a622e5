"""``--workers``: several processes behind one port, one of them killed, all of them ended."""

import contextlib
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from koproxy_harness import Issuer, KubeAPI
from support.running import SCRIPTS, SECONDS, SERVE, Client, Running, flags

VERSION = "/version"
MOST_CONNECTIONS = 200  # a hash gives each to either worker: all of them to one is beyond chance


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def api() -> Iterator[KubeAPI]:
    with KubeAPI() as api:
        yield api


def command(issuer: Issuer, api: KubeAPI, folder: Path, *more: str) -> list[str]:
    """koproxy with two workers."""
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(api.kubeconfig())
    return [*SERVE, *flags(issuer, kubeconfig, folder), "--workers=2", *more]


@pytest.fixture
def running(issuer: Issuer, api: KubeAPI, tmp_path: Path) -> Iterator[Running]:
    running = Running(command(issuer, api, tmp_path), tmp_path)
    try:
        yield running
    finally:
        running.end()


def ready(running: Running, *before: int, count: int = 2) -> list[int]:
    """So many workers that know the issuer's keys, others than ``before``."""
    found: list[int] = []
    while len(found) < count:
        known = "|".join(map(str, (*before, *found))) or "none"
        line = running.wait_for(rf"koproxy\[(?!(?:{known})\])(\d+)\]: .*keys? verify its tokens")
        found.append(int(line[1]))
    return found


class Connections:
    """Clients, and which worker each of them has got."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._open: list[Client] = []

    def to(self, pid: int) -> Client:
        """A new connection that this worker has."""
        for _ in range(MOST_CONNECTIONS):
            client = Client(self._running.port, self._running.directory / "kube-oidc-proxy.crt")
            self._open.append(client)
            if self._inode(client) in inodes(pid):
                return client
        raise AssertionError(f"no connection of {MOST_CONNECTIONS} went to {pid}")

    def _inode(self, client: Client) -> str:
        """The server's end of a connection, as proc(5) has it."""
        ends = [
            f"0100007F:{port:04X}" for port in (self._running.port, client._socket.getsockname()[1])
        ]
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        return next(line[9] for line in lines if line[1:3] == ends)

    def close(self) -> None:
        """Close them all."""
        for each in self._open:
            each.close()


def inodes(pid: int) -> set[str]:
    """The sockets of a process."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found |= set(re.findall(r"socket:\[(\d+)\]", str(entry.readlink())))
    return found


@pytest.fixture
def connections(running: Running) -> Iterator[Connections]:
    with contextlib.closing(Connections(running)) as connections:
        yield connections


@contextlib.contextmanager
def ending(*pids: int) -> Iterator[None]:
    """See these processes end, with the block or soon after it."""
    descriptors = [os.pidfd_open(pid) for pid in pids]
    try:
        yield
        left = set(descriptors)
        while left:
            ended, _, _ = select.select(left, [], [], SECONDS)
            assert ended, f"{len(left)} of {len(pids)} processes go on"
            left -= set(ended)
    finally:
        for each in descriptors:
            os.close(each)


def test_two_workers_answer_on_one_port_and_a_killed_one_is_replaced(
    issuer: Issuer, running: Running, connections: Connections
) -> None:
    token = issuer.token()
    one, other = ready(running)
    clients = {pid: connections.to(pid) for pid in (one, other)}
    for client in clients.values():
        assert client.get(VERSION, token)[0] == 200
    assert running.health("/readyz") == (200, "ok\n")

    os.kill(one, signal.SIGKILL)
    running.wait_for(rf"error koproxy: worker \d \(pid {one}\) was ended by SIGKILL: another one")
    assert clients[other].get(VERSION, token)[0] == 200
    (new,) = ready(running, one, other, count=1)
    assert connections.to(new).get(VERSION, token)[0] == 200
    assert clients[other].get(VERSION, token)[0] == 200
    for name in ("health on", "serving https on"):
        assert len([line for line in running.lines if name in line]) == 1


def test_either_says_what_both_have_counted(
    issuer: Issuer, running: Running, connections: Connections
) -> None:
    token = issuer.token()
    for number, pid in enumerate(ready(running), 1):
        client = connections.to(pid)
        for _ in range(number):
            assert client.get(VERSION, token)[0] == 200
    wanted = {'worker="1"': 0, 'worker="2"': 0}
    deadline = time.monotonic() + SECONDS
    while sum(wanted.values()) != 3:  # what another one has counted may be a second old
        assert time.monotonic() < deadline
        status, text = running.health("/metrics")
        assert status == 200
        for line in text.splitlines():
            if line.startswith("koproxy_request_total{"):
                for worker in wanted:
                    if worker in line:
                        wanted[worker] = int(float(line.split()[-1]))
    assert sorted(wanted.values()) == [1, 2]


def test_who_connects_before_a_killed_worker_is_replaced_is_kept(
    issuer: Issuer, running: Running, connections: Connections
) -> None:
    one, other = ready(running)
    os.kill(one, signal.SIGKILL)
    running.wait_for(rf"worker \d \(pid {one}\) was ended by SIGKILL")
    waiting = [socket.create_connection(("127.0.0.1", running.port), SECONDS) for _ in range(32)]
    ready(running, one, other, count=1)
    # Nobody was refused or reset: each can still begin its handshake.
    context = ssl.create_default_context(cafile=running.directory / "kube-oidc-proxy.crt")
    for each in waiting:
        with context.wrap_socket(each, server_hostname="127.0.0.1") as client:
            assert client.version() is not None


def test_sigterm_ends_all_of_them(running: Running) -> None:
    with ending(*ready(running)):
        assert running.end() == 0
    assert [line for line in running.lines if "ended" in line] == []


def test_a_supervisor_that_is_killed_takes_its_workers_along(running: Running) -> None:
    pids = ready(running)
    with ending(*pids):
        running.process.kill()
    assert len([line for line in running.lines if "the supervisor has ended" in line]) == 2


def test_sighup_is_passed_on(running: Running) -> None:
    pids = ready(running)
    running.process.send_signal(signal.SIGHUP)
    running.wait_for(rf"\[{pids[0]}\].*SIGHUP: all files are looked at")
    running.wait_for(rf"\[{pids[1]}\].*SIGHUP: all files are looked at")


@pytest.mark.parametrize(
    ("flag", "status", "sentence"),
    [
        ("--oidc-issuer-url=http://plain.example", 2, "koproxy: --oidc-issuer-url "),
        ("--context=nowhere", 2, "koproxy: --kubeconfig "),
        ("--secure-port=70000", 2, "koproxy: --secure-port 70000 is not a port"),
    ],
)
def test_what_can_not_work_is_said_once(
    issuer: Issuer, api: KubeAPI, tmp_path: Path, flag: str, status: int, sentence: str
) -> None:
    assert_refused(command(issuer, api, tmp_path, flag), status, sentence)


def assert_refused(command: list[str], status: int, sentence: str) -> None:
    """Fails unless it ends by itself with this one line."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.returncode == status


@pytest.mark.parametrize("flag", ["secure-port", "readiness-probe-port"])
def test_a_port_in_use_is_one_sentence(
    issuer: Issuer, api: KubeAPI, tmp_path: Path, flag: str
) -> None:
    # One that others may share, if they want to: koproxy doesn't.
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        port = taken.getsockname()[1]
        sentence = f"koproxy: can't listen on 127.0.0.1 port {port} (--{flag}): Address already"
        assert_refused(command(issuer, api, tmp_path, f"--{flag}={port}"), 1, sentence)


def test_twistd_is_one_process(issuer: Issuer, api: KubeAPI, tmp_path: Path) -> None:
    twistd = [str(SCRIPTS / "twistd"), "--nodaemon", "--pidfile=", "koproxy"]
    flags = command(issuer, api, tmp_path)[len(SERVE) :]
    assert_refused([*twistd, *flags], 2, "koproxy: --workers 2 is not for twistd")


SYSTEMD = """
import fcntl, os, socket, sys
made = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print("handed over", *(each.getsockname()[1] for each in made), flush=True)
far = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in made]
for number, each in enumerate(far, 3):
    os.dup2(each, number)
os.environ |= dict(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="health:https")
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_sockets_of_systemd_are_served(issuer: Issuer, api: KubeAPI, tmp_path: Path) -> None:
    serve = [each for each in command(issuer, api, tmp_path) if each != "--workers=2"]
    running = Running([sys.executable, "-c", SYSTEMD, *serve], tmp_path)
    try:
        handed = running.wait_for(r"handed over (\d+) (\d+)")
        running.wait_until_ready()
        assert running.wait_for(r"health on \S+:(\d+)")[1] == handed[1]
        assert running.port == int(handed[2])
        client = Client(running.port, tmp_path / "kube-oidc-proxy.crt")
        with contextlib.closing(client):
            assert client.get(VERSION, issuer.token())[0] == 200
    finally:
        running.end()


@pytest.mark.parametrize("workers", [1, 2])
def test_systemd_is_told_when_it_serves_and_when_it_ends(
    issuer: Issuer,
    api: KubeAPI,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    workers: int,
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(SECONDS)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        running = Running(command(issuer, api, tmp_path, f"--workers={workers}"), tmp_path)
        try:
            assert systemd.recv(100) == b"READY=1"
            running.health("/livez")
        finally:
            assert running.end() == 0
        assert systemd.recv(100) == b"STOPPING=1"
        systemd.setblocking(False)
        with pytest.raises(BlockingIOError):
            systemd.recv(100)


def test_sockets_of_systemd_are_for_one_process(
    issuer: Issuer, api: KubeAPI, tmp_path: Path
) -> None:
    script = SYSTEMD.replace("print", "# print")
    serve = [sys.executable, "-c", script, *command(issuer, api, tmp_path)]
    assert_refused(serve, 2, "koproxy: --workers 2 can't share the sockets")
