"""Connections to the API server: one request at a time on each, kept and used again.

A connection reads answers strictly and hands them to the exchange that waits for them. It may not
write a head itself, nor send a request twice: whoever waits decides what a broken one means.
"""

import ssl
from typing import Protocol

from twisted.internet import error
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from koproxy.proxy.connect import Access, Connect
from koproxy.proxy.transport import Transport
from koproxy.wire.body import Body, ChunkedBody, EndlessBody
from koproxy.wire.fields import Malformed
from koproxy.wire.response import Answer, read_answer

# kube-apiserver closes an idle connection after 90 s or more; going first avoids meeting it there.
IDLE_SECONDS = 45.0
_LARGEST_HEAD = 256 * 1024


class Exchange(Protocol):
    """Who waits for an answer.

    ``method`` and ``minor`` (of HTTP/1.x) are the request's; ``request_sent`` says whether its
    last byte is on its way.
    """

    method: bytes
    minor: int

    @property
    def request_sent(self) -> bool: ...

    def upstream_ready(self, connection: "UpstreamConnection") -> None:
        """A connection is there for this exchange alone."""

    def unreachable(self, problem: str, *, timeout: bool) -> None:
        """No connection could be made."""

    def interim(self, answer: Answer) -> None:
        """A 1xx head came; another one follows."""

    def answered(self, answer: Answer, data: bytes, *, whole: bool) -> None:
        """The head came, and with it the first bytes of the body, or the ``whole`` of it."""

    def piece(self, data: bytes, *, last: bool) -> None:
        """More of the body came."""

    def ended(self) -> None:
        """The answer is whole, and the connection is no longer this exchange's."""

    def broken(self, problem: str, *, untouched: bool) -> None:
        """The connection is gone before the answer was whole.

        ``untouched``: it was one that had been used before, and no byte of an answer came.
        """

    def pause_sending(self) -> None:
        """The API server doesn't take more of the request now."""

    def resume_sending(self) -> None:
        """It does again."""


class UpstreamConnection:
    """One connection to the API server."""

    transport: Transport

    def __init__(self, pool: "Pool", tls: ssl.SSLContext, first: Exchange) -> None:
        self._pool = pool
        self._first: Exchange | None = first
        self._exchange: Exchange | None = None
        self._buffer = b""
        self._body: Body | None = None
        self._reusable = False
        self._used = False
        self._touched = False
        self._paused = False
        self.made_with = tls
        self.idle_since = 0.0

    @property
    def between_chunks(self) -> bool:
        """Whether all of the answer that was passed on ends with the end of a chunk."""
        return isinstance(self._body, ChunkedBody) and self._body.between_chunks

    def send(self, exchange: Exchange, data: bytes) -> None:
        """Begin a request: ``data`` is its head, and what there is of its body."""
        self._exchange = exchange
        self._touched = False
        self.transport.write(data)

    def write(self, data: bytes) -> None:
        """Send more of the request's body."""
        self.transport.write(data)

    def discard(self) -> None:
        """Close a connection whose answer is whole: it is for nobody else."""
        self._pool.forget(self)
        self.transport.loseConnection()

    def release(self) -> None:
        """Give back a connection that was not used after all."""
        self._exchange = None
        self._pool.keep(self)

    def abort(self) -> None:
        """End the request and the connection at once."""
        self._exchange = None
        self.transport.abortConnection()

    def pause(self) -> None:
        """Don't read more of the answer now."""
        self._paused = True
        self.transport.pauseProducing()

    def resume(self) -> None:
        """Read on."""
        if self._paused:
            self._paused = False
            self.transport.resumeProducing()

    def connectionMade(self) -> None:
        """Have senders paused while the API server is slow, and begin with the first one."""
        self.transport.registerProducer(self)
        first, self._first = self._first, None
        if first is not None:
            first.upstream_ready(self)

    def dataReceived(self, data: bytes) -> None:
        """Follow the answer."""
        exchange = self._exchange
        if exchange is None:  # an answer that nobody asked for
            self.transport.abortConnection()
            return
        self._touched = True
        try:
            if self._body is None:
                self._head(exchange, data)
            else:
                out, rest = self._body.feed(data)
                if out:
                    exchange.piece(out, last=self._body.done)
                # Whom a piece was for may have ended the exchange over it.
                if self._body.done and self._exchange is exchange:
                    self._finish(exchange, rest)
        except Malformed as problem:
            self.abort()
            exchange.broken(f"its answer is not HTTP: {problem}", untouched=False)

    def finished(self) -> None:
        """The end of an answer may still have to be read."""

    def connectionLost(self, reason: Failure) -> None:
        """Tell who waits: an answer until close has ended, any other is cut."""
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            self._pool.forget(self)
        elif isinstance(self._body, EndlessBody) and reason.check(error.ConnectionDone):
            exchange.ended()
        else:
            exchange.broken(
                "it closed the connection before its answer was whole",
                untouched=self._used and not self._touched,
            )

    def pauseProducing(self) -> None:
        """The transport's buffer is full."""
        if self._exchange is not None:
            self._exchange.pause_sending()

    def resumeProducing(self) -> None:
        """The transport's buffer is empty."""
        if self._exchange is not None:
            self._exchange.resume_sending()

    def _head(self, exchange: Exchange, data: bytes) -> None:
        seen = len(self._buffer)
        data, self._buffer = self._buffer + data if seen else data, b""
        while True:
            found = read_answer(data, exchange.method, _LARGEST_HEAD, seen)
            if found is None:
                self._buffer = data
                return
            answer, end = found
            seen, data = 0, data[end:]
            if not answer.interim:
                break
            exchange.interim(answer)
            if self._exchange is not exchange:  # its client was found to be gone
                return
        if answer.status == 101:
            # From here on it is the tunnel's, if the exchange makes one.
            self._exchange = None
            exchange.answered(answer, data, whole=False)
            return
        self._reusable = answer.reusable
        if answer.length == len(data):  # the whole of it, as most are
            exchange.answered(answer, data, whole=True)
            if self._exchange is exchange:
                self._finish(exchange, b"")
            return
        body = self._body = answer.body(minor=exchange.minor)
        out, rest = body.feed(data)
        exchange.answered(answer, out, whole=body.done)
        if body.done and self._exchange is exchange:
            self._finish(exchange, rest)

    def _finish(self, exchange: Exchange, rest: bytes) -> None:
        self._exchange = None
        self._body = None
        self._used = True
        self.resume()  # who asked for a pause has gone
        whole = exchange.request_sent and self.transport.all_sent
        if self._reusable and whole and not rest:
            self._pool.keep(self)
        else:
            self.transport.abortConnection()
        exchange.ended()


