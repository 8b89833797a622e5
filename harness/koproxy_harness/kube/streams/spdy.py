"""SPDY/3.1 frames as Kubernetes' clients speak them: bytes to frames and back, and no sockets.

https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/. What a frame means for a stream
is not decided here. There is no flow control, as there is none in Kubernetes' own library.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from koproxy_harness.kube.streams.dictionary import DICTIONARY

FIN = 1
INVALID_STREAM = 2

_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _HEADERS, _WINDOW_UPDATE = (
    *(1, 2, 3, 4),
    *(6, 7, 8, 9),
)
_VERSION = 3
_HEAD = 8
_LARGEST_CONTROL = 1 << 16  # bytes: header blocks here are some hundred
_LARGEST_BLOCK = 1 << 20  # bytes, uncompressed
_LARGEST_PIECE = 1 << 15  # bytes of a data frame that we write
# The bytes of each control frame before its header block, or of all of it.
_FIXED = {_SYN_STREAM: 10, _SYN_REPLY: 4, _RST_STREAM: 8, _PING: 4, _GOAWAY: 8, _HEADERS: 4}


class SpdyError(Exception):
    """What came is not SPDY/3.1; the connection can't go on."""


@dataclass(frozen=True, slots=True)
class Opened:
    """SYN_STREAM: the client opens a stream; with `ended` it will send nothing in it."""

    stream: int
    headers: Mapping[str, str]
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Replied:
    """SYN_REPLY: the stream is taken."""

    stream: int
    headers: Mapping[str, str]
    ended: bool = False


@dataclass(frozen=True, slots=True)
class More:
    """HEADERS: more of them, for a stream that is open."""

    stream: int
    headers: Mapping[str, str]
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """A piece of a data frame; `ended` is of the last piece of the last frame of a stream."""

    stream: int
    data: bytes
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """RST_STREAM: nothing more goes either way."""

    stream: int
    status: int


@dataclass(frozen=True, slots=True)
class Ping:
    """PING: to be sent back as it is."""

    number: int


@dataclass(frozen=True, slots=True)
class GoAway:
    """GOAWAY: the sender opens no more streams."""

    last: int
    status: int = 0


Frame = Opened | Replied | More | Data | Reset | Ping | GoAway


