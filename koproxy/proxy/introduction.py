"""Connections from trusted proxies, until their PROXY header has said from whom they come.

What is read of a socket is the header and nothing more: the next byte is TLS's.
"""

import socket
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from koproxy.proxy.limits import Clients
from koproxy.proxy.peers import TrustedProxies
from koproxy.proxy.sockets import READABLE, Sockets
from koproxy.proxy.tls import HANDSHAKE_SECONDS
from koproxy.wire.proxy_protocol import LARGEST, NoHeader, ProxyHeader

QUIET_SECONDS = 60.0

log = Logger()

Serve = Callable[[socket.socket, str, bool], None]
"""Takes over a connected socket that was admitted, with the address of who has connected.

False: it is the proxy's own address, since that one did not say for whom it speaks. Then what the
client says in ``X-Forwarded-For`` has been read by nobody that is trusted.
"""


class Introductions:
    """Has trusted proxies say from whom their connections come."""

    def __init__(
        self, reactor: IReactorTime, sockets: Sockets, clients: Clients, trusted: TrustedProxies
    ) -> None:
        self.reactor = reactor
        self.sockets = sockets
        self.clients = clients
        self._trusted = trusted
        self._complained = float("-inf")
        self._unsaid = 0

    def needs(self, peer: str) -> bool:
        """Whether a connection from this address begins with a header."""
        return peer in self._trusted

    def complain(self, peer: str, problem: str) -> None:
        """Say that a trusted proxy's connection was closed; not for each of many."""
        now = self.reactor.seconds()
        if now - self._complained < QUIET_SECONDS:
            self._unsaid += 1
            return
        others = f"; {self._unsaid} others since this was last said" if self._unsaid else ""
        self._complained, self._unsaid = now, 0
        log.warn(
            "closed a connection from {peer}, a trusted proxy: no PROXY header, {problem}{others}",
            peer=peer,
            problem=problem,
            others=others,
        )


class Introduction:
    """One connection before its header is whole.

    It counts as the proxy's own, and then as one of the address that the header gives.
    """

    __slots__ = ("_all", "_header", "_number", "_peer", "_serve", "_socket", "_timeout")

    def __init__(
        self, introductions: Introductions, connected: socket.socket, peer: str, serve: Serve
    ) -> None:
        """Take an admitted connection; ``serve`` gets it when it is known from whom it comes."""
        self._all = introductions
        self._socket = connected
        self._number = connected.fileno()
        self._peer = peer
        self._serve = serve
        self._header = ProxyHeader()
        self._timeout = introductions.reactor.callLater(
            HANDSHAKE_SECONDS, self._end, f"not within {HANDSHAKE_SECONDS:g} s"
        )
        connected.setblocking(False)
        introductions.sockets.add(self._number, self, READABLE)
        # It's mostly there already: not to wait keeps the proxy's own connections few.
        self.happened(READABLE)

    def happened(self, _events: int) -> None:
        """Read what there is of the header."""
        try:
            data = self._socket.recv(LARGEST, socket.MSG_PEEK)
            if not data:
                self._end()
                return
            self._socket.recv(self._header.feed(data))
        except BlockingIOError:
            return
        except OSError:
            self._end()
            return
        except NoHeader as problem:
            self._end(str(problem))
            return
        if self._header.done:
            self._introduced(self._header.source)

    def failed(self) -> None:
        """Something raised: if it is still here, it goes."""
        if self._timeout.active():
            self._end()

    def _introduced(self, source: str | None) -> None:
        """Hand the connection on, unless there are too many from where it comes."""
        self._watch_no_more()
        if source is None:
            self._serve(self._socket, self._peer, False)
            return
        clients = self._all.clients
        clients.leave(self._peer)
        if clients.admit(source):
            self._serve(self._socket, source, True)
        else:
            self._socket.close()

    def _end(self, problem: str = "") -> None:
        self._watch_no_more()
        self._socket.close()
        self._all.clients.leave(self._peer)
        if problem:
            self._all.complain(self._peer, problem)

    def _watch_no_more(self) -> None:
        self._all.sockets.remove(self._number)
        if self._timeout.active():
            self._timeout.cancel()
