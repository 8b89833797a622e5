"""TLS on real sockets: what arrives, who waits for whom, and how an end looks from afar."""

import errno
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_twisted
import trustme
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock, deferLater
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure

from koproxy.proxy.connect import Connector
from koproxy.proxy.limits import Clients, Limits
from koproxy.proxy.listener import PAUSE_SECONDS, Listener
from koproxy.proxy.sockets import Sockets
from koproxy.proxy.tls import (
    HANDSHAKE_SECONDS,
    LINGER_SECONDS,
    STALL_SECONDS,
    TLS,
)
from koproxy.proxy.transport import Transport

MEGABYTES = bytes(range(256)) * 4096 * 24


@dataclass
class Access:
    port: int
    tls: ssl.SSLContext
    host: str = "127.0.0.1"
    server_name: str = "kube.example"
    path_prefix: bytes = b""
    authorization: bytes = b""
    problem: str | None = None


@dataclass
class End:
    """One end that keeps what it gets, and tells what happens."""

    transport: Transport = field(init=False)

    got: bytearray = field(default_factory=bytearray)
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ended: Deferred[bool] = Deferred()
        self._waiting: list[tuple[int, Deferred[None]]] = []

    def connectionMade(self) -> None:
        self.transport.registerProducer(self)  # type: ignore[arg-type]

    def dataReceived(self, data: bytes) -> None:
        self.got += data
        for size, waiting in self._waiting:
            if len(self.got) >= size and not waiting.called:
                waiting.callback(None)

    def connectionLost(self, reason: Failure) -> None:
        self.ended.callback(reason.check(ConnectionDone) is not None)

    def received(self, size: int) -> Deferred[None]:
        waiting: Deferred[None] = Deferred()
        self._waiting.append((size, waiting))
        self.dataReceived(b"")
        return waiting

    def finished(self) -> None:
        self.calls.append("finished")

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")


