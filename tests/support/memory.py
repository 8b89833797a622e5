"""The way of a request in memory: real protocols, with bytes for sockets and a clock by hand."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from koproxy.identity.anonymous import Anonymous
from koproxy.identity.decision import Forbidden, Outcome, Unauthenticated, Unavailable, Verified
from koproxy.identity.user import Identity
from koproxy.proxy.account import Observers
from koproxy.proxy.connect import Access
from koproxy.proxy.frontend import Frontend
from koproxy.proxy.limits import Clients, Limits
from koproxy.proxy.tls import Failed
from koproxy.proxy.transport import SecureProtocol
from koproxy.proxy.turns import Turns
from koproxy.proxy.upstream import Pool
from koproxy.proxy.way import Carrier, ReviewsImpersonation, Way
from support.accounts import Accounts

JANE = Verified(b"Impersonate-User: jane\r\n", Identity("jane"), float("inf"))


class MemoryTLS:
    """Stands where :class:`koproxy.proxy.tls.TLS` does; the far end is the test.

    ``waits``: the far end takes nothing, so what was written waits and its writer was paused;
    ``written_meanwhile`` is what has been written since all the same.
    """

    def __init__(self, peer_host: str = "192.0.2.7", *, peer_forwards: bool = True) -> None:
        self.peer_host = peer_host
        self.peer_forwards = peer_forwards
        self.taking = True
        self.waits = False
        self.written_meanwhile: list[bytes] = []
        self.sent = b""
        self.all_sent = True
        self.ending = ""
        self.paused = False
        self.producer: Any = None
        self.inner: Any = None
        self.gone = False
        self.peer_certificates: tuple[bytes, ...] = ()

    def hand_over(self, inner: SecureProtocol) -> None:
        self.inner = inner
        inner.transport = self
        inner.connectionMade()

    def write(self, data: bytes) -> None:
        if not self.ending and data:
            self.sent += data
            if self.waits:
                self.written_meanwhile.append(data)
            if not self.taking and not self.waits:
                self.waits, self.all_sent = True, False
                self.producer.pauseProducing()

    def loseConnection(self) -> None:
        self._end("closed")

    def loseWriteConnection(self) -> None:
        self._end("half-closed")

    def abortConnection(self) -> None:
        self._end("cut")

    def _end(self, how: str) -> None:
        if not self.ending or how == "cut":
            self.ending = self.ending or how
            # What waits goes out before an end in good order.
            if how == "cut" or (how == "closed" and not self.waits):
                self.lose()

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False

    def registerProducer(self, producer: Any) -> None:
        self.producer = producer
        if self.waits:
            producer.pauseProducing()

    # The far end.

    def take(self, *, more: bool) -> None:
        """Take what is written from now on, with what waits, or take nothing."""
        self.taking = more
        if more and self.waits and not self.gone:
            self.waits, self.all_sent = False, True
            self.written_meanwhile.clear()
            if not self.ending:
                self.producer.resumeProducing()
            elif self.ending == "closed":
                self.lose()

    def receive(self, data: bytes) -> None:
        if not self.gone and not self.ending:
            self.inner.dataReceived(data)

    def lose(self, *, clean: bool = False) -> None:
        if not self.gone:
            self.gone = True
            self.ending = self.ending or ("closed" if clean else "lost")
            self.inner.connectionLost(Failure(ConnectionDone() if clean else ConnectionLost()))


@dataclass
class MemoryAccess:
    host: str = "kube.example"
    port: int = 6443
    server_name: str = "kube.example"
    path_prefix: bytes = b""
    authorization: bytes = b"Bearer own"
    tls: ssl.SSLContext = field(default_factory=lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    problem: str | None = None


class Authentication:
    """Knows a few tokens; ``late`` ones are decided when the test says so."""

    def __init__(self) -> None:
        self.outcomes: dict[bytes, Outcome] = {
            b"Bearer jane": JANE,
            b"Bearer odd": Forbidden("the user can't be carried"),
            b"Bearer early": Unavailable("no keys yet"),
        }
        self.late: list[Deferred[Outcome]] = []

    def known(self, _authorization: bytes) -> Verified | None:
        return None

    def anonymous(self, target: bytes) -> Verified | None:
        return Anonymous(enabled=True, paths=["/livez"]).decide(target)

    def decide(self, authorization: bytes) -> Outcome | Deferred[Outcome]:
        if authorization == b"Bearer late":
            waiting: Deferred[Outcome] = Deferred()
            self.late.append(waiting)
            return waiting
        return self.outcomes.get(authorization, Unauthenticated("the token is not known"))


class OwnCalls:
    """Says what the test wants it to say about the proxy's credential, when the test wants it."""

    def __init__(self) -> None:
        self.asked: list[Deferred[str | None]] = []

    def doubt(self) -> Deferred[str | None]:
        asked: Deferred[str | None] = Deferred()
        self.asked.append(asked)
        return asked


