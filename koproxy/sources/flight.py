"""One errand for all who wait for its result, so that a crowd costs as much as one.

Whoever stops waiting doesn't end it for the others.
"""

from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


class Flight(Generic[T]):
    """A coroutine under way, and those who wait for it.

    ``done`` fires with None when it is over, well or not, and when it was cancelled.
    """

    def __init__(self, errand: Coroutine[Any, Any, T]) -> None:
        """Begin the errand."""
        self._waiting: list[Deferred[T]] = []
        self._landed: list[T | Failure] = []
        self._running: Deferred[T] = Deferred.fromCoroutine(errand)
        self.done: Deferred[None] = self._running.addBoth(self._land)

    @property
    def awaited(self) -> bool:
        """Whether anybody waits for it now."""
        return bool(self._waiting)

    def join(self) -> Deferred[T]:
        """Wait for the result, or the failure; cancelling this ends only this waiting."""
        waiting: Deferred[T] = Deferred(self._waiting.remove)
        if self._landed:
            _fire(waiting, self._landed[0])
        else:
            self._waiting.append(waiting)
        return waiting

    def cancel(self) -> None:
        """End it; those who wait get what the errand makes of that, or CancelledError."""
        self._running.cancel()

    def _land(self, result: T | Failure) -> None:
        self._landed.append(result)
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            _fire(each, result)


def _fire(waiting: Deferred[T], result: T | Failure) -> None:
    if isinstance(result, Failure):
        waiting.errback(result)
    else:
        waiting.callback(result)
