"""What all clients together may take, and how long one may keep the proxy waiting.

The figures are the operator's (see :mod:`koproxy.settings`); here is who is connected, and the
counting. It decides nothing about who somebody is, and closes nothing itself.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

log = Logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """The figures; times in seconds, 0 is no limit but for ``header_bytes``.

    ``requests`` is the number of requests that wait at a time for the API server's answer to
    begin: watches and streams have had theirs, and are not among them. ``until_expiry`` has
    answers and tunnels end when the token that they were asked for with expires.
    """

    header_bytes: int = 64 * 1024
    header_seconds: float = 30.0
    idle_seconds: float = 180.0
    connections: int = 0
    connections_per_peer: int = 0
    requests: int = 0
    until_expiry: bool = False


class Client(Protocol):
    """One connection of a client's."""

    def check(self, now: float) -> None:
        """See whether it keeps the proxy waiting for too long; ``now`` as ``Clients.now``."""

    def drop(self) -> None:
        """Cut it off, whatever it has under way."""


class Tunnel(Protocol):
    """Two connections that are one."""

    def cut(self) -> None:
        """End both."""


class Clients:
    """Who is connected."""

    def __init__(self, reactor: IReactorTime, limits: Limits) -> None:
        self._reactor = reactor
        self.limits = limits
        self.now = reactor.seconds()
        """When ``sweep`` was last called: precise enough for a time-out, and free to read."""
        self._connected: set[Client] = set()
        self.connections = 0
        """How many connections there are now."""
        self.turned_away = 0
        """How many there would have been besides."""
        self.waiting = 0
        """How many requests wait for their answer to begin."""
        self.leaving = False
        """Whether the proxy is about to end: answers tell clients to come back elsewhere."""
        self.ending = False
        """Whether it ends: there are no new connections, and nobody is kept any longer."""
        self.cutting = False
        """Whether what has no end of its own has had its time too."""
        self._tunnels: set[Tunnel] = set()
        self._of_peer: Counter[str] = Counter()
        self._turned_away_before = 0

    def admit(self, peer: str) -> bool:
        """Count a new connection from an IP address; False: there are too many already."""
        limits = self.limits
        if (limits.connections and self.connections >= limits.connections) or (
            limits.connections_per_peer and self._of_peer[peer] >= limits.connections_per_peer
        ):
            self.turned_away += 1
            return False
        self.connections += 1
        self._of_peer[peer] += 1
        return True

    def leave(self, peer: str) -> None:
        """Count the end of an admitted connection."""
        self.connections -= 1
        self._of_peer[peer] -= 1
        if not self._of_peer[peer]:
            del self._of_peer[peer]

    def join(self, client: Client) -> None:
        """Have a connection checked from now on, its TLS handshake being done."""
        self._connected.add(client)

    def forget(self, client: Client) -> None:
        """Check it no more."""
        self._connected.discard(client)

    def tunnel_begins(self, tunnel: Tunnel) -> None:
        """Have a tunnel cut when its time is over."""
        self._tunnels.add(tunnel)

    def tunnel_ended(self, tunnel: Tunnel) -> None:
        """Forget a tunnel that has ended."""
        self._tunnels.discard(tunnel)

    def cut(self) -> None:
        """Cut tunnels and streams, now and from now on."""
        self.cutting = True
        for tunnel in tuple(self._tunnels):
            tunnel.cut()

    def drop(self) -> None:
        """Cut everybody off who is left, so that all is accounted for."""
        self.cut()
        for client in tuple(self._connected):
            client.drop()

    def begin(self) -> bool:
        """Count a request that will wait for its answer; False: there are too many already."""
        if self.limits.requests and self.waiting >= self.limits.requests:
            return False
        self.waiting += 1
        return True

    def end(self) -> None:
        """Count the end of a request's waiting."""
        self.waiting -= 1

    def sweep(self) -> None:
        """Have everybody checked, and say how many were turned away meanwhile."""
        self.now = self._reactor.seconds()
        for client in tuple(self._connected):
            client.check(self.now)
        turned_away = self.turned_away - self._turned_away_before
        if turned_away:
            log.warn(
                "{number} connections were turned away: there are {now} already "
                "(--max-connections, --max-connections-per-peer)",
                number=turned_away,
                now=self.connections,
            )
            self._turned_away_before = self.turned_away
