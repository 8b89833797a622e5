"""The API server in the machine: it reads each connection by h11, and answers as it is told.

What it reads must be somebody's whole request; whose, its world tells it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import h11
from fuzz.plain_stream import PlainMessage
from property.proxy.people import Client
from property.proxy.replies import Make, Reply
from support.memory import MemoryTLS

from koproxy.proxy.upstream import IDLE_SECONDS


@dataclass
class Sending:
    """A request on one connection: ``index`` says which one of the client's it is.

    ``doubt`` is what has come out about whom a 401 is for: "" while nobody has asked.
    """

    client: Client
    index: int
    server: "ApiServer"
    first: bool
    credential: tuple[bytes, object]
    content: bytes = b""
    whole: bool = False
    replies: list[Reply] = field(default_factory=list)
    doubt: str = ""

    @property
    def message(self) -> PlainMessage:
        """The client's request."""
        return self.client.stream.messages[self.index]

    @property
    def final(self) -> Reply | None:
        """The answer, if it has begun."""
        return next((reply for reply in self.replies if not reply.interim), None)

    @property
    def touched(self) -> bool:
        """Whether a byte of an answer has come."""
        return any(reply.given for reply in self.replies)

    @property
    def answered(self) -> bool:
        """Whether the answer is whole."""
        final = self.final
        if final is None:
            return False
        return final.whole or (final.by_end and final.head_given and self.server.ended == "closed")

    @property
    def in_flight(self) -> bool:
        """Whether somebody waits for this connection."""
        return self.server.alive and not self.answered and not self.server.tunnel

    @property
    def tunnel(self) -> bool:
        """Whether it has become one."""
        return self.server.tunnel and self.server.sending is self


class ApiServer:
    """One connection to it."""

    def __init__(self, tls: MemoryTLS, explain: Callable[["ApiServer", bytes], Sending]) -> None:
        self.tls = tls
        self.made_with: object = tls.inner.made_with
        self.sending: Sending | None = None
        self.used = 0
        self.idle_since = 0.0
        self.ended = ""
        self.tunnel = False
        self.tunnel_from = 0
        self.tunnelled = b""
        self._explain = explain
        self._reader: h11.Connection | None = None
        self._looked = 0

    @property
    def alive(self) -> bool:
        """Whether the connection carries bytes both ways."""
        return not self.tls.gone and not self.tls.ending

    @property
    def busy(self) -> bool:
        """Whether it has a request to answer."""
        return self.alive and self.sending is not None and self.sending.in_flight

    def look(self) -> None:
        """Read what the proxy has sent."""
        new = self.tls.sent[self._looked :]
        if self.tunnel or not new:
            return
        self._looked = len(self.tls.sent)
        while new:
            if self._reader is None:
                self._begin(new[: new.index(b"\r\n\r\n") + 4])
            new = self._read(new)

    def _begin(self, head: bytes) -> None:
        before = self.sending
        assert before is None or (before.whole and before.answered), "bytes behind a request"
        self.used += before is not None
        self.sending = self._explain(self, head)
        self._reader = h11.Connection(h11.SERVER)

    def _read(self, new: bytes) -> bytes:
        """Read on in a request; gives the bytes behind it."""
        sending, reader = self.sending, self._reader
        assert sending is not None
        assert reader is not None
        reader.receive_data(new)
        while True:
            event = reader.next_event()
            if isinstance(event, h11.Data):
                sending.content += event.data
            elif isinstance(event, h11.EndOfMessage):
                assert event.headers == [], "a trailer"
                sending.whole = True
                self._reader = None
                return reader.trailing_data[0]
            elif not isinstance(event, h11.Request):
                assert event is h11.NEED_DATA
                return b""

    # What it says.

    @property
    def speaking(self) -> Reply | None:
        """What of an answer is still to come."""
        replies = self.sending.replies if self.sending is not None else []
        return replies[-1] if replies and replies[-1].given < len(replies[-1].raw) else None

    def reply(self, make: Make, number: int) -> Reply | None:
        """Begin an answer, if one is due."""
        sending = self.sending
        if not self.busy or sending is None or self.speaking or sending.final is not None:
            return None
        reply = make(number, sending.message.request.method)
        sending.replies.append(reply)
        return reply

    def deliver(self, size: int, now: float) -> None:
        """Have the proxy read at most ``size`` bytes of an answer, if it reads."""
        reply, sending = self.speaking, self.sending
        if reply is None or sending is None or not self.alive or self.tls.paused:
            return
        piece = reply.raw[reply.given : reply.given + size]
        before, drained = reply.whole, not self.tls.waits
        reply.given += len(piece)
        if reply.status == 101 and reply.head_given:
            self._switch(sending, reply)
        self.tls.receive(piece)
        if reply.status == 101 and reply.head_given:
            assert self.alive == self.tunnel, "it switched to what nobody asked for"
        if reply.whole and not before and not reply.interim:
            self.idle_since = now
            # The next request may find that it's stale, and close it in good order.
            kept = self.alive or self.tls.ending == "closed"
            assert kept == (sending.whole and drained and reply.keeps), "kept, or not, wrongly"

    def _switch(self, sending: Sending, reply: Reply) -> None:
        asked = sending.message.request.upgrade
        offered = b"Upgrade: %b\r\n" % (asked or b"none")
        if asked is not None and offered.lower() in reply.raw.lower():
            self.tunnel, self.tunnel_from = True, len(self.tls.sent)

    def say(self, data: bytes) -> None:
        """Speak in a tunnel, or when nobody has asked anything."""
        if not self.alive or self.tls.paused:
            return
        if self.tunnel:
            self.tunnelled += data
            self.tls.receive(data)
        elif self.sending is not None and self.sending.answered and self.speaking is None:
            self.tls.receive(data)
            assert not self.alive, "an answer that nobody asked for"

    def end(self, *, clean: bool) -> None:
        """Close the connection or cut it."""
        if self.alive and not (clean and self.tls.paused):
            self.ended = "closed" if clean else "cut"
            self.tls.lose(clean=clean)

    def is_stale(self, now: float, tls: object) -> bool:
        """Whether it's idle and not to be used again."""
        idle = self.sending is not None and self.sending.answered and self.alive
        return idle and (now - self.idle_since >= IDLE_SECONDS or self.made_with is not tls)
