"""New connections to the API server: a name resolved, TCP, and TLS that knows whom it speaks to."""

import ssl
from collections.abc import Callable
from typing import Protocol

from twisted.internet import error
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from koproxy.proxy.tls import TLS, Failed, SecureProtocol

CONNECT_SECONDS = 10.0


class Access(Protocol):
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


Connect = Callable[[IReactorTime, Access, Callable[[], SecureProtocol], Failed], None]
"""Has the protocol made on a new connection, or says why there is none."""


def connect(
    reactor: IReactorTime, access: Access, make: Callable[[], SecureProtocol], failed: Failed
) -> None:
    """Connect to ``access``; ``make`` gives the protocol once the TLS handshake is done."""

    def build() -> TLS:
        return TLS(reactor, access.tls, make, server_name=access.server_name, on_failure=failed)

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

    endpoint = HostnameEndpoint(reactor, access.host, access.port, timeout=CONNECT_SECONDS)
    endpoint.connect(_Handshakes(build)).addErrback(no_connection)


class _Handshakes(Factory):
    """Begins a TLS handshake on a TCP connection that was made."""

    noisy = False

    def __init__(self, build: Callable[[], TLS]) -> None:
        self._build = build

    def buildProtocol(self, _address: object) -> TLS:
        """One handshake."""
        return self._build()
