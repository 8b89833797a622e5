"""The reactor that a server of the harness runs on when a test has none to give.

One private reactor in one daemon thread serves every blocking server of the process. It is not
the global reactor: nothing is installed, so a test may run asyncio, another Twisted reactor or
nothing at all beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import maybeDeferred
from twisted.python.failure import Failure

try:
    from twisted.internet.epollreactor import EPollReactor as Reactor
except ImportError:  # not on Linux
    from twisted.internet.selectreactor import SelectReactor as Reactor

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

T = TypeVar("T")


class _PrivateReactor(Reactor):
    # `twisted.python.threadable` keeps one I/O thread for the process; that one is the global
    # reactor's, if there is one.
    _registerAsIOThread = False


class BackgroundLoop:
    """A private reactor, running in a daemon thread from the first `call` on."""

    def __init__(self) -> None:
        self.reactor: ReactorBase = _PrivateReactor()
        self._thread = threading.Thread(target=self._run, name="koproxy-harness", daemon=True)

    def _run(self) -> None:
        self.reactor.run(installSignalHandlers=False)

    def start(self) -> None:
        """Start the thread; it ends with the process."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs in this process (it does not survive a fork)."""
        return self._thread.is_alive()

    @property
    def current(self) -> bool:
        """Whether the caller is in the loop's own thread."""
        return threading.get_ident() == self._thread.ident

    def call(self, function: Callable[[], object], timeout: float = 30.0) -> object:
        """Run `function` in the loop's thread and wait for what it, or its Deferred, gives.

        `timeout` is in seconds; raises `TimeoutError` after it, and whatever `function` raises.
        """
        done = threading.Event()
        outcome: list[object] = []

        def finished(result: object) -> None:
            outcome.append(result)
            done.set()

        self.reactor.callFromThread(lambda: maybeDeferred(function).addBoth(finished))
        if not done.wait(timeout):
            raise TimeoutError(f"the harness did not answer within {timeout:g} seconds")
        if isinstance(outcome[0], Failure):
            outcome[0].raiseException()
        return outcome[0]


_lock = threading.Lock()
_shared: BackgroundLoop | None = None


def background() -> BackgroundLoop:
    """Give the process's one background loop, started."""
    global _shared  # noqa: PLW0603 - one a process is the point
    with _lock:
        if _shared is None or not _shared.alive:
            _shared = BackgroundLoop()
            _shared.start()
        return _shared
