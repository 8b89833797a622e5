"""TLS on a socket, either side, by the standard library's ``ssl``.

It stands between a socket and a protocol that speaks HTTP, and gives that protocol a transport's
methods. What is written goes to the socket at once; only what that doesn't take is kept, and who
writes is told to wait. It may not look at what passes.

Records are taken from the socket many at a time (Go's servers write small ones) and the memory
between socket and OpenSSL is kept small, since OpenSSL never gives it back.
"""

import contextlib
import fcntl
import socket
import ssl
import struct
import sys
import termios
import typing
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from koproxy.proxy.sockets import ENDED, FINISHED, READABLE, WRITABLE, Sockets
from koproxy.proxy.transport import Producer, SecureProtocol

HANDSHAKE_SECONDS = 10.0
LINGER_SECONDS = 2.0
STALL_SECONDS = 30.0

_RECORD = 16384  # the largest plaintext of one TLS record (RFC 8446, section 5.1)
_AT_ONCE = 65536  # bytes read from a socket at once
_MOST_PIECES = 64  # given to the kernel in one call
_KEEPALIVE = (
    (socket.TCP_KEEPIDLE, 30),
    (socket.TCP_KEEPINTVL, 15),
    (socket.TCP_KEEPCNT, 4),
)
_RESET = struct.pack("ii", 1, 0)  # struct linger: closing sends a reset, and forgets what waits

_ENDED = Failure(ConnectionDone())
_LOST = Failure(ConnectionLost())


class Failed(typing.Protocol):
    """Gets to know, in a sentence, why there will be no connection."""

    def __call__(self, problem: str, *, timeout: bool) -> None: ...


