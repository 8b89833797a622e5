"""What the issuer and the API server have in common: TLS on a loopback port, and its life.

On a reactor that is given, everything happens there and `start` and `stop` are awaited. Without
one, the server runs on the harness's background reactor and every method blocks until it has
happened. A subclass says how requests are answered, and nothing about sockets.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import trustme
from OpenSSL import SSL
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.interfaces import (
    IOpenSSLServerConnectionCreator,
    IReactorTCP,
    IReactorTime,
)
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from .connection import Connection
from .errors import HarnessError
from .faults import Fault, Faults
from .loop import background

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress, IListeningPort

    from .exchange import Exchange, Request
    from .parsing import Headers

log = Logger()
T = TypeVar("T")

_ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Refused:
    """What a client sent that isn't strictly HTTP/1.1: why, on which connection, the bytes."""

    reason: str
    connection: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate that a server of the harness trusts, with its key, as PEM and as files."""

    cert_pem: str
    key_pem: str
    cert_file: Path
    key_file: Path


@implementer(IOpenSSLServerConnectionCreator)
class _Tls:
    """Gives each connection the one TLS context of a server."""

    def __init__(self, context: SSL.Context) -> None:
        self._context = context

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        return SSL.Connection(self._context, None)


class Server(ServerFactory):
    """An HTTPS server on a free port of 127.0.0.1, with a certificate authority of its own.

    `reactor`: the one to run on; None runs on the background reactor, for tests that block.
    `client_certificates`: `"refused"` (not asked for), `"asked"` or `"required"`.
    """

    noisy = False

    def __init__(self, reactor: object = None, client_certificates: str = "refused") -> None:
        self._own_thread = reactor is None
        self._reactor = reactor
        self._client_certificates = client_certificates
        self._listening: IListeningPort | None = None
        self._port = 0
        self._connections: set[Connection] = set()
        self._accepted = 0
        self._requests: list[Request] = []
        self._refused: list[Refused] = []
        self._faults = Faults()
        self._conditions: list[tuple[Callable[[], object], Deferred[None]]] = []
        self._folder: Path | None = None
        self._numbers = count(1)
        self.ca = trustme.CA()
        self._context = self._tls()

    # Life

    def start(self) -> Deferred[None]:
        """Listen; after a `stop`, on the same port as before. Blocks without a `reactor`."""
        if self._listening is not None:
            raise HarnessError(f"{self!r} runs already")
        return self._wait(self._listen)

    def stop(self) -> Deferred[None]:
        """Close the port and every connection; nothing is left of them when it is done."""
        return self._wait(self._hang_up)

    def __enter__(self) -> Self:
        if not self._own_thread:
            raise HarnessError(f"with a reactor, use `async with` for {type(self).__name__}")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        self.close()

    def close(self) -> None:
        """Give back what outlives a `stop`: the files."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

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
        return f"https://{_ADDRESS}:{self.port}"

    @property
    def ca_pem(self) -> str:
        """The certificate of the authority to trust, as PEM."""
        return self.ca.cert_pem.bytes().decode()

    @property
    def ca_file(self) -> Path:
        """A file with `ca_pem`; it goes away with the server."""
        return self.file("ca.pem", self.ca_pem)

    def file(self, name: str, text: str) -> Path:
        """Give a file of this name and content that only its owner reads."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="koproxy-harness-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        path = self._folder / name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(text)
        return path

    def client_certificate(self, name: str = "client") -> ClientCertificate:
        """Make a client certificate with this common name, which the server trusts."""
        made = self.ca.issue_cert("client@koproxy.invalid", common_name=name)
        cert = made.cert_chain_pems[0].bytes().decode()
        key = made.private_key_pem.bytes().decode()
        stem = f"client-{next(self._numbers)}"
        return ClientCertificate(
            cert, key, self.file(f"{stem}.pem", cert), self.file(f"{stem}.key", key)
        )

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
        return self._wait(lambda: self._until(condition, timeout), timeout + 5)

    def heal(self) -> None:
        """End every fault."""
        self.run(self._faults.clear)

    # For subclasses

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request; the body may still be coming."""
        raise NotImplementedError

    def failing(
        self,
        paths: tuple[str, ...],
        status: int,
        delay: float,
        reset: bool,
        body: bytes | str | None,
        headers: Headers,
        times: int | None,
    ) -> None:
        """Add a fault for these paths."""
        data = body.encode() if isinstance(body, str) else body
        fault = Fault(paths, status, delay, reset, data, headers, times)
        self.run(lambda: self._faults.add(fault))

    def fault_body(self, status: int) -> bytes:
        """Give the body of a fault that a test gave none for."""
        return f"the harness was told to answer {status}\n".encode()

    def run(self, function: Callable[[], T]) -> T:
        """Run `function` where this server lives, at once."""
        if not self._own_thread or background().current:
            return function()
        return cast(T, background().call(function))

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
        self.changed()
        Deferred.fromCoroutine(self._dispatch(exchange)).addErrback(
            lambda failure: log.failure("a handler failed", failure)
        )

    def changed(self) -> None:
        """Something happened: whoever waits for it is told."""
        for waiting in list(self._conditions):
            condition, deferred = waiting
            if condition():
                self._conditions.remove(waiting)
                deferred.callback(None)

    # Inside

    async def _dispatch(self, exchange: Exchange) -> None:
        fault = self._faults.take(exchange.request.path)
        try:
            if fault is None or fault.only_late:
                if fault is not None and fault.delay:
                    await self._sleep(fault.delay)
                await self.answer(exchange)
                return
            if fault.delay:
                await self._sleep(fault.delay)
            if fault.reset:
                exchange.abort()
                return
            body = self.fault_body(fault.status) if fault.body is None else fault.body
            exchange.respond(fault.status, body, fault.headers)
        except ConnectionError:
            return  # the client went away, as clients do
        except Exception:
            exchange.abort()
            raise

    def _sleep(self, seconds: float) -> Awaitable[Any]:
        return deferLater(cast(IReactorTime, self._reactor), seconds)

    def _wait(
        self, function: Callable[[], Deferred[None]], timeout: float = 30.0
    ) -> Deferred[None]:
        if not self._own_thread or background().current:
            return function()
        background().call(function, timeout)
        return succeed(None)

    def _listen(self) -> Deferred[None]:
        if self._own_thread:
            self._reactor = background().reactor
        clock = cast(IReactorTime, self._reactor)
        factory = cast(ServerFactory, TLSMemoryBIOFactory(_Tls(self._context), False, self, clock))
        factory.noisy = False
        self._listening = cast(IReactorTCP, self._reactor).listenTCP(
            self._port, factory, interface=_ADDRESS
        )
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

    def _until(self, condition: Callable[[], object], timeout: float) -> Deferred[None]:
        if condition():
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        entry = (condition, waiting)
        self._conditions.append(entry)

        def late() -> None:
            self._conditions.remove(entry)
            waiting.errback(TimeoutError(f"it did not happen within {timeout:g} seconds"))

        timer = cast(IReactorTime, self._reactor).callLater(timeout, late)

        def settled(result: None) -> None:
            if timer.active():
                timer.cancel()
            return result

        return waiting.addBoth(settled)

    def _tls(self) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_session_id(b"koproxy-harness")
        self.ca.issue_cert(_ADDRESS, "localhost").configure_cert(context)
        if self._client_certificates != "refused":
            self.ca.configure_trust(context)
            demand = SSL.VERIFY_FAIL_IF_NO_PEER_CERT
            wanted = demand if self._client_certificates == "required" else 0
            context.set_verify(SSL.VERIFY_PEER | wanted, lambda *given: bool(given[-1]))
        return context
