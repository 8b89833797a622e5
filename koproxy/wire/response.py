"""The API server's answer head, checked as strictly as a client's, and what the client gets of it.

It may not mend an answer: one that could be read in two ways is :class:`Malformed`, and the client
is told that the API server's answer was no HTTP.
"""

import re
from dataclasses import dataclass

from koproxy.wire.body import Body, ChunkedBody, EndlessBody, FixedBody
from koproxy.wire.fields import (
    FIELD_LINES,
    HOP_BY_HOP,
    TEXT,
    TOKEN,
    Malformed,
    content_length,
    field_lines,
    head_end,
    list_members,
)

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])( " + TEXT + rb"*+)?\r\n")
# The fields that must be looked at; most answers have no other one of them than a length.
# A match begins with the end of the line before, and stops short of the end of its own.
_NOTABLE = re.compile(
    rb"\n(con(?:nection|tent-length)|keep-alive|proxy-(?:authenticate|authorization|connection)"
    rb"|t(?:e|railer|ransfer-encoding)|upgrade):([^\r]*+)\r",
    re.IGNORECASE,
)
# What most answers are: a length once, and no other field that must be looked at. The names of
# those all begin with two of these letters, as do two of the usual ones.
_PLAIN_LINES = (
    rb"(?:(?![CcKkPpTtUu][OoEeRrPp])"
    + TOKEN
    + rb"++:"
    + TEXT
    + rb"*+\r\n|[Cc]ontent-(?:[Tt]ype|[Ee]ncoding):"
    + TEXT
    + rb"*+\r\n)*"
)
# nginx says that a connection stays, as nobody needs to in HTTP/1.1: that isn't passed on.
_KEPT_LINE = rb"(?:(Connection: keep-alive\r\n)" + _PLAIN_LINES + rb")?"
_PLAIN_HEAD = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9][0-9]) "
    + TEXT
    + rb"*+\r\n"
    + _PLAIN_LINES
    + _KEPT_LINE
    + rb"[Cc]ontent-[Ll]ength: ([0-9]{1,18})\r\n"
    + _PLAIN_LINES
    + _KEPT_LINE
    + rb"\r\n"
)
_NO_BODY = frozenset({204, 304})
_END_TO_END = frozenset({b"content-length", b"trailer"})
# What Connection may list without naming a field to leave out, or which is left out anyway.
_CONNECTION_OPTIONS = HOP_BY_HOP | _END_TO_END | {b"close"}
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"upgrade"})


@dataclass(slots=True)
class Answer:
    """One answer head.

    ``lines`` are the status line and the fields that are passed on. ``length`` is the size of the
    body in bytes, None where it is in chunks (``chunked``) or ends with the connection.
    ``reusable``: whether the connection may carry another request after it.
    """

    status: int
    lines: bytes
    length: int | None
    chunked: bool
    upgrade: bytes | None
    reusable: bool

    @property
    def interim(self) -> bool:
        """Whether another head follows (1xx; a 101 is final for HTTP)."""
        return self.status < 200 and self.status != 101

    def body(self, *, minor: int) -> Body:
        """A follower of this answer's body, in the form for an HTTP/1.``minor`` client."""
        if self.length is not None:
            return FixedBody(self.length)
        if self.chunked:
            return ChunkedBody(ChunkedBody.RAW if minor else ChunkedBody.CONTENT)
        return EndlessBody()

    def head(self, *, minor: int, keep_alive: bool) -> bytes:
        """The head as an HTTP/1.``minor`` client gets it.

        ``keep_alive`` says whether its connection stays open; the fields that speak of one
        connection are written anew (RFC 9110, section 7.6.1).
        """
        lines = self.lines
        if self.upgrade is not None:
            lines += b"Connection: Upgrade\r\nUpgrade: %b\r\n" % self.upgrade
        else:
            if self.chunked and minor:
                lines += b"Transfer-Encoding: chunked\r\n"
            if not keep_alive:
                lines += b"Connection: close\r\n"
            elif not minor:
                lines += b"Connection: keep-alive\r\n"
        return lines + b"\r\n"

    def ends_with_connection(self, *, minor: int) -> bool:
        """Whether only the end of the connection tells an HTTP/1.``minor`` client the body's."""
        return self.length is None and not (self.chunked and minor)


