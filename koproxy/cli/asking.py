"""For commands that ask somebody something and end: the reactor for as long as that takes."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

SECONDS = 10.0
"""For each answer that somebody waits for at a terminal; a daemon can be more patient."""


def asked(question: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    """Run a question with the reactor, and give its answer, or raise what it raises.

    A signal that ends the reactor before raises KeyboardInterrupt.
    """
    # Twisted's reactor is chosen at its import: not before a command needs it.
    from twisted.internet import reactor  # noqa: PLC0415
    from twisted.internet.defer import Deferred, ensureDeferred  # noqa: PLC0415
    from twisted.python.failure import Failure  # noqa: PLC0415

    answers: list[Any] = []
    interrupted = False

    def begin() -> None:
        asking = ensureDeferred(question(reactor))
        reactor.addSystemEventTrigger("before", "shutdown", interrupt, asking)
        asking.addBoth(end)

    def interrupt(asking: Deferred[T]) -> None:
        # Before the reactor cuts connections, which would look like answers.
        nonlocal interrupted
        interrupted = not answers
        asking.cancel()

    def end(answer: object) -> None:
        answers.append(answer)
        if not interrupted:
            reactor.stop()

    reactor.callWhenRunning(begin)
    reactor.run()
    if interrupted or not answers:
        raise KeyboardInterrupt
    (answer,) = answers
    if isinstance(answer, Failure):
        answer.raiseException()
    found: T = answer
    return found
