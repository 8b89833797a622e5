"""What is known of one request, for whoever keeps account of requests.

It decides nothing: on the way of a request it is written, and read by nobody.
"""

from typing import Any, Protocol

from koproxy.identity.decision import Outcome
from koproxy.wire.request import Request

CLIENT_GONE = 499
"""What stands for the status where the client went before there was one, as at nginx."""


class Account:
    """One request, from its head to the end of its answer.

    Times are in seconds of one steady clock, and 0 for what has not happened: ``began`` when its
    head was whole, ``sent`` when its head went to the API server, ``answered`` when that one's
    came, ``ended``. ``request`` is None for what was no request, and may be None again once its
    answer has begun. ``known``: its token had been verified before. ``refusal`` is why the proxy
    itself has answered. ``received`` and ``returned`` are the bytes of the two bodies; behind a
    101, those of the tunnel. ``cut``: the answer is not whole.
    """

    known = False
    decision: Outcome | None = None
    refusal = ""
    status = 0
    sent = answered = ended = 0.0
    received = returned = 0
    cut = False

    def __init__(self, request: Request | None, peer: bytes, began: float) -> None:
        """Begin with what is known when the head is whole; ``peer`` is the client's address."""
        self.request = request
        self.peer = peer
        self.began = began
        self.notes: dict[object, Any] = {}


class Observer(Protocol):
    """Keeps account of requests.

    Of each request it hears ``decided`` at most once, ``answering`` at most once, and ``complete``
    once, in this order. What it needs of a request after ``answering`` it puts into the account's
    ``notes``, under itself.
    """

    def decided(self, account: Account) -> None:
        """It is known who asks: nothing has gone upstream, and no refusal has been answered."""

    def answering(self, account: Account) -> None:
        """The head of an answer is about to be passed on, and its end is still to come."""

    def complete(self, account: Account) -> None:
        """The last of an answer is about to be passed on, or there will be none."""