def read_answer(
    data: bytes, method: bytes, largest: int, seen: int = 0
) -> tuple[Answer, int] | None:
    """Read the answer head that ``data`` begins with; gives it and where it ends.

    None if it isn't whole yet; ``seen`` bytes of it were looked at before. ``method`` is that of
    the request. Raises :class:`Malformed`, also for a head of more than ``largest`` bytes.
    """
    plain = None if seen else _PLAIN_HEAD.match(data)
    if plain is not None and method != b"HEAD":
        status, end = int(plain[1]), plain.end()
        if status not in _NO_BODY and end <= largest:
            lines = data[: end - 2]
            for group in (4, 2):
                begin, stop = plain.span(group)
                if stop > 0:
                    lines = lines[:begin] + lines[stop:]
            return Answer(status, lines, int(plain[3]), False, None, True), end
    end = head_end(data, largest, seen)
    return (parse_answer(data[:end], method), end) if end else None


def parse_answer(head: bytes, method: bytes) -> Answer:
    """Read a whole answer head, the empty line at its end included.

    ``method`` is that of the request (an answer to HEAD has no body). Raises :class:`Malformed`.
    """
    line = _STATUS_LINE.match(head)
    if line is None:
        raise Malformed("the status line is not HTTP/1.1's")
    status = int(line[2])
    http11 = line[1] == b"1"
    begin, end = line.end(), len(head) - 2
    if FIELD_LINES.fullmatch(head, begin, end) is None:
        raise Malformed("a header line is not a name, a colon and a value")
    lengthless = status < 200 or status == 204  # RFC 9110, section 8.6
    seen: dict[bytes, bytes] = {}
    kept: list[bytes] = []
    position = begin
    for match in _NOTABLE.finditer(head, begin - 1):
        name, value = match[1].lower(), match[2].strip(b" \t")
        if name in seen:
            if name in _FRAMING:
                raise Malformed(f"two {name.decode()} headers")
            value = seen[name] + b"," + value
        seen[name] = value
        if name not in _END_TO_END or (lengthless and name == b"content-length"):
            kept.append(head[position : match.start() + 1])
            position = match.end() + 1
    kept.append(head[position:end])
    passed_on = b"".join(kept)

    connection = list_members(seen[b"connection"]) if b"connection" in seen else []
    listed = {*connection} - _CONNECTION_OPTIONS
    if listed:
        lines = field_lines(passed_on)
        passed_on = b"".join([line for name, _, line in lines if name not in listed])
    coding, size = seen.get(b"transfer-encoding"), seen.get(b"content-length")
    length = content_length(size) if size is not None else None
    chunked = False
    if coding is not None:
        if size is not None or coding.lower() != b"chunked" or not http11:
            raise Malformed("its length could be read in two ways")
        chunked = True
    # Who announces a body where none may come might send it all the same: it would be read as the
    # next answer, which is somebody else's.
    at_risk = False
    if status < 200 or status in _NO_BODY or method == b"HEAD":
        at_risk = chunked or bool(length)
        length, chunked = 0, chunked and status >= 200 and status not in _NO_BODY
    return Answer(
        status=status,
        lines=b"HTTP/1.1 %d%b\r\n%b" % (status, line[3] or b" ", passed_on),
        length=length,
        chunked=chunked,
        upgrade=seen.get(b"upgrade") if status == 101 and b"upgrade" in connection else None,
        reusable=http11
        and b"close" not in connection
        and (length is not None or chunked)
        and not at_risk,
    )
