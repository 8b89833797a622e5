"""Verifying a token that is not known yet, a few at a time.

A signature costs several times what a whole request costs otherwise, and anybody may send as many
bad ones as they like. So those who are known never wait behind more than a few of them: the rest
has its turn later, first come, first served.
"""

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

IN_A_TURN = 3


class Turns:
    """What has to wait for a turn of the reactor's."""

    def __init__(self, reactor: IReactorTime, in_a_turn: int = IN_A_TURN) -> None:
        self._reactor = reactor
        self._in_a_turn = in_a_turn
        self._left = in_a_turn
        self._counting = False
        self._waiting: deque[Callable[[], None]] = deque()

    def take(self, job: Callable[[], None]) -> None:
        """Do ``job`` now, if there have not been too many in this turn already, or else later."""
        if self._waiting or not self._left:
            self._waiting.append(job)
            return
        self._left -= 1
        if not self._counting:
            self._counting = True
            self._reactor.callLater(0, self._next)
        job()

    def _next(self) -> None:
        self._left = self._in_a_turn
        self._counting = bool(self._waiting)
        if self._counting:
            self._reactor.callLater(0, self._next)
        while self._left and self._waiting:
            self._left -= 1
            self._waiting.popleft()()
