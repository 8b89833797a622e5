"""What two connections are after a 101: bytes from one to the other, both ways.

A tunnel is made of the API server's 101 and of nothing else, and it is the only place where bytes
pass that nobody has read.
"""

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from koproxy.proxy.transport import Transport


class TunnelEnd:
    """One side of a tunnel, speaking in place of the protocol that was there."""

    transport: Transport

    def __init__(self, other: Transport, expiry: IDelayedCall | None) -> None:
        self._other = other
        self._expiry = expiry

    def connectionMade(self) -> None:
        """Have the other side paused while this one is slow."""
        self.transport.registerProducer(self)

    def dataReceived(self, data: bytes) -> None:
        """Pass it on."""
        self._other.write(data)

    def finished(self) -> None:
        """Its last bytes still have to be passed on."""

    def connectionLost(self, reason: Failure) -> None:
        """End the other side as this one ended: in good order, or cut."""
        if self._expiry is not None and self._expiry.active():
            self._expiry.cancel()
        if reason.check(ConnectionDone):
            self._other.loseWriteConnection()
        else:
            self._other.abortConnection()

    def pauseProducing(self) -> None:
        """This side's buffer is full."""
        self._other.pauseProducing()

    def resumeProducing(self) -> None:
        """This side's buffer is empty."""
        self._other.resumeProducing()


def join(client: Transport, upstream: Transport, expiry: IDelayedCall | None) -> None:
    """Make a tunnel of two connections; ``expiry`` would cut it, and is cancelled at its end."""
    # First both are read again, then each end may pause the other for what is queued already.
    client.resumeProducing()
    upstream.resumeProducing()
    client.hand_over(TunnelEnd(upstream, expiry))
    upstream.hand_over(TunnelEnd(client, expiry))
