"""All that a client sends on one connection, read a second time: one request after the other."""

from dataclasses import dataclass, field

from fuzz import plain
from fuzz.plain_body import chunks
from fuzz.plain_grammar import Refused, head_length


@dataclass
class PlainMessage:
    """A request as far as it has come; ``end`` is where the bytes after it begin, if it's whole."""

    request: plain.PlainRequest
    content: bytes = b""
    end: int | None = None
    refused: bool = False

    @property
    def whole(self) -> bool:
        """Whether its last byte has come."""
        return self.end is not None


@dataclass
class PlainStream:
    """The requests up to a refusal, or to the last one that the connection may carry."""

    messages: list[PlainMessage] = field(default_factory=list)
    refused: bool = False


def requests(data: bytes, largest_head: int) -> PlainStream:
    """Read ``data`` as far as the proxy would."""
    stream = PlainStream()
    at: int | None = 0
    while at is not None and at < len(data) and not stream.refused:
        try:
            length = head_length(data[at:])
            if (length if length is not None else len(data) - at) > largest_head:
                raise Refused("large")
            if length is None:
                break
            request = plain.request(data[at : at + length])
        except Refused:
            stream.refused = True
            break
        message = _message(request, data, at + length)
        stream.messages.append(message)
        stream.refused = message.refused
        at = message.end
        if request.upgrade is not None or not request.keep_alive:
            break
    return stream


def _message(request: plain.PlainRequest, data: bytes, at: int) -> PlainMessage:
    if request.length is not None:
        content = data[at : at + request.length]
        whole = len(content) == request.length
        return PlainMessage(request, content, at + request.length if whole else None)
    body = chunks(data[at:])
    end = None if body.end is None else at + body.end
    return PlainMessage(request, bytes(body.content), end, body.refused)
