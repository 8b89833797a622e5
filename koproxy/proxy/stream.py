"""Answers that have no end of their own: watches, logs that are followed.

A watch may end in good order after a whole event, so that its client loses none ("Efficient
detection of changes" in the Kubernetes API concepts). In JSON an event is a line; in protobuf it
stands behind its length in four bytes. All others can only be cut.
"""

import re

from koproxy.wire.body import ChunkedBody
from koproxy.wire.request import Request
from koproxy.wire.response import Answer

LAST_CHUNK = b"0\r\n\r\n"

_ASKED = re.compile(rb"[?&](?:watch|follow)=(?!(?:0|false)(?:&|\Z))", re.IGNORECASE)
_JSON = re.compile(rb"\ncontent-type:[ \t]*application/json[;\r]", re.IGNORECASE)
_PROTOBUF = re.compile(
    rb"\ncontent-type:[ \t]*application/vnd\.kubernetes\.protobuf;[ \t]*stream=watch[ \t]*\r",
    re.IGNORECASE,
)
_ENCODED = re.compile(rb"\ncontent-encoding:", re.IGNORECASE)
# So begins the chunk with the first event in JSON, and so ends the one with an event's last byte.
_FIRST = re.compile(rb'[0-9a-fA-F]+\r\n\{"type":"')
_END = b"\n\r\n"
_LENGTH_BYTES = 4


class Stream:
    """Follows the bytes of such an answer as a client gets them; of this one nothing is known."""

    __slots__ = ()

    def follow(self, data: bytes) -> None:
        """Take more of it, from behind the head on."""

    @property
    def between_events(self) -> bool:
        """Whether it may end here, if this is the end of a chunk."""
        return False


class _Lines(Stream):
    """Events in JSON, in chunks."""

    __slots__ = ("_are", "_tail")

    def __init__(self) -> None:
        self._are = True
        self._tail = b""

    def follow(self, data: bytes) -> None:
        """Remember how it ends."""
        if not (self._are and data):
            return
        if not self._tail and _FIRST.match(data) is None:
            self._are = False
        self._tail = (self._tail + data[-len(_END) :])[-len(_END) :]

    @property
    def between_events(self) -> bool:
        """Whether the last line is whole."""
        return self._are and self._tail in (b"", _END)


class _Frames(Stream):
    """Events in protobuf, in chunks."""

    __slots__ = ("_body", "_left", "_length")

    def __init__(self) -> None:
        self._body = ChunkedBody(ChunkedBody.CONTENT)
        self._length = b""
        self._left = 0

    def follow(self, data: bytes) -> None:
        """Count what is left of an event."""
        content, _ = self._body.feed(data)
        position = 0
        while position < len(content):
            if self._left:
                taken = min(self._left, len(content) - position)
                self._left -= taken
            else:
                taken = _LENGTH_BYTES - len(self._length)
                self._length += content[position : position + taken]
                if len(self._length) == _LENGTH_BYTES:
                    self._left, self._length = int.from_bytes(self._length, "big"), b""
            position += taken

    @property
    def between_events(self) -> bool:
        """Whether nothing of one is left."""
        return not (self._left or self._length)


def find_stream(request: Request, answer: Answer) -> Stream | None:
    """Give what follows an answer without an end of its own; None for one that has an end."""
    if answer.length is not None or _ASKED.search(request.target) is None:
        return None
    if answer.chunked and request.minor == 1 and _ENCODED.search(answer.lines) is None:
        if _JSON.search(answer.lines) is not None:
            return _Lines()
        if _PROTOBUF.search(answer.lines) is not None:
            return _Frames()
    return Stream()
