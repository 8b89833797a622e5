"""Where a body ends: lengths counted and chunks followed, the content never looked at.

It may not hold content back: what has arrived is given out, only the unfinished lines between
chunks wait for their end. RFC 9112, sections 6 and 7.
"""

import re
from typing import ClassVar

from koproxy.wire.fields import Malformed, field_lines

_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*+)?\r\n")
_LONGEST_LINE = 4096
_LONGEST_TRAILER = 16384


class FixedBody:
    """A body of a known number of bytes."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = length

    @property
    def done(self) -> bool:
        """Whether the body's last byte has passed."""
        return self._left == 0

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Give (what belongs to the body, what comes after it)."""
        if len(data) <= self._left:
            self._left -= len(data)
            return data, b""
        body, rest = data[: self._left], data[self._left :]
        self._left = 0
        return body, rest


NO_BODY = FixedBody(0)


class EndlessBody:
    """A body that ends with its connection (RFC 9112, section 6.3, rule 8)."""

    __slots__ = ()
    done = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Everything belongs to the body."""
        return data, b""


class ChunkedBody:
    """A body in chunks, given out in one of three forms.

    ``RAW``: byte by byte as it came (answers to HTTP/1.1 clients, with extensions and trailers).
    ``PLAIN``: chunks without their extensions and without trailers, so that the receiver sees one
    framing and no field that came after the checks (requests). ``CONTENT``: the content alone
    (answers to HTTP/1.0 clients).
    """

    RAW: ClassVar = 0
    PLAIN: ClassVar = 1
    CONTENT: ClassVar = 2
    __slots__ = ("_form", "_held", "_left", "_state", "_trailer")

    _SIZE: ClassVar = 0
    _DATA: ClassVar = 1
    _DATA_END: ClassVar = 2
    _TRAILER: ClassVar = 3
    _DONE: ClassVar = 4

    def __init__(self, form: int) -> None:
        self._form = form
        self._state = self._SIZE
        self._left = 0
        self._held = b""
        self._trailer = 0

    @property
    def done(self) -> bool:
        """Whether the last chunk and the trailer section have passed."""
        return self._state == self._DONE

    @property
    def between_chunks(self) -> bool:
        """Whether what was given out ends with a chunk's end, or with the head."""
        return self._state == self._SIZE

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Give (the body's bytes in this body's form, what comes after the body).

        Raises :class:`Malformed` at a chunk size, a chunk's end or a trailer that isn't one.
        """
        if self._held:
            data = self._held + data
            self._held = b""
        out: list[bytes] = []
        position, end = 0, len(data)
        while position < end and self._state != self._DONE:
            if self._state == self._DATA:
                taken = min(self._left, end - position)
                if self._form != self.RAW:
                    out.append(data[position : position + taken])
                position += taken
                self._left -= taken
                if not self._left:
                    self._state = self._DATA_END
                continue
            step = self._line(data, position, out)
            if step == position:
                break
            position = step
        rest = b""
        if self._state == self._DONE:
            rest = data[position:]
        else:
            self._held = data[position:]
        if self._form == self.RAW:
            return data[:position], rest
        return b"".join(out), rest

    def _line(self, data: bytes, position: int, out: list[bytes]) -> int:
        """Follow a line between chunks; gives where it ends, or ``position`` if it isn't whole."""
        if self._state == self._DATA_END:
            crlf = data[position : position + 2]
            if crlf == b"\r\n":
                self._state = self._SIZE
                if self._form == self.PLAIN:
                    out.append(crlf)
                return position + 2
            if crlf != b"\r":
                raise Malformed("a chunk does not end where its size says")
            return position
        ending = data.find(b"\r\n", position)
        if ending < 0:
            if len(data) - position > _LONGEST_LINE:
                raise Malformed("a line between chunks is too long")
            return position
        ending += 2
        if ending - position > _LONGEST_LINE:
            raise Malformed("a line between chunks is too long")
        if self._state == self._SIZE:
            match = _CHUNK_LINE.fullmatch(data, position, ending)
            if match is None:
                raise Malformed("a chunk size is not a plain hexadecimal number")
            self._left = int(match[1], 16)
            self._state = self._DATA if self._left else self._TRAILER
            if self._form == self.PLAIN and self._left:
                out.append(b"%x\r\n" % self._left)
            return ending
        self._trailer += ending - position
        if self._trailer > _LONGEST_TRAILER:
            raise Malformed("the trailer section is too long")
        if ending - position == 2:
            self._state = self._DONE
            if self._form == self.PLAIN:
                out.append(b"0\r\n\r\n")
        else:
            for _ in field_lines(data[position:ending]):
                pass
        return ending


Body = FixedBody | ChunkedBody | EndlessBody