class Stack:
    """One client or more, and every connection that the proxy makes for them.

    A new connection is there at once, unless they are told to come late: then
    ``connecting`` has those to come, each to be called with None or with why it can't be made.
    """

    def __init__(
        self,
        limits: Limits = Limits(),  # noqa: B008 (immutable)
        authentication: Authentication | None = None,
        observers: Observers = Observers(),  # noqa: B008 (immutable)
        impersonation: ReviewsImpersonation | None = None,
        client_ip_line: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self.accounts = Accounts()
        self.connects_late = False
        self.connecting: list[Callable[[str | None], None]] = []
        self.clock = Clock()
        self.clients = Clients(self.clock, limits)
        self.access = MemoryAccess()
        self.bare_access = MemoryAccess(authorization=b"")
        self.authentication = authentication or Authentication()
        self.own_calls = OwnCalls()
        self.upstreams: list[MemoryTLS] = []
        self.bare_upstreams: list[MemoryTLS] = []
        self.unreachable: str | None = None
        self.pool = Pool(self.clock, self.access, self._connect)
        self.bare_pool = Pool(self.clock, self.bare_access, self._connect)
        self.way = Way(
            self.clock,
            self.authentication,
            Carrier(self.access, self.pool),
            Carrier(self.bare_access, self.bare_pool),
            self.own_calls,
            self.clients,
            Turns(self.clock, in_a_turn=1_000_000),
            b"kube.example:6443",
            Observers(
                (self.accounts.decided, *observers.decided),
                (self.accounts.answering, *observers.answering),
                (self.accounts.complete, *observers.complete),
            ),
            lambda: self.clock.seconds() + 1,  # 0 is for what has not happened
            impersonation=impersonation,
            client_ip_line=client_ip_line,
        )
        self.client = self.new_client()

    def new_client(self, peer_host: str = "192.0.2.7", *, peer_forwards: bool = True) -> MemoryTLS:
        client = MemoryTLS(peer_host, peer_forwards=peer_forwards)
        client.hand_over(Frontend(self.way))
        return client

    def _connect(self, access: Access, make: Callable[[], SecureProtocol], failed: Failed) -> None:
        def connected(problem: str | None) -> None:
            if problem is not None:
                failed(problem, timeout=False)
                return
            upstream = MemoryTLS()
            self.upstreams.append(upstream)
            self.bare_upstreams += [upstream] if access is self.bare_access else []
            upstream.hand_over(make())

        if self.connects_late:
            self.connecting.append(connected)
        else:
            connected(self.unreachable)

    @property
    def upstream(self) -> MemoryTLS:
        """The newest connection to the API server."""
        return self.upstreams[-1]


def request(
    lines: bytes = b"", first: bytes = b"GET /api HTTP/1.1", token: bytes = b"jane"
) -> bytes:
    """A client's request head."""
    return b"%b\r\nHost: k\r\nAuthorization: Bearer %b\r\n%b\r\n" % (first, token, lines)


def upstream_request(lines: bytes = b"", first: bytes = b"GET /api HTTP/1.1") -> bytes:
    """What the API server gets for it, if jane sent it."""
    return (
        b"%b\r\nHost: kube.example:6443\r\n%bImpersonate-User: jane\r\n"
        b"Authorization: Bearer own\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n" % (first, lines)
    )


def answer(body: bytes = b"hi", status: bytes = b"200 OK", lines: bytes = b"") -> bytes:
    """An API server's answer."""
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, lines, len(body), body)
