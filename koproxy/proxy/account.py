"""What is known of one request, for whoever keeps account of requests.

It decides nothing: on the way of a request it is written, and read by nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from koproxy.identity.decision import Forbidden, Misread, Outcome, Unavailable
from koproxy.identity.user import Identity
from koproxy.wire.request import Request

CLIENT_GONE = 499
"""What stands for the status where the client went before there was one, as at nginx."""


class Account:
    """One request, from its head to the end of its answer.

    Times are in seconds of one steady clock, and 0 for what has not happened: ``began`` when its
    head was whole, ``sent`` when its head went to the API server, ``answered`` when that one's
    came, ``ended``. ``request`` is None for what was no request, and may be None again once its
    answer has begun. ``known``: its token had been verified before. ``acting_as`` is whom the
    client asked to be, where that is allowed; ``declined`` is what is said where it isn't.
    ``refusal`` is why the proxy itself has answered;
    who is told ``decided`` may set it, and then the request doesn't go on. ``received`` and
    ``returned`` are the bytes of the two bodies; behind a 101, those of the tunnel. ``cut``: the
    answer is not whole. ``id`` is the request's name in logs, if there are any, and
    ``noted_upstream`` the line by which the API server gets it.
    """

    known = False
    decision: Outcome | None = None
    acting_as: Identity | None = None
    declined: Forbidden | Misread | Unavailable | None = None
    refusal = ""
    status = 0
    sent = answered = ended = 0.0
    received = returned = 0
    cut = False
    id = ""
    noted_upstream = b""
    notes: dict[object, Any] | None = None

    def __init__(self, request: Request | None, peer: bytes, began: float) -> None:
        """Begin with what is known when the head is whole; ``peer`` is the client's address."""
        self.request = request
        self.peer = peer
        self.began = began

    @property
    def outcome(self) -> Outcome | Misread | None:
        """What has been decided of it in the end."""
        return self.declined or self.decision

    def note(self, who: object, what: Any) -> None:
        """Keep something for an observer; the request itself is forgotten while an answer lasts."""
        self.notes = {**(self.notes or {}), who: what}

    def noted(self, who: object) -> Any:
        """Give what was kept for one, or None."""
        return None if self.notes is None else self.notes.get(who)


Tell = Callable[[Account], None]


@dataclass(frozen=True, slots=True)
class Observers:
    """Whoever keeps account of requests, by what they are told.

    ``decided``: it is known who asks; nothing has gone upstream, and no refusal has been answered.
    ``answering``: the head of an answer is about to be passed on, and its end is still to come.
    ``complete``: the last of an answer is about to be passed on, or there will be none. Of each
    request the first two are told at most once, and the last once, in this order.
    """

    decided: tuple[Tell, ...] = ()
    answering: tuple[Tell, ...] = ()
    complete: tuple[Tell, ...] = ()
