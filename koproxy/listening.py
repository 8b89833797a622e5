"""Which sockets koproxy listens on: bound as the flags say, or handed over by who started it.

A handover is that of systemd's socket activation (sd_listen_fds(3)): listening sockets with the
names ``https`` and ``health``. Nothing here accepts a connection or knows what is served.
"""

import ipaddress
import os
import socket
from collections.abc import MutableMapping

from twisted.python.systemd import ListenFDs

from koproxy.errors import ConfigurationError
from koproxy.settings import Settings

HTTPS, HEALTH = "https", "health"
SUPERVISOR = "supervisor"
"""The one socket that isn't listened on: it leads to the process that handed over the others."""

FIRST_DESCRIPTOR = 3
LAST_PORT = 65535
_BACKLOG = 4096


def check_addresses(settings: Settings) -> None:
    """See that the flags name an address and ports; raises ConfigurationError."""
    try:
        ipaddress.ip_address(settings.bind_address)
    except ValueError:
        raise ConfigurationError(
            f"--bind-address {settings.bind_address!r} is not an IP address: "
            "give one of this machine's, or 0.0.0.0 or :: for all of them"
        ) from None
    for flag, port in (
        ("secure-port", settings.secure_port),
        ("readiness-probe-port", settings.readiness_probe_port),
    ):
        if not 0 <= port <= LAST_PORT:
            raise ConfigurationError(f"--{flag} {port} is not a port: give 0 to {LAST_PORT}")


def bind_https(settings: Settings) -> socket.socket:
    """The socket for requests; raises OSError with a sentence if it can't be had."""
    return _bind(settings.bind_address, settings.secure_port, "secure-port")


def bind_health(settings: Settings) -> socket.socket:
    """The socket for probes; raises OSError with a sentence if it can't be had."""
    return _bind(settings.bind_address, settings.readiness_probe_port, "readiness-probe-port")


def bind_https_together(settings: Settings) -> list[socket.socket]:
    """A socket for each of the workers, all on one port.

    The kernel gives every new connection to one of them, by a hash of both ends' addresses
    (SO_REUSEPORT, socket(7)). Raises OSError with a sentence if they can't be had.
    """
    flag, port = "secure-port", settings.secure_port
    if port:
        # Two programs of one user that both share a port would share it with each other.
        _bind(settings.bind_address, port, flag).close()
    sockets = [_bind(settings.bind_address, port, flag, together=True)]
    port = sockets[0].getsockname()[1]
    while len(sockets) < settings.workers:
        sockets.append(_bind(settings.bind_address, port, flag, together=True))
    return sockets


def _bind(address: str, port: int, flag: str, *, together: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    both = address == "::" and socket.has_dualstack_ipv6()  # IPv4 too, as Go's servers have it
    try:
        return socket.create_server(
            (address, port),
            family=family,
            backlog=_BACKLOG,
            reuse_port=together,
            dualstack_ipv6=both,
        )
    except OSError as problem:
        why = os.strerror(problem.errno) if problem.errno else str(problem)
        raise OSError(f"can't listen on {address} port {port} (--{flag}): {why}") from None


def where(listening: socket.socket) -> str:
    """Its address for people, as ``HOST:PORT``."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def handed_over(
    environ: MutableMapping[str, str], first: int = FIRST_DESCRIPTOR
) -> dict[str, socket.socket]:
    """Take what ``environ`` says is handed over to this process, by name.

    It is taken out of ``environ``, so that no child believes it is meant. To be called before
    twisted.internet.endpoints is imported, which takes it for itself. Raises ConfigurationError for
    what is not a listening TCP socket, for another name, and for a name twice.
    """
    given = ListenFDs.fromEnvironment(environ, first)
    named = given.inheritedNamedDescriptors()
    if len(named) < len(given.inheritedDescriptors()) or set(named) - {HTTPS, HEALTH, SUPERVISOR}:
        raise ConfigurationError(
            f"the sockets that are handed over are named {environ['LISTEN_FDNAMES']!r}: name one "
            f"{HTTPS} and one {HEALTH} (FileDescriptorName= in a systemd.socket unit)"
        )
    environ.pop("LISTEN_FDNAMES", None)
    return {name: _take(descriptor, name) for name, descriptor in named.items()}


def _take(descriptor: int, name: str) -> socket.socket:
    try:
        os.set_inheritable(descriptor, False)
        taken = socket.socket(fileno=descriptor)
        listens = taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as problem:
        raise ConfigurationError(
            f"the socket {name!r} that is handed over can't be used ({problem.strerror}): "
            "hand over a listening TCP socket"
        ) from None
    if name != SUPERVISOR and not (listens and taken.family in (socket.AF_INET, socket.AF_INET6)):
        taken.close()
        raise ConfigurationError(
            f"the socket {name!r} that is handed over is no listening TCP socket: hand over one "
            "(ListenStream=PORT with Accept=no in a systemd.socket unit)"
        )
    return taken
