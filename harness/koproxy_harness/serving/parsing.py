"""HTTP/1.1 requests from bytes, read as strictly as the grammar allows and kept byte for byte.

No socket and no reactor here (sans-IO). Nothing is repaired: whatever RFC 9112 lets a lenient
server guess about (two lengths, a bare LF, a blank before a colon) is refused, because a test
wants to see it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar

from koproxy_harness.errors import BadRequest

Headers = tuple[tuple[str, str], ...]

MAX_HEAD = 1 << 20  # bytes, the limit of Kubernetes API servers
_REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP/([0-9]\.[0-9])")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(;[\t\x20-\x7e]*)?")
_NOT_IN_TRAILERS = {"content-length", "transfer-encoding", "host", "connection", "trailer"}


@dataclass(frozen=True, slots=True)
class Head:
    """A request's line and fields, in the order and spelling in which they came (as latin-1)."""

    method: str
    target: str
    version: str
    headers: Headers
    raw: bytes


@dataclass(frozen=True, slots=True)
class Data:
    """Some of the body: `body` what it says, `raw` what was on the wire for it."""

    body: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The end of a request, with its trailers."""

    trailers: Headers
    raw: bytes


class _State(Enum):
    HEAD = auto()
    LENGTH = auto()
    CHUNK_SIZE = auto()
    CHUNK = auto()
    CHUNK_END = auto()
    TRAILERS = auto()


class RequestParser:
    """One connection's requests, one after the other.

    >>> parser = RequestParser()
    >>> parser.receive(b"GET /version HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
    >>> parser.next().target
    '/version'
    >>> parser.next()
    End(trailers=(), raw=b'')
    >>> parser.next() is None
    True
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._taken = b""
        self._state = _State.HEAD
        self._left = 0

    def receive(self, data: bytes) -> None:
        """Take bytes from the wire."""
        self._buffer += data

    def rest(self) -> bytes:
        """Take what no event has told of: after an upgrade, or what was refused."""
        rest = self._taken + bytes(self._buffer)
        self._taken = b""
        self._buffer.clear()
        return rest

    def next(self) -> Head | Data | End | None:
        """Give the next event, or None until more bytes come.

        Raises `BadRequest`, after which the connection must be closed.
        """
        event = self._STEPS[self._state](self)
        self._taken = b""
        return event

    def _take(self, size: int) -> bytes:
        self._taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return self._taken

    def _head(self) -> Head | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end > MAX_HEAD or (end < 0 and len(self._buffer) > MAX_HEAD):
            raise BadRequest("the head is longer than 1 MiB", 431)
        if end < 0:
            return None
        raw = self._take(end + 4)
        first, *lines = raw[:-4].split(b"\r\n")
        line = _REQUEST_LINE.fullmatch(first)
        if line is None:
            raise BadRequest(f"not a request line: {first[:80]!r}")
        method, target, version = (part.decode("ascii") for part in line.groups())
        if version != "1.1":
            raise BadRequest(f"HTTP/{version} is not HTTP/1.1", 505)
        if not target.startswith("/"):
            raise BadRequest(f"the target is not a path: {target[:80]!r}")
        headers = _fields(lines)
        self._frame(headers)
        return Head(method, target, version, headers, raw)

    def _frame(self, headers: Headers) -> None:
        if len(_values(headers, "host")) != 1:
            raise BadRequest("there must be exactly one Host")
        lengths = _values(headers, "content-length")
        codings = _values(headers, "transfer-encoding")
        if codings and lengths:
            raise BadRequest("Content-Length and Transfer-Encoding in one request")
        if codings:
            if [coding.lower() for coding in codings] != ["chunked"]:
                raise BadRequest(f"Transfer-Encoding is not exactly 'chunked': {codings!r}")
            self._state = _State.CHUNK_SIZE
            return
        if len(lengths) > 1:
            raise BadRequest("more than one Content-Length")
        if lengths and not re.fullmatch(r"[0-9]{1,18}", lengths[0]):
            raise BadRequest(f"Content-Length is not a number: {lengths[0][:40]!r}")
        self._state = _State.LENGTH
        self._left = int(lengths[0]) if lengths else 0

    def _length(self) -> Data | End | None:
        if not self._left:
            self._state = _State.HEAD
            return End((), b"")
        if not self._buffer:
            return None
        data = self._take(self._left)
        self._left -= len(data)
        return Data(data, data)

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n")
        if end > MAX_HEAD or (end < 0 and len(self._buffer) > MAX_HEAD):
            raise BadRequest("a line in the body is longer than 1 MiB")
        return None if end < 0 else self._take(end + 2)

    def _chunk_size(self) -> Data | None:
        raw = self._line()
        if raw is None:
            return None
        size = _CHUNK.fullmatch(raw[:-2])
        if size is None:
            raise BadRequest(f"not a chunk size: {raw[:40]!r}")
        self._left = int(size[1], 16)
        self._state = _State.CHUNK if self._left else _State.TRAILERS
        return Data(b"", raw)

    def _chunk(self) -> Data | None:
        if not self._buffer:
            return None
        data = self._take(self._left)
        self._left -= len(data)
        if not self._left:
            self._state = _State.CHUNK_END
        return Data(data, data)

    def _chunk_end(self) -> Data | None:
        if len(self._buffer) < 2:
            return None
        raw = self._take(2)
        if raw != b"\r\n":
            raise BadRequest(f"a chunk does not end where it says: {raw!r}")
        self._state = _State.CHUNK_SIZE
        return Data(b"", raw)

    def _trailers(self) -> End | None:
        if self._buffer.startswith(b"\r\n"):
            self._state = _State.HEAD
            return End((), self._take(2))
        end = self._buffer.find(b"\r\n\r\n")
        if end > MAX_HEAD or (end < 0 and len(self._buffer) > MAX_HEAD):
            raise BadRequest("the trailers are longer than 1 MiB", 431)
        if end < 0:
            return None
        raw = self._take(end + 4)
        trailers = _fields(raw[:-4].split(b"\r\n"))
        for name, _ in trailers:
            if name.lower() in _NOT_IN_TRAILERS:
                raise BadRequest(f"{name} may not be a trailer")
        self._state = _State.HEAD
        return End(trailers, raw)

    _STEPS: ClassVar[dict[_State, Callable[[RequestParser], Head | Data | End | None]]] = {
        _State.HEAD: _head,
        _State.LENGTH: _length,
        _State.CHUNK_SIZE: _chunk_size,
        _State.CHUNK: _chunk,
        _State.CHUNK_END: _chunk_end,
        _State.TRAILERS: _trailers,
    }


def _fields(lines: list[bytes]) -> Headers:
    fields = []
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise BadRequest(f"not a field line: {line[:80]!r}")
        fields.append((field[1].decode("ascii"), field[2].decode("latin-1")))
    return tuple(fields)


def _values(headers: Headers, name: str) -> list[str]:
    return [value for key, value in headers if key.lower() == name]