class TLS:
    """One TLS connection, either side.

    ``make_inner`` is called when the handshake is done, so that a peer who never ends one costs
    nothing behind it. ``on_failure`` gets a sentence if it ends before that, and ``on_end`` is
    called at the end of the connection, whenever that is. The socket is connected, and closed by
    this object alone.
    """

    __slots__ = (
        "_clean",
        "_deaf",
        "_events",
        "_finished",
        "_finishing",
        "_gone",
        "_incoming",
        "_inner",
        "_make_inner",
        "_mute",
        "_number",
        "_on_end",
        "_on_failure",
        "_outgoing",
        "_paused",
        "_producer",
        "_queue",
        "_reactor",
        "_settled",
        "_socket",
        "_sockets",
        "_ssl",
        "_timeout",
        "peer_forwards",
        "peer_host",
    )

    def __init__(
        self,
        reactor: IReactorTime,
        sockets: Sockets,
        connected: socket.socket,
        context: ssl.SSLContext,
        make_inner: Callable[[], SecureProtocol],
        *,
        server_name: str | None = None,
        on_failure: Failed | None = None,
        on_end: Callable[[], None] | None = None,
        peer_host: str = "",
        peer_forwards: bool = True,
    ) -> None:
        self.peer_host = peer_host
        self.peer_forwards = peer_forwards
        self._reactor = reactor
        self._sockets = sockets
        self._socket = connected
        self._number = connected.fileno()
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ssl = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=server_name is None,
            server_hostname=server_name,
        )
        self._make_inner: Callable[[], SecureProtocol] | None = make_inner
        self._on_failure = on_failure
        self._on_end = on_end
        self._inner: SecureProtocol | None = None
        self._producer: Producer | None = None
        self._queue: deque[bytes | memoryview] | None = None
        self._clean = False  # the peer's closing alert has come
        self._mute = False  # nothing more is sent for the protocol above
        self._deaf = False  # nothing more is read for it
        self._finished = False  # so has the end of its bytes, while they were not read
        self._finishing = False  # what is queued goes out, then the connection ends
        self._paused = False
        self._settled = False
        self._gone = False
        self._events = READABLE
        self._timeout: IDelayedCall | None = reactor.callLater(HANDSHAKE_SECONDS, self._too_slow)
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A peer that vanished without a word (a laptop closed, a node gone) is noticed all the
        # same, though a watch may be silent for hours.
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE:
            connected.setsockopt(socket.IPPROTO_TCP, option, value)
        sockets.add(self._number, self, READABLE)
        if server_name is not None:
            self._shake_hands(b"")

    # What the protocol above calls.

    def hand_over(self, inner: SecureProtocol) -> None:
        """Have ``inner`` speak from now on."""
        self._inner = inner
        inner.transport = self
        inner.connectionMade()

    def write(self, data: bytes) -> None:
        """Send ``data``, as many records as it takes."""
        if self._mute or not data:
            return
        try:
            if len(data) <= _RECORD:
                self._ssl.write(data)
                records = self._outgoing.read()
            else:
                records = b"".join(self._records(data))
        except ssl.SSLError:
            self.abortConnection()
            return
        self._send(records)

    def loseConnection(self) -> None:
        """Close in good order: what was written goes out, then the closing alert and the end."""
        self._say_goodbye()
        self._finishing = True
        if not self._queue:
            self._end()
        elif not self._gone:
            self._wait_for_peer()

    def loseWriteConnection(self) -> None:
        """Say that this was all, and let the peer go first: so an answer isn't lost to a reset.

        Whatever still comes is thrown away. Who doesn't go within ``LINGER_SECONDS`` of having got
        everything is left, and who takes nothing for ``STALL_SECONDS`` is cut.
        """
        if self._deaf:
            return
        self._say_goodbye()
        self._set_paused(paused=False)
        if not self._queue:
            self._half_close()
        if not self._gone:
            self._wait_for_peer()

    def abortConnection(self) -> None:
        """End at once, without the closing alert: the peer sees a cut, not an end."""
        self._mute = True
        self._end(cut=True)

    def pauseProducing(self) -> None:
        """Stop reading; a reset is noticed all the same, and an end told to ``finished``."""
        if not self._deaf:
            self._set_paused(paused=True)

    def resumeProducing(self) -> None:
        """Read again."""
        self._set_paused(paused=False)

    def registerProducer(self, producer: Producer) -> None:
        """Have ``producer`` paused while the peer doesn't take what was written."""
        self._producer = producer
        if self._queue:
            producer.pauseProducing()

    @property
    def peer_certificates(self) -> tuple[bytes, ...]:
        """The peer's certificate and those that it sent after it, in DER.

        Empty if it has shown none; a client is only asked where the context says so.
        """
        return _chain(self._ssl)

    @property
    def all_sent(self) -> bool:
        """Whether the kernel has all that was written."""
        return not self._queue

    @property
    def left(self) -> int:
        """How many bytes the peer has not got yet: here, and in the kernel's buffer."""
        waiting = sum(map(len, self._queue or ()))
        try:
            unsent = fcntl.ioctl(self._socket, termios.TIOCOUTQ, b"\0" * 4)
        except OSError:
            return waiting
        return waiting + int.from_bytes(unsent, sys.byteorder)

    # What happens to the socket.

    def happened(self, events: int) -> None:
        """Write what waits, then read."""
        if events & WRITABLE and self._queue:
            self._send_queue(self._queue)
        if self._paused or self._gone:
            if events & ENDED:
                self._end()
            elif events & FINISHED and not self._finished and self._inner is not None:
                self._finished = True
                self._watch()
                self._inner.finished()
            return
        try:
            data = self._socket.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end()
        elif self._inner is None:
            self._shake_hands(data)
        elif not self._deaf:
            self._decrypt(data)

    def failed(self) -> None:
        """Something above raised, and nobody knows what is left behind."""
        self.abortConnection()

    def _decrypt(self, data: bytes) -> None:
        """Take in what came, and hand its content on in one piece."""
        try:
            content = self._records_of(data) if len(data) <= _RECORD else self._many_of(data)
        except ssl.SSLError:
            self.abortConnection()
            return
        if not self._settled:
            self._settle()
        if self._outgoing.pending:  # the answer to a key update
            self._send(self._outgoing.read())
        if content and self._inner is not None:
            self._inner.dataReceived(content)
        if self._clean:
            self.loseConnection()

    def _records_of(self, data: bytes | memoryview) -> bytes:
        """The content of the records that are whole with ``data``."""
        incoming, connection = self._incoming, self._ssl
        incoming.write(data)
        pieces: list[bytes] = []
        try:
            while incoming.pending:  # asking on when nothing is left would cost an exception
                piece = connection.read(_RECORD)
                if not piece:  # the closing alert
                    self._clean = True
                    break
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _many_of(self, data: bytes) -> bytes:
        return b"".join([self._records_of(part) for part in _parts(data)])

    def _settle(self) -> None:
        """Give back what the handshake's last messages took.

        Reading a session ticket has OpenSSL make a buffer for writing, 16 KB that it only gives
        back after the next write; a watch may never have one. Writing nothing sends nothing.
        """
        self._settled = True
        with contextlib.suppress(ssl.SSLError):
            self._ssl.write(b"")

    def _records(self, data: bytes) -> Iterator[bytes]:
        for part in _parts(data):
            self._ssl.write(part)
            yield self._outgoing.read()

    def _send(self, data: bytes) -> None:
        """Give the socket what it takes, and keep the rest."""
        if self._queue:
            self._queue.append(data)
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            # An answer may have come before the end: whoever reads it meets the end after it.
            self._mute = True
            return
        if sent < len(data):
            self._queue = deque([memoryview(data)[sent:]])
            self._watch()
            if self._producer is not None:
                self._producer.pauseProducing()

    def _send_queue(self, queue: deque[bytes | memoryview]) -> None:
        try:
            sent = self._socket.sendmsg(list(islice(queue, _MOST_PIECES)))
        except BlockingIOError:
            return
        except OSError:
            self._mute = True
            queue.clear()
            self._watch()
            return
        while sent:
            first = queue.popleft()
            if len(first) > sent:
                queue.appendleft(memoryview(first)[sent:])
            sent -= min(sent, len(first))
        if not queue:
            self._drained()

    def _drained(self) -> None:
        self._queue = None
        self._watch()
        if self._finishing:
            self._end()
        elif self._deaf:
            self._half_close()
        elif self._producer is not None:
            self._producer.resumeProducing()

    def _set_paused(self, *, paused: bool) -> None:
        self._paused = paused
        self._watch()

    def _watch(self) -> None:
        events = WRITABLE if self._queue else 0
        if not self._paused:
            events |= READABLE
        elif not self._finished:
            events |= FINISHED
        if events != self._events and not self._gone:
            self._events = events
            self._sockets.change(self._number, events)

    def _shake_hands(self, data: bytes) -> None:
        self._incoming.write(data)
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            self._send(self._outgoing.read())
            return
        except ssl.SSLCertVerificationError as problem:
            self._refuse(f"its certificate was not accepted: {problem.verify_message}")
            return
        except ssl.SSLError as problem:
            self._refuse(f"the TLS handshake failed: {problem.reason}")
            return
        self._send(self._outgoing.read())
        self._stop_clock()
        make_inner, self._make_inner, self._on_failure = self._make_inner, None, None
        if make_inner is not None:
            self.hand_over(make_inner())
        if self._incoming.pending and not self._deaf:
            self._decrypt(b"")

    def _refuse(self, problem: str) -> None:
        """Send the alert that says why, and end."""
        self._send(self._outgoing.read())
        self._end(problem=problem)

    def _too_slow(self) -> None:
        self._end(cut=True, problem="the TLS handshake took too long", timeout=True)

    def _say_goodbye(self) -> None:
        if self._mute:
            self._deaf = True
            return
        self._mute = self._deaf = True
        with contextlib.suppress(ssl.SSLError):  # it wants the peer's alert, which may come or not
            self._ssl.unwrap()
        if self._outgoing.pending:
            self._send(self._outgoing.read())

    def _half_close(self) -> None:
        with contextlib.suppress(OSError):  # the peer has gone already
            self._socket.shutdown(socket.SHUT_WR)

    def _wait_for_peer(self, left: int = -1, stalled: float = 0.0) -> None:
        """See to it that a peer takes what is left for it: by and by, or not at all."""
        self._stop_clock()
        before, left = left, self.left
        stalled = stalled + LINGER_SECONDS if left == before else 0.0
        if stalled >= STALL_SECONDS:
            self.abortConnection()
        elif not left and before == 0:
            self._end()
        else:
            self._timeout = self._reactor.callLater(
                LINGER_SECONDS, self._wait_for_peer, left, stalled
            )

    def _stop_clock(self) -> None:
        timeout, self._timeout = self._timeout, None
        if timeout is not None and timeout.active():
            timeout.cancel()

    def _end(
        self,
        *,
        cut: bool = False,
        problem: str = "the connection was closed in the TLS handshake",
        timeout: bool = False,
    ) -> None:
        """Close the socket, and tell whoever is above; ``problem`` is for a handshake's end."""
        if self._gone:
            return
        self._gone = self._mute = self._deaf = True
        self._queue = None
        self._stop_clock()
        self._sockets.remove(self._number)
        if cut:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._socket.close()
        inner, failed, on_end = self._inner, self._on_failure, self._on_end
        self._inner = self._on_failure = self._on_end = self._producer = None
        if inner is not None:
            # The closing alert says that this was the end; without it, whoever closed the TCP
            # connection cut it (RFC 8446, section 6.1).
            inner.connectionLost(_ENDED if self._clean else _LOST)
        elif failed is not None:
            failed(problem, timeout=timeout)
        if on_end is not None:
            on_end()


def _chain(connection: ssl.SSLObject) -> tuple[bytes, ...]:
    if connection.getpeercert(binary_form=True) is None:
        return ()
    if sys.version_info >= (3, 13):
        return tuple(connection.get_unverified_chain())
    inner: typing.Any = connection._sslobj  # type: ignore[attr-defined] # no public way before
    found = [each.public_bytes() for each in inner.get_unverified_chain()]
    return tuple([ssl.PEM_cert_to_DER_cert(each) for each in found])


def _parts(data: bytes) -> Iterator[memoryview]:
    view = memoryview(data)
    for start in range(0, len(data), _RECORD):
        yield view[start : start + _RECORD]