class Listening:
    """A server for one connection at a time, and connections to it."""

    def __init__(self, authority: trustme.CA, limits: Limits = Limits()) -> None:  # noqa: B008
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("kube.example").configure_cert(self.context)
        self.trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(self.trust)
        self.clock = Clock()
        self.sockets = Sockets(reactor)  # type: ignore[arg-type]
        self.accepted: Deferred[End] = Deferred()
        socket_ = socket.create_server(("127.0.0.1", 0))
        self.port = socket_.getsockname()[1]
        self._listener: Listener | None = Listener(
            self.clock,
            self.sockets,
            socket_,
            lambda _: self.context,
            Clients(self.clock, limits),
            self._accept,
        )

    def _accept(self) -> End:
        end = End()
        accepted, self.accepted = self.accepted, Deferred()
        reactor.callLater(0, accepted.callback, end)  # type: ignore[attr-defined]
        return end

    def connect(self, access: Access | None = None) -> Deferred[End]:
        """A connection; fails with what the connector says."""
        made: Deferred[End] = Deferred()

        class Client(End):
            def connectionMade(self) -> None:
                super().connectionMade()
                made.callback(self)

        def failed(problem: str, *, timeout: bool) -> None:
            made.errback(RuntimeError(f"{problem}{' (time-out)' if timeout else ''}"))

        connect = Connector(reactor, self.sockets)
        connect(access or Access(self.port, self.trust), Client, failed)
        return made

    def hang_up(self) -> None:
        """Listen no more."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    def close(self) -> None:
        """Leave nothing behind."""
        self.hang_up()
        for _ in range(1000):  # turns, for the other ends of what a test has cut
            if not self.sockets.watched:
                break
            pytest_twisted.blockon(deferLater(reactor, 0))  # type: ignore[arg-type]
        assert self.sockets.watched == 0
        self.sockets.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def listening(authority: trustme.CA) -> Iterator[Listening]:
    listening = Listening(authority)
    yield listening
    listening.close()


async def both(listening: Listening) -> tuple[End, End]:
    accepted = listening.accepted
    client = await listening.connect()
    return client, await accepted


@pytest_twisted.ensureDeferred
async def test_bytes_go_both_ways(listening: Listening) -> None:
    client, server = await both(listening)
    client.transport.write(b"question")
    await server.received(8)
    server.transport.write(b"answer")
    await client.received(6)
    assert (bytes(server.got), bytes(client.got)) == (b"question", b"answer")
    client.transport.loseConnection()
    assert await server.ended
    await client.ended


@pytest_twisted.ensureDeferred
async def test_a_writer_waits_for_a_reader_and_nothing_is_lost(listening: Listening) -> None:
    client, server = await both(listening)
    client.transport.pauseProducing()
    server.transport.write(MEGABYTES)
    assert server.calls == ["pause"]
    server.transport.write(b"the end")
    client.transport.resumeProducing()
    await client.received(len(MEGABYTES) + 7)
    assert client.got == MEGABYTES + b"the end"
    assert server.calls == ["pause", "resume"]
    client.transport.loseConnection()
    assert await server.ended
    await client.ended


@pytest.mark.parametrize("close", ["loseConnection", "loseWriteConnection"])
@pytest_twisted.ensureDeferred
async def test_what_was_written_before_an_end_arrives(listening: Listening, close: str) -> None:
    client, server = await both(listening)
    client.transport.pauseProducing()
    server.transport.write(MEGABYTES)
    getattr(server.transport, close)()
    server.transport.write(b"too late")
    client.transport.resumeProducing()
    assert await client.ended
    assert client.got == MEGABYTES
    await server.ended


@pytest_twisted.ensureDeferred
async def test_a_cut_is_no_end(listening: Listening) -> None:
    client, server = await both(listening)
    server.transport.write(b"half")
    await client.received(4)
    server.transport.abortConnection()
    assert not await client.ended
    await server.ended


@pytest_twisted.ensureDeferred
async def test_a_reset_is_noticed_by_who_does_not_read(listening: Listening) -> None:
    client, server = await both(listening)
    server.transport.pauseProducing()
    client.transport.write(b"never read")
    client.transport.abortConnection()
    assert not await server.ended
    assert server.got == b""
    await client.ended


@pytest_twisted.ensureDeferred
async def test_what_came_before_a_failed_write_is_read(listening: Listening) -> None:
    """An API server may answer and close before it has taken the whole upload."""
    client, server = await both(listening)
    client.transport.pauseProducing()
    server.transport.write(b"too large")
    server.transport.loseConnection()
    await server.ended
    while True:  # until the kernel knows that nobody takes it
        client.transport.write(MEGABYTES)
        if client.calls:
            break
    client.transport.resumeProducing()
    assert await client.ended
    assert client.got == b"too large"


@pytest_twisted.ensureDeferred
async def test_who_does_not_go_after_the_last_answer_is_cut(listening: Listening) -> None:
    client, server = await both(listening)
    server.transport.write(b"the last answer")
    client.transport.pauseProducing()
    server.transport.loseWriteConnection()
    while server.transport.left:  # the peer's kernel takes its time to say that it has it
        await deferLater(reactor, 0)  # type: ignore[arg-type]
    listening.clock.pump([LINGER_SECONDS] * 2)
    assert server.ended.called
    client.transport.resumeProducing()
    assert await client.ended
    assert client.got == b"the last answer"


@pytest_twisted.ensureDeferred
async def test_a_slow_reader_of_the_last_answer_has_its_time(listening: Listening) -> None:
    client, server = await both(listening)
    client.transport.pauseProducing()
    server.transport.write(MEGABYTES)
    server.transport.loseWriteConnection()
    listening.clock.pump([LINGER_SECONDS] * int(STALL_SECONDS / LINGER_SECONDS / 2))
    client.transport.resumeProducing()
    assert await client.ended
    assert client.got == MEGABYTES
    await server.ended


@pytest.mark.parametrize("close", ["loseConnection", "loseWriteConnection"])
@pytest_twisted.ensureDeferred
async def test_who_takes_nothing_of_the_last_answer_is_cut(
    listening: Listening, close: str
) -> None:
    client, server = await both(listening)
    client.transport.pauseProducing()
    server.transport.write(MEGABYTES)
    getattr(server.transport, close)()
    listening.clock.pump([LINGER_SECONDS] * int(1 + STALL_SECONDS / LINGER_SECONDS))
    assert server.ended.called
    assert not await client.ended


@pytest_twisted.ensureDeferred
async def test_an_end_is_told_to_who_does_not_read(listening: Listening) -> None:
    client, server = await both(listening)
    told: Deferred[None] = Deferred()
    server.finished = lambda: told.callback(None)  # type: ignore[method-assign]
    server.transport.write(b"x")
    await client.received(1)  # who closes with bytes unread resets the connection
    server.transport.pauseProducing()
    client.transport.write(b"read later")
    client.transport.loseConnection()
    await told
    assert not server.ended.called
    server.transport.resumeProducing()
    assert await server.ended
    assert server.got == b"read later"


@pytest_twisted.ensureDeferred
async def test_who_comes_later_is_paused_for_what_is_queued(listening: Listening) -> None:
    client, server = await both(listening)
    client.transport.pauseProducing()
    server.transport.write(MEGABYTES)
    later = End()
    server.transport.hand_over(later)
    assert later.calls == ["pause"]
    client.transport.resumeProducing()
    await client.received(len(MEGABYTES))
    assert later.calls == ["pause", "resume"]
    client.transport.loseConnection()
    await later.ended


@pytest_twisted.ensureDeferred
async def test_one_failing_connection_is_closed_and_the_others_go_on(
    listening: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    client, server = await both(listening)
    other, its_server = await both(listening)
    server.dataReceived = lambda _data: 1 / 0  # type: ignore[method-assign,assignment]
    client.transport.write(b"x")
    assert not await client.ended
    await server.ended
    other.transport.write(b"still here")
    await its_server.received(10)
    other.transport.loseConnection()
    await its_server.ended
    await other.ended


async def why_not(listening: Listening, access: Access | None = None) -> str:
    with pytest.raises(RuntimeError) as problem:
        await listening.connect(access)
    return str(problem.value)


@pytest_twisted.ensureDeferred
async def test_an_unknown_authority_is_refused(listening: Listening) -> None:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trustme.CA().configure_trust(trust)
    said = await why_not(listening, Access(listening.port, trust))
    assert said == "its certificate was not accepted: unable to get local issuer certificate"


@pytest_twisted.ensureDeferred
async def test_another_name_is_refused(listening: Listening) -> None:
    said = await why_not(
        listening, Access(listening.port, listening.trust, server_name="other.example")
    )
    assert said.startswith("its certificate was not accepted: Hostname mismatch")


@pytest.fixture
def stranger() -> Iterator[socket.socket]:
    """A listening socket whose connections the test itself serves."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)
        yield listening


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the TLS handshake failed: WRONG_VERSION_NUMBER"),
        (b"", "the connection was closed in the TLS handshake"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_server_that_speaks_no_tls_is_said(
    listening: Listening, stranger: socket.socket, said: bytes, problem: str
) -> None:
    def serve() -> None:
        connected, _ = stranger.accept()
        with connected:
            connected.recv(65536)
            connected.sendall(said)

    served = deferToThread(serve)
    port = stranger.getsockname()[1]
    assert await why_not(listening, Access(port, listening.trust)) == problem
    await served


@pytest_twisted.ensureDeferred
async def test_nobody_listens(listening: Listening) -> None:
    listening.hang_up()
    said = await why_not(listening, Access(listening.port, listening.trust))
    assert said == "it refused the connection"


@pytest_twisted.ensureDeferred
async def test_a_handshake_has_its_time(listening: Listening, stranger: socket.socket) -> None:
    clock = Clock()
    silent = socket.create_connection(stranger.getsockname())
    connected, _ = stranger.accept()
    said: list[tuple[str, bool]] = []

    def failed(problem: str, *, timeout: bool) -> None:
        said.append((problem, timeout))

    TLS(clock, listening.sockets, connected, listening.context, End, on_failure=failed)
    clock.advance(HANDSHAKE_SECONDS)
    assert said == [("the TLS handshake took too long", True)]
    with silent, pytest.raises(ConnectionResetError):
        silent.recv(1)


@pytest_twisted.ensureDeferred
async def test_without_descriptors_new_connections_wait(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [OSError(errno.EMFILE, "Too many open files")]
    accept = socket.socket.accept

    def scarce(self: socket.socket) -> tuple[socket.socket, Any]:
        if refusals:
            reactor.callLater(0, listening.clock.advance, PAUSE_SECONDS)  # type: ignore[attr-defined]
            raise refusals.pop()
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", scarce)
    client, server = await both(listening)
    assert refusals == []
    client.transport.loseConnection()
    await server.ended
    await client.ended
