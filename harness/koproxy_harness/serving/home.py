"""The reactor that a server lives on, and how others get at it.

It is the one that a test gives, or the harness's own in a thread beside the test. Which of the two
is nobody's business but this module's and the reactor's in `loop`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from koproxy_harness.serving.loop import background

T = TypeVar("T")


class Home:
    """A server's reactor: `reactor`, or the background one of the process for None."""

    def __init__(self, reactor: object = None) -> None:
        self.blocks = reactor is None  # whether a caller waits until what it asks for has happened
        self._reactor = reactor

    @property
    def reactor(self) -> object:
        """The reactor; the background one is started by the first who asks."""
        return background().reactor if self._reactor is None else self._reactor

    def run(self, function: Callable[[], T]) -> T:
        """Run `function` there, at once, and give what it gives."""
        if not self.blocks or background().current:
            return function()
        return cast(T, background().call(function))

    def wait(self, function: Callable[[], Deferred[None]], timeout: float = 30.0) -> Deferred[None]:
        """Run `function` there; who is elsewhere waits for its Deferred, `timeout` seconds."""
        if not self.blocks or background().current:
            return function()
        background().call(function, timeout)
        return succeed(None)

    def seconds(self) -> float:
        """The time that passes there, which nobody sets."""
        return self._clock.seconds()

    def sleep(self, seconds: float) -> Awaitable[Any]:
        """Wait so long, there."""
        return deferLater(self._clock, seconds)

    @property
    def _clock(self) -> IReactorTime:
        return cast(IReactorTime, self.reactor)
