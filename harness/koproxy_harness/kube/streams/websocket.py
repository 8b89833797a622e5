"""WebSocket at the server's end (RFC 6455): the handshake's answer, and messages both ways.

No extension is ever agreed on. What the messages carry is not known here, and no socket either.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
NORMAL, PROTOCOL_ERROR, TOO_BIG = 1000, 1002, 1009

LARGEST_MESSAGE = 1 << 24  # bytes

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION = 0
_KNOWN = (_CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG)


class WebSocketError(Exception):
    """What came breaks the protocol; `code` is what to close with (RFC 6455, section 7.4.1)."""

    def __init__(self, message: str, code: int = PROTOCOL_ERROR) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message, or a control frame: `kind` is its opcode."""

    kind: int
    data: bytes


def accept(key: str) -> str:
    """Give the Sec-WebSocket-Accept for a client's key (section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode() + _MAGIC).digest()).decode()


def encode(data: bytes, kind: int = BINARY) -> bytes:
    """Give one message as one frame."""
    first = 0x80 | kind
    if len(data) < 126:
        return struct.pack(">BB", first, len(data)) + data
    if len(data) < 1 << 16:
        return struct.pack(">BBH", first, 126, len(data)) + data
    return struct.pack(">BBQ", first, 127, len(data)) + data


class Decoder:
    """Reads a client's messages from bytes as they come."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._kind = 0  # of the message that has begun
        self._message = bytearray()

    def receive(self, data: bytes) -> Iterator[Message]:
        """Give what these bytes complete; raises `WebSocketError`."""
        self._bytes += data
        while (frame := self._frame()) is not None:
            message = self._joined(*frame)
            if message is not None:
                yield message

    def _frame(self) -> tuple[bool, int, bytes] | None:
        have = self._bytes
        if len(have) < 2:
            return None
        final, kind, length = bool(have[0] & 0x80), have[0] & 0x0F, have[1] & 0x7F
        if have[0] & 0x70 or kind not in _KNOWN:
            raise WebSocketError("a frame has bits or an opcode that nobody agreed on")
        if not have[1] & 0x80:
            raise WebSocketError("a client's frame is not masked")
        if kind >= CLOSE and (length > 125 or not final):
            raise WebSocketError("a control frame is too long or in pieces")
        at = 2
        if length >= 126:
            size = 2 if length == 126 else 8
            if len(have) < at + size:
                return None
            length = int.from_bytes(have[at : at + size], "big")
            at += size
        if length + len(self._message) > LARGEST_MESSAGE:
            raise WebSocketError(f"a message has more than {LARGEST_MESSAGE} bytes", TOO_BIG)
        if len(have) < at + 4 + length:
            return None
        masked = bytes(have[at + 4 : at + 4 + length])
        mask = bytes(have[at : at + 4]) * (length // 4 + 1)
        del have[: at + 4 + length]
        plain = int.from_bytes(masked, "big") ^ int.from_bytes(mask[:length], "big")
        return final, kind, plain.to_bytes(length, "big")

    def _joined(self, final: bool, kind: int, data: bytes) -> Message | None:
        if kind >= CLOSE:
            return Message(kind, data)
        if (kind == _CONTINUATION) != bool(self._kind):
            raise WebSocketError("a message's frames are out of order")
        self._kind = self._kind or kind
        self._message += data
        if not final:
            return None
        message = Message(self._kind, bytes(self._message))
        self._kind = 0
        self._message.clear()
        return message
