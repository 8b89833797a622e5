"""What two connections are after a 101: bytes from one to the other, both ways.

A tunnel is made of the API server's 101 and of nothing else, and it is the only place where bytes
pass that nobody has read.
"""

from collections.abc import Callable

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from koproxy.proxy.transport import Transport

Ended = Callable[["Tunnel", int, int, bool], None]
"""Is told that one side has ended: the bytes from the client, those for it, and if it was a cut."""


class TunnelEnd:
    """One side of a tunnel, speaking in place of the protocol that was there."""

    transport: Transport

    def __init__(self, other: Transport, ended: Callable[[bool], None]) -> None:
        self._other = other
        self._ended = ended
        self.passed = 0

    def connectionMade(self) -> None:
        """Have the other side paused while this one is slow."""
        self.transport.registerProducer(self)

    def dataReceived(self, data: bytes) -> None:
        """Pass it on."""
        self.passed += len(data)
        self._other.write(data)

    def finished(self) -> None:
        """Its last bytes still have to be passed on."""

    def connectionLost(self, reason: Failure) -> None:
        """End the other side as this one ended: in good order, or cut."""
        cut = reason.check(ConnectionDone) is None
        self._ended(cut)
        if cut:
            self._other.abortConnection()
        else:
            self._other.loseWriteConnection()

    def pauseProducing(self) -> None:
        """This side's buffer is full."""
        self._other.pauseProducing()

    def resumeProducing(self) -> None:
        """This side's buffer is empty."""
        self._other.resumeProducing()


class Tunnel:
    """Both sides, from a 101 until one of them has ended."""

    def __init__(
        self, client: Transport, upstream: Transport, expiry: IDelayedCall | None, ended: Ended
    ) -> None:
        """Join two connections; ``expiry`` would cut them, and is cancelled at the first end."""
        self._client = client
        self._expiry = expiry
        self._tell = ended
        self._over = False
        # First both are read again, then each end may pause the other for what is queued already.
        client.resumeProducing()
        upstream.resumeProducing()
        self._ends = TunnelEnd(upstream, self._ended), TunnelEnd(client, self._ended)
        client.hand_over(self._ends[0])
        upstream.hand_over(self._ends[1])

    def cut(self) -> None:
        """End both connections at once."""
        self._client.abortConnection()

    def _ended(self, cut: bool) -> None:
        """The first end is that of the tunnel: from then on nobody reads, or nobody writes."""
        if self._over:
            return
        self._over = True
        if self._expiry is not None and self._expiry.active():
            self._expiry.cancel()
        from_client, from_upstream = self._ends
        self._tell(self, from_client.passed, from_upstream.passed, cut)
