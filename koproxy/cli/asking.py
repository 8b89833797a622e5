"""For commands that ask somebody something and end: the reactor for as long as that takes."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

SECONDS = 10.0
"""For each answer that somebody waits for at a terminal; a daemon can be more patient."""


def asked(question: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    """Run a question with the reactor, and give its answer, or raise what it raises."""
    # Twisted's reactor is chosen at its import: not before a command needs it.
    from twisted.internet import reactor  # noqa: PLC0415
    from twisted.internet.defer import ensureDeferred  # noqa: PLC0415
    from twisted.python.failure import Failure  # noqa: PLC0415

    answers: list[Any] = []

    def begin() -> None:
        ensureDeferred(question(reactor)).addBoth(end)

    def end(answer: object) -> None:
        answers.append(answer)
        reactor.stop()

    reactor.callWhenRunning(begin)
    reactor.run()
    if not answers:
        raise KeyboardInterrupt
    (answer,) = answers
    if isinstance(answer, Failure):
        answer.raiseException()
    found: T = answer
    return found
