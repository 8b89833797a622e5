"""`kubectl exec` through koproxy, and what kubectl builds on it, over WebSocket and over SPDY."""

import hashlib
import os
import pty
import select
import signal
import subprocess
import termios
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.running import running
from e2e.upgrades import BOTH, assert_upgraded
from localcluster.cluster import NAMESPACE, POD, Cluster
from localcluster.kubectl import Kubectl
from localcluster.processes import wait_until

MEGABYTE = 1 << 20
EXEC = ("exec", "-v=6", f"--namespace={NAMESPACE}", POD, "--")
EXEC_STDIN = ("exec", "--stdin", *EXEC[1:])


@BOTH
def test_a_command_sees_the_end_of_its_input(anna: Kubectl, env: dict[str, str]) -> None:
    sent = os.urandom(3 * MEGABYTE)
    done = anna.run(*EXEC_STDIN, "cat", stdin=sent, env=env)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == sent
    assert_upgraded(done.stderr.decode(), env, "exec")


@BOTH
def test_a_command_need_not_wait_for_the_end_of_its_input(
    anna: Kubectl, env: dict[str, str]
) -> None:
    # Nothing is on its way to the command when it ends: kube-apiserver resets the connection where
    # something is, and then kubectl misses now and then what it has not read by then.
    with running(anna, *EXEC_STDIN, "sh", "-c", "head -n 1; exit 7", env=env) as head:
        head.write(b"one line\n")
        assert head.line() == "one line"
        assert head.status() == 7
        assert_upgraded(head.errors(), env, "exec")


@BOTH
def test_a_large_input_arrives_whole(anna: Kubectl, env: dict[str, str]) -> None:
    sent = os.urandom(MEGABYTE) * 64
    done = anna.run(*EXEC_STDIN, "sha256sum", stdin=sent, env=env)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.split()[0].decode() == hashlib.sha256(sent).hexdigest()
    assert_upgraded(done.stderr.decode(), env, "exec")


@BOTH
@pytest.mark.parametrize(
    ("command", "status"), [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", 137)]
)
def test_the_exit_status_is_kept(
    anna: Kubectl, env: dict[str, str], command: str, status: int
) -> None:
    done = anna.run(*EXEC, "sh", "-c", f"echo ran; {command}", env=env)
    assert (done.returncode, done.stdout) == (status, b"ran\n")
    assert_upgraded(done.stderr.decode(), env, "exec")


@BOTH
def test_stdout_and_stderr_stay_apart(anna: Kubectl, env: dict[str, str]) -> None:
    lines = 5000
    script = f"i=0; while [ $i -lt {lines} ]; do echo out $i; echo err $i >&2; i=$((i+1)); done"
    done = anna.run("exec", f"--namespace={NAMESPACE}", POD, "--", "sh", "-c", script, env=env)
    assert done.returncode == 0
    assert done.stdout.decode().splitlines() == [f"out {number}" for number in range(lines)]
    assert done.stderr.decode().splitlines() == [f"err {number}" for number in range(lines)]


@BOTH
def test_exec_needs_its_right(bert: Kubectl, env: dict[str, str]) -> None:
    refused = bert.run("exec", f"--namespace={NAMESPACE}", POD, "--", "true", env=env)
    assert refused.returncode == 1
    assert 'User "bert@example.com" cannot create resource "pods/exec"' in refused.stderr.decode()


class Terminal:
    """kubectl at a terminal of ours."""

    def __init__(self, kubectl: Kubectl, env: dict[str, str], *command: str) -> None:
        self._ours, theirs = pty.openpty()
        self.resize(24, 80)
        self.process = subprocess.Popen(
            kubectl.argv("exec", "--stdin", "--tty", *EXEC[1:], *command),
            env=kubectl.env(env),
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
        )
        os.close(theirs)
        self._output = os.fdopen(self._ours, "rb", buffering=0)

    def resize(self, rows: int, columns: int) -> None:
        """Change the window's size, for a program that is told so by a signal."""
        termios.tcsetwinsize(self._ours, (rows, columns))

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._ours, keys)

    def read_until(self, text: bytes) -> bytes:
        """What is shown from now on, up to `text`."""
        shown = b""
        while text not in shown:
            readable, _, _ = select.select([self._output], [], [], 30)
            assert readable, f"the terminal shows only {shown!r}"
            shown += self._output.read(1)
        return shown

    def close(self) -> None:
        """Take the terminal away."""
        self._output.close()


@pytest.fixture
def size_on_return(anna: Kubectl, env: dict[str, str]) -> Iterator[Terminal]:
    """A shell in a pod that shows its terminal's size each time that return is pressed."""
    script = "echo ready; while read -r line; do stty size; done; exit 3"
    terminal = Terminal(anna, env, "sh", "-c", script)
    try:
        yield terminal
    finally:
        terminal.process.kill()
        terminal.process.communicate()
        terminal.close()


@BOTH
def test_a_terminal_and_its_size(size_on_return: Terminal, env: dict[str, str]) -> None:
    terminal = size_on_return
    terminal.read_until(b"ready\r\n")

    def size() -> bytes:
        terminal.type(b"\r")
        terminal.read_until(b"\r\n")  # the echo of return
        return terminal.read_until(b"\r\n").strip()

    wait_until(lambda: size() == b"24 80", "the size is known over there", seconds=20)
    terminal.resize(50, 132)
    terminal.process.send_signal(signal.SIGWINCH)
    wait_until(lambda: size() == b"50 132", "the new size is known over there", seconds=20)
    terminal.type(b"\x04")
    _, log = terminal.process.communicate(timeout=20)
    assert terminal.process.returncode == 3
    assert_upgraded(log.decode(), env, "exec")


@pytest.fixture
def far_away(cluster: Cluster) -> Iterator[str]:
    """The path of a folder in the pod, that goes with the test."""
    path = f"/tmp/koproxy-e2e-{uuid.uuid4().hex}"
    cluster.admin("exec", f"--namespace={NAMESPACE}", POD, "--", "mkdir", path)
    yield path
    cluster.admin("exec", f"--namespace={NAMESPACE}", POD, "--", "rm", "-r", path)


@BOTH
def test_cp_both_ways(anna: Kubectl, env: dict[str, str], far_away: str, tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    (sent / "deeper").mkdir(parents=True)
    (sent / "large").write_bytes(os.urandom(8 * MEGABYTE))
    (sent / "deeper" / "empty").write_bytes(b"")
    received = tmp_path / "received"

    pod = f"{NAMESPACE}/{POD}:{far_away}"
    for source, target in ((sent, f"{pod}/sent"), (f"{pod}/sent", received)):
        done = anna.run("cp", "-v=6", source, target, env=env)
        assert done.returncode == 0, done.stderr.decode()
        assert_upgraded(done.stderr.decode(), env, "exec")
    assert content(received) == content(sent)


def content(directory: Path) -> dict[Path, bytes]:
    return {
        path.relative_to(directory): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }
