"""What the issuer and the API server have in common: TLS on a loopback port, and its life.

On a reactor that is given, everything happens there and `start` and `stop` are awaited. Without
one, the server runs on the harness's background reactor and every method blocks until it has
happened. A subclass says how requests are answered, and nothing about sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from OpenSSL import SSL
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorTCP, IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.protocols.tls import TLSMemoryBIOFactory

from koproxy_harness.errors import HarnessError
from koproxy_harness.serving.authority import Authority, Certificate, Tls
from koproxy_harness.serving.bodiless import BODILESS
from koproxy_harness.serving.clock import Clock
from koproxy_harness.serving.conditions import Conditions
from koproxy_harness.serving.connection import Connection
from koproxy_harness.serving.faults import Fault, Faults
from koproxy_harness.serving.home import Home
from koproxy_harness.serving.place import LOOPBACK, Place

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress, IListeningPort
    from twisted.python.failure import Failure

    from koproxy_harness.serving.exchange import Exchange, Request

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refused:
    """What a client sent that isn't strictly HTTP/1.1: why, on which connection, the bytes."""

    reason: str
    connection: int
    raw: bytes


class Server(ServerFactory):
    """An HTTPS server on a loopback port, with a certificate authority of its own.

    `reactor`: the one to run on; None runs on the background reactor, for tests that block.
    `client_certificates`: `"refused"` (not asked for), `"asked"` or `"required"`.
    `place`: where it listens and what it is called, by default on a free port of 127.0.0.1.
    """

    noisy = False

    def __init__(
        self,
        reactor: object = None,
        client_certificates: str = "refused",
        place: Place = LOOPBACK,
    ) -> None:
        self._home = Home(reactor)
        self._listening: IListeningPort | None = None
        self._place = place
        self._port = place.port
        self._connections: set[Connection] = set()
        self._accepted = 0
        self._requests: list[Request] = []
        self._refused: list[Refused] = []
        self._broken: list[Failure] = []
        self._faults = Faults()
        self._conditions = Conditions()
        self._authority = Authority()
        self._client_certificates = client_certificates
        self._closed = False
        self._tls = Tls(self._context("good"))
        self.clock = Clock()

    # Life

    def start(self) -> Deferred[None]:
        """Listen; after a `stop`, on the same port as before. Blocks without a `reactor`."""
        self.check_open()
        if self._listening is not None:
            raise HarnessError(f"{self!r} runs already")
        return self._home.wait(self._listen)

    def stop(self) -> Deferred[None]:
        """Close the port and every connection; nothing is left of them when it is done."""
        return self._home.wait(self._hang_up)

    def __enter__(self) -> Self:
        if not self._home.blocks:
            raise HarnessError(f"with a reactor, use `async with` for {type(self).__name__}")
        self.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.stop()
        self.close()
        self._raise_broken(kind)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        await self.stop()
        self.close()
        self._raise_broken(kind)

    def close(self) -> None:
        """Give back what outlives a `stop`: the files. What happened can be looked at still."""
        self._closed = True
        self._authority.close()

    def check_open(self) -> None:
        """Raise `HarnessError` after `close`, for what would have no effect any more."""
        if self._closed:
            raise HarnessError(
                f"this {type(self).__name__} is closed for good, as at the end of a `with` block: "
                "do it before that, or make a new one"
            )

    # Where it is

    @property
    def port(self) -> int:
        """The TCP port; raises `HarnessError` before the first start."""
        if not self._port:
            raise HarnessError(f"{type(self).__name__} has no port before it is started")
        return self._port

    @property
    def url(self) -> str:
        """`https://127.0.0.1:PORT`, without a slash at the end."""
        return f"https://{self._place.host_in_url}:{self.port}"

    @property
    def ca_pem(self) -> str:
        """The certificate of the authority to trust, as PEM."""
        return self._authority.pem

    @property
    def ca_file(self) -> Path:
        """A file with `ca_pem`; it goes away with the server."""
        self.check_open()
        return self._authority.file("ca.pem", self.ca_pem)

    def client_certificate(self, name: str = "client", groups: Iterable[str] = ()) -> Certificate:
        """Make a client certificate that the server trusts.

        The common name is `name`, each of the `groups` an organisation.
        """
        self.check_open()
        return self._authority.client_certificate(name, groups)

    def server_certificate(self, *names: str) -> Certificate:
        """Make a certificate for another server (host names, addresses), which `ca_pem` signs."""
        self.check_open()
        return self._authority.server_certificate(*names)

    # What happened

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in the order in which their heads came."""
        return list(self._requests)

    @property
    def refused(self) -> list[Refused]:
        """What came and was not strictly HTTP/1.1."""
        return list(self._refused)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def until(self, condition: Callable[[], object], timeout: float = 10.0) -> Deferred[None]:
        """Wait until `condition()` is true; it is asked each time that something happens here.

        What happens: a request, a piece of a body, a connection opened or closed. `timeout` is
        in seconds; raises `TimeoutError` after it (in the Deferred, with a reactor).
        """
        return self._home.wait(
            lambda: self._conditions.until(condition, timeout, self._home.reactor), timeout + 5
        )

    # What goes wrong

    def heal(self) -> None:
        """End every fault, and serve the good certificate again."""
        self.check_open()

        def heal() -> None:
            self._faults.clear()
            self._tls.context = self._context("good")

        self.run(heal)

    def serve_certificate(self, kind: str) -> None:
        """Show a certificate of this kind to every client that connects from now on.

        `"good"`, `"expired"`, `"not-yet-valid"`, `"wrong-host"` (for somebody else) or
        `"untrusted"` (of another authority). Raises `HarnessError` for another kind.
        """
        self.check_open()
        context = self._context(kind)
        self.run(lambda: setattr(self._tls, "context", context))

    def disconnect(self) -> None:
        """Reset every open connection: requests, watches and tunnels break off."""

        def disconnect() -> None:
            for connection in list(self._connections):
                connection.abort()

        self.run(disconnect)

    # For subclasses

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request; the body may still be coming."""
        raise NotImplementedError

    def failing(self, paths: tuple[str, ...], **how: Any) -> None:
        """Add a fault for these paths; `how` is what `Fault` takes. Raises `HarnessError`."""
        self.check_open()
        fault = Fault(paths, begun=self._home.seconds(), **how)
        self.run(lambda: self._faults.add(fault))

    def verb_of(self, request: Request) -> str:
        """Give the verb that a fault may ask for, where requests have one beside the method."""
        return ""

    def fault_body(self, status: int) -> tuple[bytes, str]:
        """Give the body of a fault that a test gave none for, and its media type."""
        return f"the harness was told to answer {status}\n".encode(), "text/plain; charset=utf-8"

    def run(self, function: Callable[[], T]) -> T:
        """Run `function` where this server lives, at once."""
        return self._home.run(function)

    # For connections

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        self._accepted += 1
        connection = Connection(self, self._accepted)
        self._connections.add(connection)

        def lost(_: None) -> None:
            self._connections.discard(connection)
            self.changed()

        connection.lost.addCallback(lost)
        self.changed()
        return connection

    def record(self, request: Request) -> None:
        self._requests.append(request)

    def refuse(self, reason: str, connection: int, raw: bytes) -> None:
        self._refused.append(Refused(reason, connection, raw))
        self.changed()

    def dispatch(self, exchange: Exchange) -> None:
        answering = Deferred.fromCoroutine(self._dispatch(exchange))
        answering.addErrback(self._broken.append).addBoth(lambda _: self.changed())
        # Only now: what a test waits for may be its own handler's doing.
        self.changed()

    def changed(self) -> None:
        """Something happened here."""
        self._conditions.check()

    # Inside

    async def _dispatch(self, exchange: Exchange) -> None:
        request = exchange.request
        verb, now = self.verb_of(request), self._home.seconds()
        fault = self._faults.take(request.method, request.path, now, verb)
        try:
            if fault is None:
                await self.answer(exchange)
                return
            if fault.delay:
                await self._home.sleep(fault.delay)
            await self._fail(exchange, fault)
        except ConnectionError:
            return  # the client went away, as clients do
        except Exception:
            exchange.abort()
            raise

    async def _fail(self, exchange: Exchange, fault: Fault) -> None:
        if fault.instead is not None:
            exchange.write(fault.instead)
            exchange.close()
        elif fault.after is None and fault.reset:
            exchange.abort()
        else:
            if fault.after is not None:
                exchange.cut(fault.after, fault.reset)
            if fault.status in BODILESS:
                exchange.respond(fault.status, headers=fault.fields)
            elif fault.answers:
                body, kind = self.fault_body(fault.status)
                if fault.content is not None:
                    body, kind = fault.content, "application/json"
                exchange.respond(fault.status, body, fault.with_type(kind))
            else:
                exchange.replace(fault.fields)
                await self.answer(exchange)

    def _raise_broken(self, other: object) -> None:
        """Raise what a handler raised, unless the test fails for another reason anyway."""
        if self._broken and other is None:
            self._broken[0].raiseException()

    def _context(self, kind: str) -> SSL.Context:
        return self._authority.context(self._place.names, self._client_certificates, kind)

    def _listen(self) -> Deferred[None]:
        reactor = self._home.reactor
        factory = cast(
            ServerFactory,
            TLSMemoryBIOFactory(self._tls, False, self, cast(IReactorTime, reactor)),
        )
        factory.noisy = False
        try:
            self._listening = cast(IReactorTCP, reactor).listenTCP(
                self._port, factory, interface=self._place.address
            )
        except CannotListenError as error:
            raise HarnessError(
                f"{type(self).__name__} can't listen on {self._place.address}, "
                f"port {self._port}: {error.socketError}"
            ) from None
        self._port = cast(IPv4Address, self._listening.getHost()).port
        return succeed(None)

    def _hang_up(self) -> Deferred[None]:
        if self._listening is None:
            return succeed(None)
        listening, self._listening = self._listening, None
        closed: list[Deferred[None]] = [listening.stopListening() or succeed(None)]
        for connection in list(self._connections):
            gone: Deferred[None] = Deferred()
            connection.lost.chainDeferred(gone)
            closed.append(gone)
            connection.abort()
        return gatherResults(closed).addCallback(lambda _: None)
