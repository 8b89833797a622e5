"""New connections of clients: accepted many at a time, and given their TLS.

It may not read from a connection: what comes on it is ``tls``'s and then ``frontend``'s, or before
them ``introduction``'s.
"""

import errno
import socket
import ssl
from collections.abc import Callable
from functools import partial

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from koproxy.proxy.introduction import Introduction, Introductions
from koproxy.proxy.limits import Clients
from koproxy.proxy.sockets import READABLE, Sockets
from koproxy.proxy.tls import TLS
from koproxy.proxy.transport import SecureProtocol

PAUSE_SECONDS = 1.0
_AT_ONCE = 64  # connections accepted before those that are there have their turn

# accept(2): what a connection died of before it was accepted, and what the next one may not have.
_OF_ONE = frozenset({errno.ECONNABORTED, errno.EPROTO, errno.EPERM})

log = Logger()


class Listener:
    """Accepts connections on a listening socket until it is closed."""

    def __init__(
        self,
        reactor: IReactorTime,
        sockets: Sockets,
        listening: socket.socket,
        choose: Callable[[socket.socket], ssl.SSLContext],
        clients: Clients,
        make_inner: Callable[[], SecureProtocol],
        introductions: Introductions | None = None,
    ) -> None:
        """Take the socket, and what gives the TLS and the protocol for each connection."""
        self._reactor = reactor
        self._sockets = sockets
        self._socket = listening
        self._choose = choose
        self._clients = clients
        self._make_inner = make_inner
        self._introductions = introductions
        self._closed = False
        listening.setblocking(False)
        sockets.add(listening.fileno(), self, READABLE)

    def close(self) -> None:
        """Accept no more, and close the listening socket."""
        self._closed = True
        self._sockets.remove(self._socket.fileno())
        self._socket.close()

    def happened(self, _events: int) -> None:
        """Accept those that wait."""
        for _ in range(_AT_ONCE):
            try:
                connected, address = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as problem:
                if problem.errno in _OF_ONE:
                    continue
                self._pause(problem)
                return
            # An IPv4 peer has its own notation on an IPv6 socket too.
            host = str(address[0]).removeprefix("::ffff:")
            if not self._clients.admit(host):
                connected.close()
                continue
            if self._introductions is not None and self._introductions.needs(host):
                Introduction(self._introductions, connected, host, self._serve)
            else:
                self._serve(connected, host, forwards=True)

    def failed(self) -> None:
        """One connection could not be served; the others can."""

    def _serve(self, connected: socket.socket, host: str, forwards: bool) -> None:
        """Have an admitted connection make its TLS."""
        TLS(
            self._reactor,
            self._sockets,
            connected,
            self._choose(connected),
            self._make_inner,
            peer_host=host,
            peer_forwards=forwards,
            on_end=partial(self._clients.leave, host),
        )

    def _pause(self, problem: OSError) -> None:
        """Let some end first: there are no descriptors left, or no memory."""
        log.error(
            "no new connections for {seconds} s: {problem}",
            seconds=PAUSE_SECONDS,
            problem=problem.strerror,
        )
        self._sockets.change(self._socket.fileno(), 0)
        self._reactor.callLater(PAUSE_SECONDS, self._go_on)

    def _go_on(self) -> None:
        if not self._closed:
            self._sockets.change(self._socket.fileno(), READABLE)
