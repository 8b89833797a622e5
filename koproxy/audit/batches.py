"""Events that wait, and go in batches: bounded in number, and never waited for by a request.

Follows kube-apiserver's batching backend, but for one thing: what is being sent counts as waiting,
so that an outage can't fill the memory. What doesn't fit any more is lost, counted and said.
"""

from collections import deque
from collections.abc import Awaitable, Callable

from twisted.internet.defer import CancelledError, Deferred, ensureDeferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

log = Logger()

SAYING_SECONDS = 60.0
"""At least, between two lines about events that were lost."""

Send = Callable[[list[bytes]], Awaitable[int]]
"""Sends events; gives the number of those that were not sent and will not be."""


class Pauses:
    """Pauses that can all be ended at once."""

    def __init__(self, clock: IReactorTime) -> None:
        """Take the clock."""
        self._clock = clock
        self._ends: dict[Deferred[None], IDelayedCall] = {}

    def pause(self, seconds: float) -> Deferred[None]:
        """A Deferred that fires after so many seconds, or when they are ended."""
        paused: Deferred[None] = Deferred(self._forget)
        self._ends[paused] = self._clock.callLater(seconds, self._end, paused)
        return paused

    def end(self) -> None:
        """End those that there are."""
        for paused in list(self._ends):
            self._forget(paused)
            paused.callback(None)

    def _end(self, paused: Deferred[None]) -> None:
        del self._ends[paused]
        paused.callback(None)

    def _forget(self, paused: Deferred[None]) -> None:
        self._ends.pop(paused).cancel()


class Batches:
    """Gathers events, and has them sent."""

    def __init__(
        self,
        clock: IReactorTime,
        name: str,
        send: Send,
        lost: Callable[[int], None],
        *,
        room: int,
        due: int,
        wait: float,
        largest: int,
        at_once: int,
    ) -> None:
        """Take what to send with, what counts those that are ``lost``, and the limits.

        There is ``room`` for so many events. They are sent when ``due`` of them wait, or when one
        has waited ``wait`` seconds; at most ``largest`` in a batch, and ``at_once`` batches at a
        time.
        """
        self._clock = clock
        self._name = name
        self._send = send
        self._lost = lost
        self._room = room
        self._due = due
        self._wait = wait
        self._largest = largest
        self._at_once = at_once
        self._queue: deque[bytes] = deque()
        self._overdue = 0  # so many at the queue's head have waited long enough
        self._timer: IDelayedCall | None = None
        self._under_way: dict[Deferred[None], int] = {}
        self._idle: Deferred[None] | None = None
        self._unsaid = 0
        self._said = -SAYING_SECONDS

    @property
    def waiting(self) -> int:
        """Events that are neither sent nor lost yet."""
        return len(self._queue) + sum(self._under_way.values())

    def put(self, event: bytes) -> None:
        """Have an event sent with others, or lost if there is no room."""
        if self.waiting >= self._room:
            self._lose(1)
            return
        self._queue.append(event)
        self._begin()

    def finish(self, seconds: float) -> Deferred[None]:
        """Have all that waits sent, within so many seconds; what isn't then is lost.

        So is what comes from now on.
        """
        self._room = 0
        self._overdue = len(self._queue)
        self._begin()
        if not self._under_way:
            return succeed(None)
        self._idle = Deferred()
        limit = self._clock.callLater(seconds, self._give_up)

        def ended(result: None) -> None:
            if limit.active():
                limit.cancel()

        return self._idle.addCallback(ended)

    def _lose(self, number: int) -> None:
        """Count events as lost, and say so unless that was done a moment ago."""
        self._lost(number)
        self._unsaid += number
        now = self._clock.seconds()
        if self._unsaid and now >= self._said + SAYING_SECONDS:
            log.error("{name}: {lost} events were lost", name=self._name, lost=self._unsaid)
            self._unsaid, self._said = 0, now

    def _give_up(self) -> None:
        lost, self._overdue = len(self._queue), 0
        self._queue.clear()
        self._lose(lost)
        for sending in list(self._under_way):
            sending.cancel()

    def _begin(self) -> None:
        """Send what is due, as far as it is its turn."""
        while len(self._under_way) < self._at_once and (
            len(self._queue) >= self._due or self._overdue
        ):
            number = min(len(self._queue), self._largest)
            batch = [self._queue.popleft() for _ in range(number)]
            self._overdue = max(0, self._overdue - number)
            sending = ensureDeferred(self._sent(batch))
            if not sending.called:
                self._under_way[sending] = number
                sending.addBoth(self._ended, sending)
        if not self._queue and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        elif self._queue and self._timer is None and not self._overdue:
            self._timer = self._clock.callLater(self._wait, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        self._overdue = len(self._queue)
        self._begin()

    async def _sent(self, batch: list[bytes]) -> None:
        lost = len(batch)
        try:
            lost = await self._send(batch)
        except CancelledError:
            pass  # there is no more time
        except Exception:  # noqa: BLE001 - a mistake in here fails its batch alone
            log.failure("sending events")
        self._lose(lost)

    def _ended(self, _result: object, sending: Deferred[None]) -> None:
        del self._under_way[sending]
        self._begin()
        if not self._under_way and not self._queue and self._idle is not None:
            idle, self._idle = self._idle, None
            idle.callback(None)