class Pool:
    """The connections to one API server: the last one used is the first one used again."""

    def __init__(self, reactor: IReactorTime, access: Access, connect: Connect) -> None:
        self._reactor = reactor
        self._access = access
        self._connect = connect
        self._idle: list[UpstreamConnection] = []
        self._closed = False
        self.made = 0
        """How many connections were asked for, made or not."""

    @property
    def idle(self) -> int:
        """How many connections wait for a request."""
        return len(self._idle)

    def lend(self, exchange: Exchange, *, fresh: bool = False) -> None:
        """Give ``exchange`` a connection, now or later; ``fresh``: one that was never used."""
        while self._idle and not fresh:
            connection = self._idle.pop()
            if self._usable(connection):
                exchange.upstream_ready(connection)
                return
            connection.transport.loseConnection()
        tls = self._access.tls
        self.made += 1
        self._connect(
            self._access,
            lambda: UpstreamConnection(self, tls, exchange),
            exchange.unreachable,
        )

    def keep(self, connection: UpstreamConnection) -> None:
        """Take back a connection whose answer is whole."""
        if self._closed:
            connection.transport.loseConnection()
            return
        connection.idle_since = self._reactor.seconds()
        self._idle.append(connection)

    def forget(self, connection: UpstreamConnection) -> None:
        """The other side closed an idle one."""
        if connection in self._idle:
            self._idle.remove(connection)

    def sweep(self) -> None:
        """Close what has been idle for too long, or was made with an earlier TLS configuration."""
        kept, self._idle = self._idle, []
        for connection in kept:
            if self._usable(connection):
                self._idle.append(connection)
            else:
                connection.transport.loseConnection()

    def close(self) -> None:
        """Close the idle ones now and the others when they come back."""
        self._closed = True
        kept, self._idle = self._idle, []
        for connection in kept:
            connection.transport.loseConnection()

    def _usable(self, connection: UpstreamConnection) -> bool:
        return (
            connection.made_with is self._access.tls
            and self._reactor.seconds() - connection.idle_since < IDLE_SECONDS
        )
