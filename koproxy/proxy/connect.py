"""New connections to the API server: a name resolved, TCP, and TLS that knows whom it speaks to."""

import socket
import ssl
import typing
from collections.abc import Callable

from twisted.internet import error, tcp
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from koproxy.proxy.sockets import Sockets
from koproxy.proxy.tls import TLS, Failed
from koproxy.proxy.transport import SecureProtocol

CONNECT_SECONDS = 10.0

log = Logger()


class Access(typing.Protocol):
    """Where the API server is, and how the proxy shows who it is."""

    @property
    def host(self) -> str:
        """A name or an IP address."""

    @property
    def port(self) -> int:
        """A TCP port."""

    @property
    def server_name(self) -> str:
        """The name that its certificate must have."""

    @property
    def path_prefix(self) -> bytes:
        """What its URL has before every target, without a slash at the end."""

    @property
    def authorization(self) -> bytes:
        """The value of the proxy's own ``Authorization``; empty with a client certificate."""

    @property
    def tls(self) -> ssl.SSLContext:
        """Its CA and the proxy's client certificate; another object once they have changed."""

    @property
    def problem(self) -> str | None:
        """Why nothing may be sent now, as a sentence."""


Connect = Callable[[Access, Callable[[], SecureProtocol], Failed], None]
"""Has the protocol made on a new connection, or says why there is none."""


class Connector:
    """Makes connections to the API server."""

    def __init__(self, reactor: IReactorTime, sockets: Sockets) -> None:
        self._reactor = reactor
        self._sockets = sockets

    def __call__(self, access: Access, make: Callable[[], SecureProtocol], failed: Failed) -> None:
        """Connect to ``access``; ``make`` gives the protocol once the TLS handshake is done."""

        def connected(found: _Found) -> None:
            TLS(
                self._reactor,
                self._sockets,
                found.take(),
                access.tls,
                make,
                server_name=access.server_name,
                on_failure=failed,
            )

        def no_connection(failure: Failure) -> None:
            if failure.check(error.TimeoutError):
                failed("it did not answer in time", timeout=True)
            elif failure.check(error.DNSLookupError):
                failed("its name could not be resolved", timeout=False)
            elif failure.check(error.ConnectionRefusedError):
                failed("it refused the connection", timeout=False)
            else:
                problem = type(failure.value).__name__
                failed(f"no connection could be made ({problem})", timeout=False)

        # Names, several addresses and their time-outs are Twisted's; the socket is then taken over.
        endpoint = HostnameEndpoint(
            self._reactor, access.host, access.port, timeout=CONNECT_SECONDS
        )
        connecting = endpoint.connect(Factory.forProtocol(_Found))
        connecting.addCallbacks(connected, no_connection).addErrback(
            lambda failure: log.failure("a connection failed inside koproxy", failure)
        )


class _Found(Protocol):
    """A TCP connection that was made, until its socket is taken."""

    transport: tcp.Connection

    def take(self) -> socket.socket:
        """Give its socket away; Twisted's transport knows nothing of it any more."""
        self.transport.stopReading()
        theirs: socket.socket = self.transport.getHandle()
        return socket.socket(fileno=theirs.detach())
