"""Answers that have no end of their own: watches, logs that are followed.

A watch may end in good order after a whole event, so that its client loses none ("Efficient
detection of changes" in the Kubernetes API concepts): in JSON an event is a line. All others can
only be cut.
"""

import re

from koproxy.wire.request import Request
from koproxy.wire.response import Answer

LAST_CHUNK = b"0\r\n\r\n"

_ASKED = re.compile(rb"[?&](?:watch|follow)=(?!(?:0|false)(?:&|\Z))", re.IGNORECASE)
_JSON = re.compile(rb"\ncontent-type:[ \t]*application/json[;\r]", re.IGNORECASE)
# So begins the chunk with the first event, and so ends the one with an event's last byte.
_FIRST = re.compile(rb'[0-9a-fA-F]+\r\n\{"type":"')
_END = b"\n\r\n"


class Stream:
    """Follows the bytes of such an answer as a client gets them."""

    __slots__ = ("_events", "_tail")

    def __init__(self, *, events: bool) -> None:
        """Begin behind the head; ``events``: in chunks, and of JSON."""
        self._events = events
        self._tail = b""

    def follow(self, data: bytes) -> None:
        """Take more of it."""
        if not (self._events and data):
            return
        if not self._tail and _FIRST.match(data) is None:
            self._events = False
        self._tail = (self._tail + data[-len(_END) :])[-len(_END) :]

    @property
    def between_events(self) -> bool:
        """Whether it may end here, if this is the end of a chunk."""
        return self._events and self._tail in (b"", _END)


def find_stream(request: Request, answer: Answer) -> Stream | None:
    """Give what follows an answer without an end of its own; None for one that has an end."""
    if answer.length is not None or _ASKED.search(request.target) is None:
        return None
    events = answer.chunked and request.minor == 1 and _JSON.search(answer.lines) is not None
    return Stream(events=events)
