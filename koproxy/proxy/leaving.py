"""How the proxy ends: clients are led elsewhere, and whoever is being served is served to the end.

First it is only said: health answers no, and answers end their connections. After a delay, in which
load balancers notice, there are no new connections; idle ones end, watches end after an event, and
what is under way has time. It may not end the process: whoever awaits it does.
"""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from koproxy.proxy.limits import Clients

REQUEST_SECONDS = 60.0
"""The time that answers have to come to their end, as at kube-apiserver."""

_LOOK_SECONDS = 0.1

log = Logger()


class Leaving:
    """The end of the proxy, as far as its clients are concerned."""

    def __init__(
        self, reactor: IReactorTime, clients: Clients, delay: float, stream_seconds: float
    ) -> None:
        """Take who is connected; ``delay`` until it ends, in seconds, and how long tunnels and
        streams may go on then.
        """
        self._reactor = reactor
        self._clients = clients
        self._delay = delay
        self._stream_seconds = stream_seconds
        self._hurried = False
        self._sleeping: Deferred[None] | None = None
        self.problem: str | None = None
        """Why no more clients should come; None as long as they should."""

    async def leave(self, stop_listening: Callable[[], object]) -> None:
        """Let everybody go, and return when all have gone or time is over."""
        clients = self._clients
        self.problem = "koproxy is about to end"
        clients.leaving = True
        if self._delay:
            log.info("ending in {seconds:g} s; until then it serves", seconds=self._delay)
            await self._sleep(self._delay)
        stop_listening()
        clients.ending = True
        began = self._reactor.seconds()
        while clients.connections and not self._hurried:
            past = self._reactor.seconds() - began
            if past >= max(REQUEST_SECONDS, self._stream_seconds):
                break
            if past >= self._stream_seconds:
                clients.cut()
            clients.sweep()
            await self._sleep(_LOOK_SECONDS)
        if clients.connections:
            log.warn("{number} connections are cut", number=clients.connections)
            clients.drop()

    def hurry(self) -> None:
        """Wait for nobody any longer."""
        self._hurried = True
        if self._sleeping is not None:
            self._sleeping.callback(None)

    async def _sleep(self, seconds: float) -> None:
        if self._hurried:
            return
        self._sleeping = Deferred()
        later = self._reactor.callLater(seconds, self._sleeping.callback, None)
        await self._sleeping
        self._sleeping = None
        if later.active():
            later.cancel()
