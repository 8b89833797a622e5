"""TLS on real sockets: what arrives, who waits for whom, and how an end looks from afar."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import pytest_twisted
import trustme
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from koproxy.proxy.connect import connect
from koproxy.proxy.tls import HANDSHAKE_SECONDS, TLS, SecureProtocol

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
class End(SecureProtocol):
    """One end that keeps what it gets, and tells what happens."""

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

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended.callback(reason.check(ConnectionDone) is not None)

    def received(self, size: int) -> Deferred[None]:
        waiting: Deferred[None] = Deferred()
        self._waiting.append((size, waiting))
        self.dataReceived(b"")
        return waiting

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")


class Listening:
    """A server for one connection at a time, and connections to it."""

    def __init__(self, authority: trustme.CA) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("kube.example").configure_cert(self.context)
        self.trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(self.trust)
        self.build: Callable[[], Protocol] = self._tls
        self.accepted: Deferred[End] = Deferred()
        factory = Factory()
        factory.noisy = False
        factory.buildProtocol = lambda _address: self.build()  # type: ignore[method-assign,assignment]
        self.port = reactor.listenTCP(0, factory, interface="127.0.0.1")  # type: ignore[attr-defined]

    def _tls(self) -> TLS:
        return TLS(reactor, self.context, self._accept)  # type: ignore[arg-type]

    def _accept(self) -> End:
        end = End()
        accepted, self.accepted = self.accepted, Deferred()
        reactor.callLater(0, accepted.callback, end)  # type: ignore[attr-defined]
        return end

    def connect(self, access: Access | None = None) -> Deferred[End]:
        """A connection; fails with what ``connect`` says."""
        made: Deferred[End] = Deferred()

        class Client(End):
            def connectionMade(self) -> None:
                super().connectionMade()
                made.callback(self)

        def failed(problem: str, *, timeout: bool) -> None:
            made.errback(RuntimeError(problem))

        access = access or Access(self.port.getHost().port, self.trust)
        connect(reactor, access, Client, failed)  # type: ignore[arg-type]
        return made


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def listening(authority: trustme.CA) -> Iterator[Listening]:
    listening = Listening(authority)
    yield listening
    if listening.port.connected:
        pytest_twisted.blockon(listening.port.stopListening())


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
async def test_a_connection_without_the_closing_alert_was_cut(listening: Listening) -> None:
    client, server = await both(listening)
    server.transport.transport.loseConnection()
    assert not await client.ended
    await server.ended


async def why_not(listening: Listening, access: Access | None = None) -> str:
    with pytest.raises(RuntimeError) as problem:
        await listening.connect(access)
    return str(problem.value)


@pytest_twisted.ensureDeferred
async def test_an_unknown_authority_is_refused(listening: Listening) -> None:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trustme.CA().configure_trust(trust)
    said = await why_not(listening, Access(listening.port.getHost().port, trust))
    assert said == "its certificate was not accepted: unable to get local issuer certificate"


@pytest_twisted.ensureDeferred
async def test_another_name_is_refused(listening: Listening) -> None:
    port = listening.port.getHost().port
    said = await why_not(listening, Access(port, listening.trust, server_name="other.example"))
    assert said.startswith("its certificate was not accepted: Hostname mismatch")


@pytest_twisted.ensureDeferred
async def test_a_server_that_speaks_no_tls_is_said(listening: Listening) -> None:
    class Plain(Protocol):
        def connectionMade(self) -> None:
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    listening.build = Plain
    assert (await why_not(listening)).startswith("the TLS handshake failed: ")


@pytest_twisted.ensureDeferred
async def test_a_server_that_hangs_up_is_said(listening: Listening) -> None:
    class HangsUp(Protocol):
        def connectionMade(self) -> None:
            self.transport.loseConnection()

    listening.build = HangsUp
    assert await why_not(listening) == "the connection was closed in the TLS handshake"


@pytest_twisted.ensureDeferred
async def test_nobody_listens(listening: Listening) -> None:
    port = listening.port.getHost().port
    await listening.port.stopListening()
    assert await why_not(listening, Access(port, listening.trust)) == "it refused the connection"


@pytest_twisted.ensureDeferred
async def test_a_handshake_has_its_time(listening: Listening) -> None:
    clock = Clock()
    said: list[tuple[str, bool]] = []

    def failed(problem: str, *, timeout: bool) -> None:
        said.append((problem, timeout))

    begun: Deferred[None] = Deferred()

    def build() -> TLS:
        reactor.callLater(0, begun.callback, None)  # type: ignore[attr-defined]
        return TLS(clock, listening.context, End, on_failure=failed)

    listening.build = build
    client = End()
    point = TCP4ClientEndpoint(reactor, "127.0.0.1", listening.port.getHost().port)
    await connectProtocol(point, Silent(client))
    await begun
    clock.advance(HANDSHAKE_SECONDS)
    assert said == [("the TLS handshake took too long", True)]
    await client.ended


class Silent(Protocol):
    """A client that says nothing."""

    def __init__(self, end: End) -> None:
        self._end = end

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._end.connectionLost(reason)
