"""A client in the machine, and a plain reading of what it has sent and of what it has got."""

import re
from dataclasses import dataclass, field

from fuzz import plain, plain_stream
from fuzz.plain_body import chunks
from fuzz.plain_grammar import head_length
from support.memory import MemoryTLS

from koproxy.proxy.limits import Limits

_NUMBER = re.compile(rb"X-Answer: ([0-9]+)\r\n")


@dataclass
class Seen:
    """One answer as the client reads it; ``numbers`` are those of the interim ones before it.

    ``number`` is None if it's the proxy's own. ``by_end``: only the end of the connection tells
    the end of the body. ``status`` is 0 if there are interim answers alone.
    """

    index: int
    numbers: list[int] = field(default_factory=list)
    number: int | None = None
    status: int = 0
    content: bytes = b""
    by_end: bool = False
    whole: bool = False
    stays: bool = True
    end: int = 0


class Client:
    """Somebody who sends requests; ``waiting`` is on its way to the proxy."""

    def __init__(self, tls: MemoryTLS) -> None:
        self.tls = tls
        self.waiting = b""
        self.written = b""
        self.left: str | None = None
        self._stream = plain_stream.PlainStream()
        self._streamed = 0
        self._seen: list[Seen] = []
        self._looked = -1, 0

    @property
    def alive(self) -> bool:
        """Whether the connection carries bytes both ways."""
        return not self.tls.gone and not self.tls.ending

    def deliver(self, size: int) -> None:
        """Have the proxy read at most ``size`` bytes, if it reads."""
        if self.alive and not self.tls.paused and self.waiting:
            piece, self.waiting = self.waiting[:size], self.waiting[size:]
            self.written += piece
            self.tls.receive(piece)

    def end(self, *, clean: bool) -> None:
        """Go; nobody who doesn't read sees more of it than a reset."""
        if self.alive and not (clean and self.tls.paused):
            self.left = "closed" if clean else "cut"
            self.tls.lose(clean=clean)

    @property
    def stream(self) -> plain_stream.PlainStream:
        """The requests that the proxy has read."""
        if len(self.written) != self._streamed:
            self._streamed = len(self.written)
            self._stream = plain_stream.requests(self.written, Limits().header_bytes)
        return self._stream

    @property
    def seen(self) -> list[Seen]:
        """The answers that came, the last one perhaps not yet whole."""
        looked = len(self.tls.sent), len(self.stream.messages)
        if looked != self._looked:
            self._looked = looked
            self._seen = self._read()
        return self._seen

    @property
    def answered(self) -> int:
        """How many requests have their whole answer."""
        return sum(answer.whole for answer in self.seen)

    def _read(self) -> list[Seen]:
        sent, messages = self.tls.sent, self.stream.messages
        found: list[Seen] = []
        at = 0
        while at < len(sent):
            index = len(found)
            request = messages[index].request if index < len(messages) else None
            one = Seen(index)
            found.append(one)
            while at < len(sent) and not one.status:
                at = self._head(one, request, at)
            if one.by_end or not one.whole:
                break
            at = one.end
        return found

    def _head(self, one: Seen, request: plain.PlainRequest | None, at: int) -> int:
        """Read a head, and the body behind it if it isn't an interim one."""
        sent = self.tls.sent
        length = head_length(sent[at:])
        assert length is not None, "half a head"
        head, at = sent[at : at + length], at + length
        answer = plain.answer(head, request.method if request is not None else b"GET")
        number = _NUMBER.search(head)
        if answer.status < 200 and answer.status != 101:
            assert number is not None
            one.numbers.append(int(number[1]))
            return at
        one.status, one.stays = answer.status, b"\r\nConnection: close\r\n" not in head
        one.number = int(number[1]) if number is not None else None
        if answer.status == 101:
            one.content, one.end = sent[at:], len(sent)
        elif answer.chunked and answer.length is None:
            body = chunks(sent[at:])
            assert not body.refused, "chunks that are none"
            one.content, one.whole = bytes(body.content), body.end is not None
            one.end = at + (body.end or 0)
        elif answer.length is not None:
            one.content = sent[at : at + answer.length]
            one.whole, one.end = len(one.content) == answer.length, at + answer.length
        else:
            one.content, one.by_end = sent[at:], True
        return at
