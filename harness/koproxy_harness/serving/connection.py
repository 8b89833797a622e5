"""One connection of a client, from its first byte to its last: a Twisted protocol.

Requests are answered one after the other, in the order in which they came. What isn't strictly
HTTP is answered once, noted, and the connection closed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPullProducer, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from zope.interface import implementer

from koproxy_harness.errors import BadRequest
from koproxy_harness.serving.exchange import Exchange, Request
from koproxy_harness.serving.exchange import head as answer_head
from koproxy_harness.serving.parsing import Data, End, Head, RequestParser

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from koproxy_harness.serving.server import Server


@implementer(IPushProducer)
class Connection(Protocol):
    """A client's connection to `server`, the `number`th."""

    transport: Any  # a TLS transport: `ITCPTransport` and `ISSLTransport` at once

    def __init__(self, server: Server, number: int) -> None:
        self._server = server
        self._number = number
        self._parser = RequestParser()
        self._exchange: Exchange | None = None
        self._tunnel: Callable[[bytes], None] | None = None
        self._closing = False
        self._advancing = False
        self._holds: set[str] = set()  # why nothing is read
        self._full = False  # the client reads slower than we write
        self._draining: list[Deferred[None]] = []
        self.lost: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        # The first answer follows the TLS tickets, which nobody acknowledges at once: gathered
        # with them, it would come 40 ms late.
        self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        if self._tunnel is not None:
            self._tunnelled(data)
        elif not self._closing:
            self._parser.receive(data)
            self._advance()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closing = True
        if self._exchange is not None:
            self._exchange.over()
        draining, self._draining = self._draining, []
        for waiter in draining:
            waiter.errback(ConnectionError("the client has gone"))
        self.lost.callback(None)

    # Reading

    def _advance(self) -> None:
        if self._advancing:  # a handler that answers at once comes back to here
            return
        self._advancing = True
        try:
            while not self._closing and self._tunnel is None and self._step():
                pass
        except BadRequest as wrong:
            self._refuse(wrong)
        finally:
            self._advancing = False

    def _step(self) -> bool:
        exchange = self._exchange
        if exchange is not None and exchange.request.complete:
            if not exchange.answered:
                return False
            self._exchange = None
            exchange.over()
            if "close" in exchange.request.tokens("connection"):
                self.close()
            return True
        event = self._parser.next()
        if isinstance(event, Head):
            self._begin(event)
            return True
        return self._continue(event)

    def _begin(self, head: Head) -> None:
        request = Request(head, self._number, *self._peer())
        self._exchange = Exchange(request, self, self._server.run)
        self._server.record(request)
        # A handler finds a request without a body complete.
        more = self._continue(self._parser.next())
        if not more and "100-continue" in request.tokens("expect"):
            self.transport.write(answer_head(100, ()))
        self._server.dispatch(self._exchange)

    def _continue(self, event: Head | Data | End | None) -> bool:
        if event is None or self._exchange is None:
            return False
        request = self._exchange.request
        if isinstance(event, Data):
            request.add(event.body, event.raw)
        elif isinstance(event, End):
            request.add(b"", event.raw)
            request.trailers = event.trailers
            self._exchange.completed()
        self._server.changed()
        return True

    def _refuse(self, wrong: BadRequest) -> None:
        begun = self._exchange.request.raw if self._exchange else b""
        self._server.refuse(str(wrong), self._number, begun + self._parser.rest())
        if self._exchange is None or not self._exchange.begun:
            text = f"{wrong}\n".encode()
            fields = (("Content-Length", str(len(text))), ("Connection", "close"))
            self.write(answer_head(wrong.status, fields) + text)
        self.close()

    def _tunnelled(self, data: bytes) -> None:
        if self._exchange is not None and self._tunnel is not None:
            self._exchange.request.add_tunnelled(data)
            self._tunnel(data)
            self._server.changed()

    def _peer(self) -> tuple[str | None, tuple[str, ...], str]:
        """Give the name, the groups and the fingerprint of the client's certificate."""
        given = self.transport.getPeerCertificate()
        if given is None:
            return None, (), ""
        certificate = given.to_cryptography()
        subject = certificate.subject
        names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        groups = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return (
            str(names[-1].value) if names else "",
            tuple(str(group.value) for group in groups),
            certificate.fingerprint(SHA256()).hex(),
        )

    def hold(self, why: str) -> None:
        """Stop reading, for this reason."""
        if not self._holds:
            self.transport.pauseProducing()
        self._holds.add(why)

    def release(self, why: str) -> None:
        """Read again, if this was the last reason not to."""
        if why in self._holds:
            self._holds.remove(why)
            if not self._holds:
                self.transport.resumeProducing()

    # Writing

    def write(self, data: bytes) -> None:
        """Send these bytes; nothing once the connection is closing."""
        if not self._closing:
            self.transport.write(data)

    def answered(self, exchange: Exchange) -> None:
        """The answer is whole: the next request may be read."""
        exchange.answered = True
        if exchange is self._exchange:
            self._advance()

    def switch(self, head: bytes, received: Callable[[bytes], None]) -> None:
        """Send `head`; from now on this connection is a tunnel to `received`."""
        self.write(head)
        self._tunnel = received
        rest = self._parser.rest()
        if rest:
            self._tunnelled(rest)

    def drained(self) -> Deferred[None]:
        """Wait until the transport takes more."""
        if self._closing:
            raise ConnectionError("the client has gone")
        if not self._full:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        self._draining.append(waiting)
        return waiting

    def close(self) -> None:
        """Close once everything is sent."""
        if not self._closing:
            self._closing = True
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def hang_up(self, reset: bool) -> None:
        """Close once everything is sent, with a reset if that is asked for."""
        if not reset:
            self.close()
        elif not self._closing:
            self._closing = True
            self.transport.unregisterProducer()
            # Of the TCP transport: TLS would say good-bye first, and a reset should look like one.
            # TLS gathers small writes until the reactor's next turn, and so this waits for it.
            tcp = self.transport.transport
            tcp.reactor.callLater(0, _ResetAfterAll, tcp)

    def abort(self) -> None:
        """Reset the connection, closing or not."""
        self._closing = True
        # Of the TCP transport: TLS would say good-bye first, and a reset should look like one.
        self.transport.transport.abortConnection()

    # As the producer of what the transport writes

    def pauseProducing(self) -> None:
        self._full = True
        if self._tunnel is not None:
            self.hold("the tunnel is full")

    def resumeProducing(self) -> None:
        self._full = False
        self.release("the tunnel is full")
        draining, self._draining = self._draining, []
        for waiter in draining:
            waiter.callback(None)

    def stopProducing(self) -> None:
        """The transport is gone; `connectionLost` follows."""


@implementer(IPullProducer)
class _ResetAfterAll:
    """Resets a TCP connection when all that was written has left: it has nothing more to give."""

    def __init__(self, tcp: Any) -> None:
        self._tcp = tcp
        self._asked = False
        tcp.unregisterProducer()
        tcp.registerProducer(self, False)
        tcp.startWriting()

    def resumeProducing(self) -> None:
        # Asked at once, and again by the transport when it has nothing left.
        if self._asked and self._tcp.connected:
            self._tcp.unregisterProducer()
            self._tcp.abortConnection()
        self._asked = True

    def stopProducing(self) -> None:
        """The connection is gone already."""
