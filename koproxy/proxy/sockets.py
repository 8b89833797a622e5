"""The sockets of the data plane, watched together: to the reactor they are one reader.

Twisted's reactor calls a reader through its logging context, and gives each connection a transport
with a buffer and a turn of its own. For the few things that happen once or more a request that is
most of their cost, so the sockets of clients and of the API server have an epoll of their own,
which the reactor watches like any other descriptor. Nothing here knows TLS or HTTP.
"""

import select
from typing import Protocol

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

READABLE = select.EPOLLIN
WRITABLE = select.EPOLLOUT
FINISHED = select.EPOLLRDHUP  # the peer sends nothing more, though there may be bytes to read
ENDED = select.EPOLLERR | select.EPOLLHUP

_AT_ONCE = 256  # sockets served before the reactor's other work has its turn

log = Logger()


class Watched(Protocol):
    """Whoever has a socket watched."""

    def happened(self, events: int) -> None:
        """``READABLE``, ``WRITABLE``, or unasked ``ENDED``: a reset, or the end of both directions.

        It may come for what another socket of the same number was watched for: reading or writing
        must not rely on it.
        """

    def failed(self) -> None:
        """``happened`` raised; close the socket."""


@implementer(IReadDescriptor)
class Sockets:
    """All sockets of the data plane."""

    def __init__(self, reactor: IReactorFDSet) -> None:
        self._reactor = reactor
        self._epoll = select.epoll()
        self._poll = self._epoll.poll
        self._watched: dict[int, Watched] = {}
        reactor.addReader(self)

    def add(self, number: int, watched: Watched, events: int) -> None:
        """Watch a socket from now on, for ``events``; errors and the end are always told."""
        self._watched[number] = watched
        self._epoll.register(number, events)

    def change(self, number: int, events: int) -> None:
        """Watch it for other events."""
        self._epoll.modify(number, events)

    def remove(self, number: int) -> None:
        """Watch it no more; to be called before it is closed."""
        del self._watched[number]
        self._epoll.unregister(number)

    def close(self) -> None:
        """Watch nothing any more; the sockets themselves are their owners'."""
        self._reactor.removeReader(self)
        self._epoll.close()

    @property
    def watched(self) -> int:
        """How many sockets there are."""
        return len(self._watched)

    # What the reactor calls.

    def fileno(self) -> int:
        """The epoll's descriptor, which is readable when something has happened."""
        return self._epoll.fileno()

    def doRead(self) -> None:
        """Tell everyone what has happened to their sockets."""
        watched = self._watched
        for number, events in self._poll(0, _AT_ONCE):
            one = watched.get(number)
            if one is None:  # an earlier one in this round has closed it
                continue
            try:
                one.happened(events)
            except Exception:  # noqa: BLE001 (one connection's failure must not be the others')
                log.failure("a connection failed inside koproxy")
                one.failed()

    def logPrefix(self) -> str:
        """The name for logs of the reactor's."""
        return "koproxy"

    def connectionLost(self, _reason: Failure) -> None:
        """The reactor has ended."""