class Decoder:
    """Reads frames from bytes as they come; SETTINGS and WINDOW_UPDATE are read over."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._stream = 0
        self._left = 0  # bytes of the data frame that has begun
        self._last = False
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)

    def receive(self, data: bytes) -> Iterator[Frame]:
        """Give what these bytes complete; raises `SpdyError`."""
        self._bytes += data
        while True:
            if self._left:
                if not self._bytes:
                    return
                yield self._piece()
                continue
            if len(self._bytes) < _HEAD:
                return
            first, second = struct.unpack_from(">II", self._bytes)
            flags, length = second >> 24, second & 0xFFFFFF
            if not first >> 31:
                del self._bytes[:_HEAD]
                if not first:
                    raise SpdyError("a data frame is of stream 0")
                self._stream, self._left, self._last = first, length, bool(flags & FIN)
                if not length:
                    yield Data(first, b"", self._last)
                continue
            if first >> 16 & 0x7FFF != _VERSION:
                raise SpdyError(f"a frame is of version {first >> 16 & 0x7FFF} and not 3")
            if length > _LARGEST_CONTROL:
                raise SpdyError(f"a control frame has {length} bytes")
            if len(self._bytes) < _HEAD + length:
                return
            body = bytes(self._bytes[_HEAD : _HEAD + length])
            del self._bytes[: _HEAD + length]
            frame = self._control(first & 0xFFFF, flags, body)
            if frame is not None:
                yield frame

    def _piece(self) -> Data:
        data = bytes(self._bytes[: self._left])
        del self._bytes[: self._left]
        self._left -= len(data)
        return Data(self._stream, data, self._last and not self._left)

    def _control(self, kind: int, flags: int, body: bytes) -> Frame | None:
        if kind in (_SETTINGS, _WINDOW_UPDATE):
            return None
        fixed = _FIXED.get(kind)
        if fixed is None or len(body) < fixed:
            raise SpdyError(f"a control frame of type {kind} with {len(body)} bytes")
        (number,) = struct.unpack_from(">I", body)
        ended = bool(flags & FIN)
        match kind:
            case 1:
                return Opened(number & 0x7FFFFFFF, self._headers(body[fixed:]), ended)
            case 2:
                return Replied(number & 0x7FFFFFFF, self._headers(body[fixed:]), ended)
            case 8:
                return More(number & 0x7FFFFFFF, self._headers(body[fixed:]), ended)
            case 6:
                return Ping(number)
        (status,) = struct.unpack_from(">I", body, 4)
        return Reset(number, status) if kind == _RST_STREAM else GoAway(number, status)

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            plain = self._inflate.decompress(block, _LARGEST_BLOCK)
        except zlib.error as error:
            raise SpdyError(f"a header block can't be decompressed: {error}") from None
        if self._inflate.unconsumed_tail:
            raise SpdyError(f"a header block has more than {_LARGEST_BLOCK} bytes")
        try:
            return dict(_pairs(plain))
        except struct.error:
            raise SpdyError("a header block is cut off") from None


def _pairs(plain: bytes) -> Iterator[tuple[str, str]]:
    (count,) = struct.unpack_from(">I", plain)
    at = 4
    for _ in range(count):
        name, at = _text(plain, at)
        value, at = _text(plain, at)
        yield name, value


def _text(plain: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">I", plain, at)
    at += 4
    if length > len(plain) - at:
        raise SpdyError("a header is longer than its block")
    return plain[at : at + length].decode("latin-1"), at + length


class Encoder:
    """Writes frames; one for each direction of a connection, for the headers are compressed."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def encode(self, frame: Frame) -> bytes:
        """Give the bytes of a frame, or of several for much data."""
        match frame:
            case Data(stream, data, ended):
                return b"".join(_data(stream, data, ended))
            case Opened(stream, headers, ended):
                fixed = struct.pack(">IIBB", stream, 0, 0, 0)
                return _control(_SYN_STREAM, ended, fixed + self._block(headers))
            case Replied(stream, headers, ended):
                fixed = struct.pack(">I", stream)
                return _control(_SYN_REPLY, ended, fixed + self._block(headers))
            case More(stream, headers, ended):
                fixed = struct.pack(">I", stream)
                return _control(_HEADERS, ended, fixed + self._block(headers))
            case Reset(stream, status):
                return _control(_RST_STREAM, False, struct.pack(">II", stream, status))
            case Ping(number):
                return _control(_PING, False, struct.pack(">I", number))
            case GoAway(last, status):
                return _control(_GOAWAY, False, struct.pack(">II", last, status))

    def _block(self, headers: Mapping[str, str]) -> bytes:
        plain = struct.pack(">I", len(headers))
        for name, value in headers.items():
            for text in (name.lower().encode("latin-1"), value.encode("latin-1")):
                plain += struct.pack(">I", len(text)) + text
        return self._deflate.compress(plain) + self._deflate.flush(zlib.Z_SYNC_FLUSH)


def _control(kind: int, ended: bool, body: bytes) -> bytes:
    head = struct.pack(">HHI", 0x8000 | _VERSION, kind, (FIN if ended else 0) << 24 | len(body))
    return head + body


def _data(stream: int, data: bytes, ended: bool) -> Iterator[bytes]:
    for at in range(0, len(data) or 1, _LARGEST_PIECE):
        piece = data[at : at + _LARGEST_PIECE]
        last = ended and at + _LARGEST_PIECE >= len(data)
        yield struct.pack(">II", stream, (FIN if last else 0) << 24 | len(piece)) + piece
