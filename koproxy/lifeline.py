"""The socket between the supervisor and a worker, by which each knows of the other.

A worker writes to it once it serves, and whoever ends closes it. No request's bytes pass here.
"""

import socket
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IAddress, IReactorSocket, ITransport
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

log = Logger()


class Supervised(Service):
    """In a worker: tells the supervisor that it serves, and ends it if the supervisor has ended."""

    def __init__(
        self, reactor: IReactorSocket, supervisor: socket.socket, end: Callable[[], None]
    ) -> None:
        """Take the socket that was handed over, and what ends this process in good order."""
        self._reactor = reactor
        self._supervisor = supervisor
        self._end = end

    def startService(self) -> None:
        """Say it as soon as the reactor runs."""
        super().startService()
        hold(self._reactor, self._supervisor, _ToSupervisor(self.supervisor_ended))

    def supervisor_ended(self) -> None:
        """End, unless that is under way."""
        if self.running:
            log.warn("the supervisor has ended, and so does this worker")
            self._end()


class _ToSupervisor(Protocol):
    transport: ITransport

    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended

    def connectionMade(self) -> None:
        """Say that this worker serves."""
        self.transport.write(b"up")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nobody is there any more."""
        self._ended()


class FromWorker(Protocol):
    """In the supervisor: calls ``up`` when the worker says that it serves."""

    def __init__(self, up: Callable[[], None]) -> None:
        self._up = up

    def dataReceived(self, _data: bytes) -> None:
        """It serves."""
        self._up()


class _Once(ServerFactory[Any]):
    """Gives the one connection that there is its protocol."""

    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, _address: IAddress | None) -> Protocol:
        return self._protocol


def hold(reactor: IReactorSocket, end: socket.socket, protocol: Protocol) -> None:
    """Let ``protocol`` have one end of the socket."""
    end.setblocking(False)
    reactor.adoptStreamConnection(end.fileno(), socket.AF_UNIX, _Once(protocol))
    end.close()
