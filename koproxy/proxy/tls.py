"""TLS over a Twisted TCP transport, by the standard library's ``ssl``.

It stands between a transport and a protocol that speaks HTTP, and gives that protocol the
transport's methods. Twisted's own TLS (pyOpenSSL) costs several times as much a read and a write,
and its transport an extra turn of the reactor for each write; this one sends at once what the
socket takes, and leaves only the rest to the transport. It may not look at what passes.
"""

import contextlib
import socket
import ssl
import typing
from collections.abc import Callable

from twisted.internet import error, tcp
from twisted.internet.interfaces import IPullProducer, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

HANDSHAKE_SECONDS = 10.0
_RECORD = 16384  # the largest plaintext of one TLS record (RFC 8446, section 5.1)


class Failed(typing.Protocol):
    """Gets to know, in a sentence, why there will be no connection."""

    def __call__(self, problem: str, *, timeout: bool) -> None: ...


class SecureProtocol(Protocol):
    """What runs on top of :class:`TLS`: a protocol whose ``transport`` is that TLS.

    ``connectionMade`` comes when the handshake is done.
    """

    transport: "TLS"  # type: ignore[assignment]

    def connectionMade(self) -> None:
        """The handshake is done."""


class TLS(Protocol):
    """One TLS connection, either side.

    ``make_inner`` is called when the handshake is done, so that a peer who never ends one costs
    nothing behind it. ``on_failure`` gets a sentence if it ends before that.
    """

    transport: tcp.Connection

    def __init__(
        self,
        reactor: IReactorTime,
        context: ssl.SSLContext,
        make_inner: Callable[[], SecureProtocol],
        *,
        server_name: str | None = None,
        on_failure: Failed | None = None,
    ) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ssl = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=server_name is None,
            server_hostname=server_name,
        )
        self._make_inner = make_inner
        self._on_failure = on_failure
        self._inner: SecureProtocol | None = None
        self._producer: IPushProducer | None = None
        self._queued = False
        self._closed = False
        self._half_closing = False
        self._clean = False
        self._timeout = reactor.callLater(HANDSHAKE_SECONDS, self._too_slow)

    # What the protocol above calls.

    def hand_over(self, inner: SecureProtocol) -> None:
        """Have ``inner`` speak from now on."""
        self._inner = inner
        inner.transport = self
        inner.connectionMade()

    def write(self, data: bytes) -> None:
        """Send ``data``, as many records as it takes."""
        if self._closed or not data:
            return
        try:
            self._ssl.write(data)
        except ssl.SSLError:
            self.abortConnection()
            return
        self._flush()

    def loseConnection(self) -> None:
        """Close in good order: what was written goes out, then the closing alert and the end."""
        if self._closed:
            return
        self._closed = True
        self._say_goodbye()
        self.transport.loseConnection()

    def loseWriteConnection(self) -> None:
        """Say that nothing more will be sent, and go on reading."""
        if self._closed:
            return
        self._closed = self._half_closing = True
        self._say_goodbye()
        if not self._queued:
            self.transport.loseWriteConnection()

    def abortConnection(self) -> None:
        """End at once, without the closing alert: the peer sees a cut, not an end."""
        self._closed = True
        self.transport.abortConnection()

    def pauseProducing(self) -> None:
        """Stop reading; at most what was read already still arrives."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again."""
        self.transport.resumeProducing()

    def registerProducer(self, producer: IPushProducer) -> None:
        """Have ``producer`` paused while the peer doesn't take what was written."""
        self._producer = producer

    @property
    def peer_host(self) -> str:
        """The peer's IP address; an IPv4 one in its own notation on an IPv6 socket too."""
        return str(self.transport.getPeer().host).removeprefix("::ffff:")

    # What the transport below calls.

    def connectionMade(self) -> None:
        """Begin the handshake."""
        self.transport.setTcpNoDelay(True)
        self._socket: socket.socket = self.transport.getHandle()
        self._shake_hands()

    def dataReceived(self, data: bytes) -> None:
        """Decrypt what came, and hand it on in one piece."""
        if self._closed:  # only waiting for the peer to go
            return
        self._incoming.write(data)
        if self._inner is None:
            self._shake_hands()
            if self._inner is None:
                return
        pieces: list[bytes] = []
        ended = False
        try:
            # Asking on when nothing is left would cost an exception each time.
            while self._incoming.pending or self._ssl.pending():
                piece = self._ssl.read(_RECORD)
                if not piece:  # the closing alert
                    self._clean = ended = True
                    break
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.abortConnection()
            return
        self._flush()  # the answer to a key update, if there was one
        if pieces:
            self._inner.dataReceived(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if ended:
            self.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell the protocol above; a connection without the closing alert was cut."""
        self._closed = True
        if self._timeout.active():
            self._timeout.cancel()
        inner, self._inner = self._inner, None
        if inner is not None:
            # The closing alert says that this was the end; without it, whoever closed the TCP
            # connection cut it (RFC 8446, section 6.1).
            end = error.ConnectionDone() if self._clean else error.ConnectionLost()
            inner.connectionLost(Failure(end))
        else:
            self._fail("the connection was closed in the TLS handshake")

    def _shake_hands(self) -> None:
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLCertVerificationError as problem:
            self._flush()
            self._fail(f"its certificate was not accepted: {problem.verify_message}")
            self.transport.abortConnection()
            return
        except ssl.SSLError as problem:
            self._flush()
            self._fail(f"the TLS handshake failed: {problem.reason}")
            self.transport.loseConnection()
            return
        self._flush()
        self._timeout.cancel()
        self._on_failure = None
        self.hand_over(self._make_inner())

    def _flush(self) -> None:
        """Send what was encrypted: to the socket what it takes, to the transport the rest."""
        if not self._outgoing.pending:
            return
        data = self._outgoing.read()
        if self._queued:
            self.transport.write(data)
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._closed = True
            self.transport.abortConnection()
            return
        if sent < len(data):
            self.transport.write(data[sent:])
            self.transport.registerProducer(_Drain(self._drained), False)
            self._queued = True
            if self._producer is not None:
                self._producer.pauseProducing()

    def _drained(self) -> None:
        if not self._queued:  # the transport asks once at the registration
            return
        self._queued = False
        self.transport.unregisterProducer()
        if self._half_closing:
            self.transport.loseWriteConnection()
        elif self._producer is not None and not self._closed:
            self._producer.resumeProducing()

    def _too_slow(self) -> None:
        self._fail("the TLS handshake took too long", timeout=True)
        self.abortConnection()

    def _fail(self, problem: str, *, timeout: bool = False) -> None:
        told, self._on_failure = self._on_failure, None
        if told is not None:
            told(problem, timeout=timeout)

    def _say_goodbye(self) -> None:
        with contextlib.suppress(ssl.SSLError):  # it wants the peer's alert, which may come or not
            self._ssl.unwrap()
        self._flush()


@implementer(IPullProducer)
class _Drain:
    """Hears from a transport that all it was given has gone out."""

    def __init__(self, drained: Callable[[], None]) -> None:
        self._drained = drained

    def resumeProducing(self) -> None:
        """Everything is out."""
        self._drained()

    def stopProducing(self) -> None:
        """The connection is gone; ``connectionLost`` says so."""
