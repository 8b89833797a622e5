"""Waiting until something is true, without asking again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

if TYPE_CHECKING:
    from twisted.python.failure import Failure

Condition = Callable[[], object]


class Conditions:
    """What is waited for at one server; `check` is called whenever something happens there."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Condition, Deferred[None]]] = []

    def check(self) -> None:
        """Tell whoever waits for what is true by now."""
        for waiting in list(self._waiting):
            condition, deferred = waiting
            try:
                if not condition():
                    continue
            except Exception as error:  # noqa: BLE001 - it is the waiting test's, who gets it
                self._waiting.remove(waiting)
                deferred.errback(error)
            else:
                self._waiting.remove(waiting)
                deferred.callback(None)

    def until(self, condition: Condition, timeout: float, clock: object) -> Deferred[None]:
        """Wait for `condition`; fails with `TimeoutError` after `timeout` seconds."""
        if condition():
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        entry = (condition, waiting)
        self._waiting.append(entry)

        def late() -> None:
            self._waiting.remove(entry)
            waiting.errback(TimeoutError(f"it did not happen within {timeout:g} seconds"))

        timer = cast(IReactorTime, clock).callLater(timeout, late)

        def settled(result: Failure | None) -> Failure | None:
            if timer.active():
                timer.cancel()
            return result

        return waiting.addBoth(settled)
