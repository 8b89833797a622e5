"""`kubectl port-forward` through koproxy, over WebSocket and over SPDY."""

import hashlib
import os
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from e2e.running import Running, running
from e2e.upgrades import BOTH, assert_upgraded
from localcluster.cluster import CHECKSUM_PORT, ECHO_PORT, NAMESPACE, POD
from localcluster.kubectl import Kubectl

MEGABYTE = 1 << 20
MANY = 64


@pytest.fixture
def forward(anna: Kubectl, env: dict[str, str]) -> Iterator[tuple[Running, int, int]]:
    """kubectl, and the local ports that it forwards to the echo and to the checksum."""
    with running(
        anna,
        *("port-forward", "-v=6", f"--namespace={NAMESPACE}", POD),
        *(f":{ECHO_PORT}", f":{CHECKSUM_PORT}"),
        env=env,
    ) as kubectl:
        echo, checksum = (local_port(kubectl, port) for port in (ECHO_PORT, CHECKSUM_PORT))
        yield kubectl, echo, checksum


def local_port(kubectl: Running, port: int) -> int:
    line = kubectl.line_with(f"-> {port}")
    while (found := re.search(r"127\.0\.0\.1:(\d+) ->", line)) is None:
        line = kubectl.line_with(f"-> {port}")
    return int(found.group(1))


@BOTH
def test_it_carries_megabytes(forward: tuple[Running, int, int], env: dict[str, str]) -> None:
    kubectl, echo, _ = forward
    sent = os.urandom(16 * MEGABYTE)
    # Two at once, each a stream of its own in the one upgraded connection.
    with ThreadPoolExecutor() as pool:
        for received in pool.map(lambda _: ask(echo, sent), range(2)):
            assert received == sent
    assert_upgraded(kubectl.errors(), env, "portforward")


@BOTH
def test_one_direction_ends_before_the_other(
    forward: tuple[Running, int, int], env: dict[str, str]
) -> None:
    """The checksum is there only when all has come and the end was seen, and it comes after it."""
    kubectl, _, checksum = forward
    sent = os.urandom(8 * MEGABYTE)
    assert ask(checksum, sent).split()[0].decode() == hashlib.sha256(sent).hexdigest()
    assert_upgraded(kubectl.errors(), env, "portforward")


@BOTH
def test_many_connections_at_once(forward: tuple[Running, int, int], env: dict[str, str]) -> None:
    kubectl, echo, _ = forward
    connections = [socket.create_connection(("127.0.0.1", echo), timeout=60) for _ in range(MANY)]
    for round_of_all in range(2):
        for number, connection in enumerate(connections):
            connection.sendall(f"{round_of_all} of {number}\n".encode())
        for number, connection in enumerate(connections):
            expected = f"{round_of_all} of {number}\n".encode()
            assert receive(connection, len(expected)) == expected
    for connection in connections:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
        connection.close()
    assert_upgraded(kubectl.errors(), env, "portforward")


def ask(port: int, sent: bytes) -> bytes:
    """Send all, say that it was all, and take all that comes until the other side's end."""
    with (
        ThreadPoolExecutor() as pool,
        socket.create_connection(("127.0.0.1", port), timeout=60) as connection,
    ):

        def send() -> None:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)

        sending = pool.submit(send)
        pieces = []
        while piece := connection.recv(MEGABYTE):
            pieces.append(piece)
        sending.result()
    return b"".join(pieces)


def receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size and (piece := connection.recv(size - len(received))):
        received += piece
    return received
