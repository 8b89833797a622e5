"""Streams through koproxy: logs, exec and port-forward, over WebSocket and over SPDY."""

import os
import re
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from e2e.running import running
from localcluster.cluster import ECHO_PORT, NAMESPACE, POD, Cluster
from localcluster.kubectl import Kubectl

WEBSOCKET = {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "true", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "true"}
SPDY = {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"}
BOTH = pytest.mark.parametrize("env", [WEBSOCKET, SPDY], ids=["websocket", "spdy"])
MEGABYTE = 1 << 20


def assert_upgraded(log: str, env: dict[str, str], subresource: str) -> None:
    """kubectl falls back to SPDY by itself: look at what it did (WebSocket is GET, SPDY POST)."""
    method = "GET" if env is WEBSOCKET else "POST"
    upgrades = re.findall(rf'verb="(\w+)" url="[^"]*/{subresource}\b[^"]*" status="(\d+)', log)
    assert upgrades == [(method, "101")], log


def test_logs_follow(anna: Kubectl, cluster: Cluster) -> None:
    first, second = (f"line {uuid.uuid4().hex}" for _ in range(2))
    cluster.write_log(first)
    with running(anna, "logs", "--follow", f"--namespace={NAMESPACE}", POD) as logs:
        assert logs.line_with(first) == first
        cluster.write_log(second)
        assert logs.line() == second


@BOTH
def test_exec_passes_stdin_and_stdout(anna: Kubectl, env: dict[str, str]) -> None:
    sent = os.urandom(3 * MEGABYTE)
    done = anna.run(
        *("exec", "--stdin", "-v=6", f"--namespace={NAMESPACE}", POD, "--"),
        *("head", "-c", str(len(sent))),
        stdin=sent,
        env=env,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == sent
    assert_upgraded(done.stderr.decode(), env, "exec")


@BOTH
def test_exec_tells_stderr_and_the_exit_status(anna: Kubectl, env: dict[str, str]) -> None:
    done = anna.run(
        *("exec", f"--namespace={NAMESPACE}", POD, "--"),
        *("sh", "-c", "echo out; echo err >&2; exit 7"),
        env=env,
    )
    assert done.returncode != 0
    assert done.stdout == b"out\n"
    err, _, last = done.stderr.decode().partition("\n")
    assert err == "err"
    # A kubelet says "exit code 7", kwok says "exit status 7".
    assert re.search(r"exit (code|status) 7\b", last)


@BOTH
def test_exec_needs_its_right(bert: Kubectl, env: dict[str, str]) -> None:
    refused = bert.run("exec", f"--namespace={NAMESPACE}", POD, "--", "true", env=env)
    assert refused.returncode == 1
    assert 'User "bert@example.com" cannot create resource "pods/exec"' in refused.stderr.decode()


@BOTH
def test_port_forward_carries_megabytes(anna: Kubectl, env: dict[str, str]) -> None:
    sent = os.urandom(16 * MEGABYTE)
    with running(
        anna,
        *("port-forward", "-v=6", f"--namespace={NAMESPACE}", POD, f":{ECHO_PORT}"),
        env=env,
    ) as forward:
        port = re.search(r"127\.0\.0\.1:(\d+) ->", forward.line())
        assert port is not None
        # Two at once, each a stream of its own in the one upgraded connection.
        for received in echo_twice(int(port.group(1)), sent):
            assert received == sent
        log = forward.errors()
    assert_upgraded(log, env, "portforward")


def echo_twice(port: int, sent: bytes) -> list[bytes]:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda _: echo(port, sent), range(2)))


def echo(port: int, sent: bytes) -> bytes:
    with (
        ThreadPoolExecutor() as pool,
        socket.create_connection(("127.0.0.1", port), timeout=60) as connection,
    ):
        writing = pool.submit(connection.sendall, sent)
        pieces, left = [], len(sent)
        while left and (piece := connection.recv(MEGABYTE)):
            pieces.append(piece)
            left -= len(piece)
        writing.result()
    return b"".join(pieces)
