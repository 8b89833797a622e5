"""What the API server says in the machine: whole answers, odd ones, and what is none.

Every answer has a number in its head and in its body, so that whoever reads it can tell whose it
is.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fuzz.plain_body import chunks


@dataclass
class Reply:
    """One answer of the API server, or what should have been one.

    ``raw`` is all that it sends, ``given`` what of it has been sent. With ``size`` bytes it is
    whole; an answer ``by_end`` is whole with the end of the connection. ``content_at`` is where
    the body begins. A reply that isn't ``sound`` can't be whole, and ``headless`` is no HTTP at
    all.
    """

    number: int
    status: int
    raw: bytes
    size: int
    content_at: int
    chunked: bool = False
    by_end: bool = False
    sound: bool = True
    headless: bool = False
    given: int = 0

    @property
    def interim(self) -> bool:
        """Whether the answer is yet to come."""
        return self.status < 200 and self.status != 101

    @property
    def head_given(self) -> bool:
        """Whether its head has been sent."""
        return not self.headless and self.given >= self.content_at

    @property
    def whole(self) -> bool:
        """Whether all of it has been sent, and says by itself that this was all."""
        if self.status == 101:  # what follows has no end
            return False
        return self.sound and not self.by_end and self.given >= self.size

    @property
    def keeps(self) -> bool:
        """Whether it leaves a connection that may carry another request."""
        head = self.raw[: self.content_at]
        # A body that is announced where none may come might come all the same.
        at_risk = self.size == self.content_at and (b"Content-L" in head or b"chunked" in head)
        return (
            head.startswith(b"HTTP/1.1")
            and b"Connection: close" not in head
            and not (self.by_end or at_risk)
            and self.given <= self.size
        )

    @property
    def content(self) -> bytes:
        """The content that has been sent."""
        body = self.raw[self.content_at : min(self.given, self.size)]
        return bytes(chunks(body).content) if self.chunked else body


Make = Callable[[int, bytes], Reply]
"""Gives the answer with this number to a request with this method."""


def _reply(number: int, first: bytes, lines: bytes, body: bytes, extra: bytes = b"") -> Reply:
    head = b"HTTP/1.%b\r\nX-Answer: %d\r\n%b\r\n" % (first, number, lines)
    size = len(head + body)
    return Reply(number, int(first[2:5]), head + body + extra, size, len(head))


def _sized(first: bytes, lines: bytes = b"", repeat: int = 3, extra: bytes = b"") -> Make:
    def make(number: int, method: bytes) -> Reply:
        body = b"<%d>" % number * repeat
        length = b"Content-Length: %d\r\n" % len(body)
        return _reply(number, first, lines + length, b"" if method == b"HEAD" else body, extra)

    return make


def _bare(first: bytes, lines: bytes = b"") -> Make:
    return lambda number, _: _reply(number, first, lines, b"")


def _chunked(ending: bytes, *, sound: bool = True) -> Make:
    def make(number: int, method: bytes) -> Reply:
        content = b"<%d>" % number
        body = b"%x;x\r\n%b\r\n" % (len(content), content) + ending
        head_only = method == b"HEAD"
        reply = _reply(
            number, b"1 200 OK", b"Transfer-Encoding: chunked\r\n", b"" if head_only else body
        )
        reply.chunked, reply.sound = not head_only, sound or head_only
        return reply

    return make


def _by_end(first: bytes) -> Make:
    def make(number: int, method: bytes) -> Reply:
        body = b"" if method == b"HEAD" else b"<%d>" % number * 3
        reply = _reply(number, first, b"", body)
        reply.by_end = method != b"HEAD"
        return reply

    return make


def _headless(raw: bytes) -> Make:
    return lambda number, _: Reply(number, 200, raw, len(raw), len(raw), sound=False, headless=True)


WHOLE: dict[str, Make] = {
    "sized": _sized(b"1 200 OK"),
    "large": _sized(b"1 200 OK", repeat=500),
    "403": _sized(b"1 403 Forbidden"),
    "close": _sized(b"1 200 OK", b"Connection: close\r\n"),
    "sized 1.0": _sized(b"0 200 OK"),
    "204": _bare(b"1 204 No Content"),
    "304": _bare(b"1 304 Not Modified", b"Content-Length: 9\r\n"),
    "chunks": _chunked(b"0\r\n\r\n"),
    "chunks, trailer": _chunked(b"1\r\n.\r\n0;y\r\nExpires: x\r\n\r\n"),
    "by its end": _by_end(b"1 200 OK"),
    "by its end 1.0": _by_end(b"0 200 OK"),
}
INTERIM: dict[str, Make] = {
    "100": _bare(b"1 100 Continue"),
    "103": _bare(b"1 103 Early Hints"),
}
UNAUTHORIZED: dict[str, Make] = {
    "401": _sized(b"1 401 Unauthorized"),
    "401, close": _sized(b"1 401 Unauthorized", b"Connection: close\r\n"),
    "401, large": _sized(b"1 401 Unauthorized", repeat=500),
}
SWITCH: dict[str, Make] = {
    "101 SPDY": _bare(
        b"1 101 Switching Protocols", b"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
    ),
    "101 websocket": _bare(
        b"1 101 Switching Protocols", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    ),
    "101 bare": _bare(b"1 101 Switching Protocols"),
}
BAD: dict[str, Make] = {
    "more behind": _sized(b"1 200 OK", extra=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "bad chunk size": _chunked(b"zz\r\n", sound=False),
    "bad chunk end": _chunked(b"1\r\nab\r\n", sound=False),
    "empty line first": _headless(b"\r\n"),
    "garbage": _headless(b"garbage\n"),
    "bare LF": _headless(b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
    "two lengths": _headless(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"
    ),
    "both lengths": _headless(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    ),
    "blank before colon": _headless(b"HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\na"),
    "HTTP/2": _headless(b"HTTP/2 200\r\n\r\n"),
}
