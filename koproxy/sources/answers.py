"""Answers of the API server's, kept for a short time, and the way to one that is not kept.

The same question is asked once for all who wait for it. How many are asked at a time is bounded,
and how many wait; a question whose answer was good before doesn't wait behind those of which that
is not known, so that who asks nonsense holds up nobody else. Questions may be secrets: what is kept
is a keyed hash of each.
"""

import hashlib
import secrets
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

from twisted.internet.defer import CancelledError, Deferred

from koproxy.sources.flight import Flight

T = TypeVar("T")

AT_A_TIME = 8
MOST_WAITING = 512
MOST_KEPT = 4096


class Busy(Exception):
    """Too many questions wait already."""


class _Kept(Generic[T]):
    """Answers of one kind with the time at which each ends, the longest unused one first."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._answers: OrderedDict[bytes, tuple[T, float]] = OrderedDict()

    def put(self, key: bytes, answer: T, now: float) -> None:
        self._answers[key] = (answer, now + self._seconds)
        self._answers.move_to_end(key)
        if len(self._answers) > self._most:
            self._answers.popitem(last=False)

    def get(self, key: bytes, now: float) -> tuple[T, bool] | None:
        """Give an answer, and whether it still holds."""
        found = self._answers.get(key)
        if found is None:
            return None
        self._answers.move_to_end(key)
        answer, end = found
        return answer, now < end

    def forget(self, key: bytes) -> None:
        self._answers.pop(key, None)


class _Turns:
    """So many at a time, the others in a line.

    Unlike Twisted's semaphore, it calls one after the other where each is done at once: one within
    the other, a long line would be too deep, and turns would be lost.
    """

    def __init__(self, at_a_time: int) -> None:
        self._left = at_a_time
        self._calling = False
        self.waiting: deque[Deferred[None]] = deque()

    def take(self) -> Deferred[None]:
        turn: Deferred[None] = Deferred()
        self.waiting.append(turn)
        self._call()
        return turn

    def give_back(self) -> None:
        self._left += 1
        self._call()

    def _call(self) -> None:
        if self._calling:
            return
        self._calling = True
        while self._left and self.waiting:
            self._left -= 1
            self.waiting.popleft().callback(None)
        self._calling = False


class Answers(Generic[T]):
    """Answers to questions of one kind.

    A ``good`` one is kept for ``good_seconds``, any other one for ``bad_seconds``; ``now`` gives
    the seconds of a steady clock.
    """

    def __init__(
        self,
        good: Callable[[T], bool],
        *,
        good_seconds: float,
        bad_seconds: float,
        now: Callable[[], float],
        at_a_time: int = AT_A_TIME,
        most_waiting: int = MOST_WAITING,
        most_kept: int = MOST_KEPT,
    ) -> None:
        self._is_good = good
        self._now = now
        self._most_waiting = most_waiting
        self._secret = secrets.token_bytes(32)
        self._good: _Kept[T] = _Kept(good_seconds, most_kept)
        self._bad: _Kept[T] = _Kept(bad_seconds, most_kept)
        self._under_way: dict[bytes, Flight[T]] = {}
        self._of_regulars = _Turns(at_a_time)
        self._of_strangers = _Turns(at_a_time)

    def known(self, question: bytes) -> T | None:
        """Give the answer that is kept and still holds, if there is one."""
        key, now = self._key(question), self._now()
        for kept in (self._good, self._bad):
            found = kept.get(key, now)
            if found is not None and found[1]:
                return found[0]
        return None

    def get(self, question: bytes, ask: Callable[[bool], Awaitable[T]]) -> Deferred[T]:
        """Give the answer that is kept, or have it asked for.

        ``ask`` is told whether it is a stranger's: there was no good answer to it before.

        Whoever cancels it waits no longer, which ends it for nobody else. It fails as ``ask`` does;
        such an end isn't kept. Raises Busy.
        """
        known = self.known(question)
        if known is not None:
            waiting: Deferred[T] = Deferred()
            waiting.callback(known)
            return waiting
        key = self._key(question)
        flight = self._under_way.get(key)
        if flight is None:
            was_good = self._good.get(key, self._now()) is not None
            turns = self._of_regulars if was_good else self._of_strangers
            asking = partial(ask, not was_good)
            if len(turns.waiting) >= self._most_waiting:
                raise Busy
            flight = self._under_way[key] = Flight(self._ask(key, turns, asking))
            flight.done.addBoth(partial(self._landed, key))
        return flight.join()

    async def _ask(self, key: bytes, turns: _Turns, ask: Callable[[], Awaitable[T]]) -> T:
        await turns.take()
        try:
            flight = self._under_way.get(key)
            if flight is not None and not flight.awaited:
                raise CancelledError  # all who asked have gone while it had to wait
            answer = await ask()
        finally:
            turns.give_back()
        self._good.forget(key)
        kept = self._good if self._is_good(answer) else self._bad
        kept.put(key, answer, self._now())
        return answer

    def _landed(self, key: bytes, _: object) -> None:
        self._under_way.pop(key, None)

    def _key(self, question: bytes) -> bytes:
        return hashlib.blake2b(question, key=self._secret, digest_size=32).digest()
