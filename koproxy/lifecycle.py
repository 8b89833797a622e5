"""What begins and ends with the daemon: its ports, its upkeep, SIGHUP and its own last minutes.

These are Twisted services that :mod:`koproxy.daemon` puts together; they decide nothing.
"""

import signal
import socket
from collections.abc import Callable

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorThreads, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from koproxy.listening import where
from koproxy.proxy.leaving import Leaving
from koproxy.proxy.limits import Clients
from koproxy.proxy.own_calls import OwnCalls
from koproxy.proxy.upstream import Pool

CHECK_SECONDS = 1.0
SWEEP_SECONDS = 15.0
RECHECK_SECONDS = 10.0

HTTPS_SERVICE = "serving https"

log = Logger()

Serve = Callable[[socket.socket], Callable[[], object]]
"""Begins to serve on a listening socket; gives what ends that."""


class Listening(Service):
    """Serves on a socket that is bound already, so that a port in use is said at once."""

    def __init__(
        self, name: str, listening: socket.socket, serve: Serve, *, announced: bool
    ) -> None:
        """Take what to serve where; ``announced``: somebody else says where that is."""
        self.setName(name)
        self._announced = announced
        self._socket = listening
        self._serve = serve

    def startService(self) -> None:
        """Accept connections from now on."""
        super().startService()
        if not self._announced:
            log.info("{name} on {where}", name=self.name, where=where(self._socket))
        self._end = self._serve(self._socket)

    def stopService(self) -> object:
        """Accept no more."""
        if not self.running:
            return None
        super().stopService()
        return self._end()


class Daemon(MultiService):
    """All parts; they end when the clients have been let go, or at a second signal."""

    def __init__(
        self, reactor: IReactorThreads, leaving: Leaving, tell: Callable[[str], object]
    ) -> None:
        """Take how clients are let go, and who is told that it serves, and that it ends."""
        super().__init__()
        self._reactor = reactor
        self._leaving = leaving
        self._tell = tell

    def startService(self) -> None:
        """Begin all parts."""
        super().startService()
        self._tell("READY=1")

    def stopService(self) -> Deferred[object]:
        """Let the clients go, then end the parts."""
        self._tell("STOPPING=1")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._reactor.callFromThread(self._leaving.hurry))
        gone: Deferred[object] = Deferred.fromCoroutine(self._leaving.leave(self._stop_listening))
        gone.addErrback(lambda failure: log.failure("letting clients go failed", failure))
        return gone.addCallback(lambda _: MultiService.stopService(self))

    def _stop_listening(self) -> None:
        self.getServiceNamed(HTTPS_SERVICE).stopService()


class Hangup(Service):
    """SIGHUP has all files looked at at once, as daemons have it."""

    def __init__(self, reactor: IReactorThreads, look: Callable[[], None]) -> None:
        """Take what looks at them."""
        self._reactor = reactor
        self._look = look

    def startService(self) -> None:
        """Listen to the signal; this has to be the main thread."""
        super().startService()
        self._before = signal.signal(
            signal.SIGHUP, lambda *_: self._reactor.callFromThread(self._heard)
        )

    def stopService(self) -> None:
        """Leave it to whose it was before."""
        super().stopService()
        signal.signal(signal.SIGHUP, self._before)

    def _heard(self) -> None:
        log.info("SIGHUP: all files are looked at")
        self._look()


class Upkeep(Service):
    """What has to be done now and then for the pool and the proxy's credential."""

    def __init__(
        self, reactor: IReactorTime, pools: tuple[Pool, ...], own_calls: OwnCalls, clients: Clients
    ) -> None:
        self._pools = pools
        self._own_calls = own_calls
        self._check = LoopingCall(clients.sweep)
        self._sweep = LoopingCall(self._sweep_pools)
        self._recheck = LoopingCall(self._look_again)
        self._check.clock = self._sweep.clock = self._recheck.clock = reactor

    def startService(self) -> None:
        """Begin."""
        super().startService()
        self._check.start(CHECK_SECONDS, now=False)
        self._sweep.start(SWEEP_SECONDS, now=False)
        self._recheck.start(RECHECK_SECONDS, now=False)

    def stopService(self) -> None:
        """End, and close what is idle."""
        super().stopService()
        self._check.stop()
        self._sweep.stop()
        self._recheck.stop()
        for pool in self._pools:
            pool.close()

    def _sweep_pools(self) -> None:
        for pool in self._pools:
            pool.sweep()

    def _look_again(self) -> None:
        if self._own_calls.problem is not None:
            self._own_calls.doubt()
