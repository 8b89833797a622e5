"""What a connection and the protocol that speaks on it are to each other.

The names are those of Twisted's transports and protocols, of which these are the part that is
needed; who implements them need not inherit from them.
"""

from typing import Protocol

from twisted.python.failure import Failure


class Producer(Protocol):
    """Whoever writes faster than the peer takes."""

    def pauseProducing(self) -> None:
        """Write no more: what was written still waits."""

    def resumeProducing(self) -> None:
        """Write on: all of it has gone out."""


class Transport(Protocol):
    """A connection, seen from above: :class:`koproxy.proxy.tls.TLS`, which says more of each.

    ``peer_forwards``: the peer may be one that speaks for others, and says for whom.
    """

    peer_host: str
    peer_forwards: bool

    @property
    def peer_certificates(self) -> tuple[bytes, ...]:
        """The peer's certificate and those sent after it, in DER; empty if there is none."""

    @property
    def all_sent(self) -> bool:
        """Whether the kernel has all that was written."""

    def hand_over(self, inner: "SecureProtocol") -> None:
        """Have ``inner`` speak from now on."""

    def write(self, data: bytes) -> None:
        """Send ``data``."""

    def loseConnection(self) -> None:
        """Close in good order."""

    def loseWriteConnection(self) -> None:
        """Say that this was all, and let the peer go first."""

    def abortConnection(self) -> None:
        """End at once, so that the peer sees a cut."""

    def pauseProducing(self) -> None:
        """Stop reading."""

    def resumeProducing(self) -> None:
        """Read again."""

    def registerProducer(self, producer: Producer) -> None:
        """Have ``producer`` paused while the peer doesn't take what was written."""


class SecureProtocol(Protocol):
    """Whatever speaks on a :class:`Transport`, which is set before any of these is called."""

    transport: Transport

    def connectionMade(self) -> None:
        """The handshake is done, or another protocol has handed the connection over."""

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""

    def finished(self) -> None:
        """The peer sends nothing more, which is told while reading is paused: bytes may wait."""

    def connectionLost(self, reason: Failure) -> None:
        """The connection is gone: ``ConnectionDone`` after the peer's closing alert, else cut."""
