"""Chunks read a second time, slowly and plainly (RFC 9112, section 7.1)."""

from dataclasses import dataclass, field

from fuzz.plain_grammar import Refused, fields, is_text, lines, need

HEX = frozenset(b"0123456789abcdefABCDEF")
LONGEST_LINE = 4096
LONGEST_TRAILER = 16384


@dataclass
class Chunks:
    """A chunked body as far as it has come; ``end`` is where it ends, if it does."""

    content: bytearray = field(default_factory=bytearray)
    end: int | None = None
    refused: bool = False


def chunks(data: bytes) -> Chunks:
    """Follow a chunked body (RFC 9112, section 7.1)."""
    body = Chunks()
    try:
        body.end = _chunks(data, body.content)
    except Refused:
        body.refused = True
    return body


def _line(data: bytes, at: int) -> int | None:
    """Where the line that begins at ``at`` ends, its CRLF included."""
    end = at
    while end < len(data):
        if data[end] == 0x0A and end > at and data[end - 1] == 0x0D:
            need(end + 1 - at <= LONGEST_LINE, "a long line")
            return end + 1
        end += 1
    need(end - at <= LONGEST_LINE, "a long line")
    return None


def _chunks(data: bytes, content: bytearray) -> int | None:
    at = 0
    while (end := _line(data, at)) is not None:
        line = data[at : end - 2]
        digits = 0
        while digits < len(line) and line[digits] in HEX:
            digits += 1
        need(1 <= digits <= 15, "chunk size")
        extension = line[digits:]
        if extension:
            need(extension.lstrip(b" \t").startswith(b";") and is_text(extension), "extension")
        size = int(line[:digits], 16)
        at = end
        if not size:
            break
        content += data[at : at + size]
        at += size
        if at + 2 > len(data):
            need(b"\r\n".startswith(data[at:]), "chunk end")
            return None
        need(data[at : at + 2] == b"\r\n", "chunk end")
        at += 2
    else:
        return None
    trailer = at
    while (end := _line(data, at)) is not None:
        need(end - trailer <= LONGEST_TRAILER, "a long trailer")
        line, at = data[at : end - 2], end
        if not line:
            return at
        fields(lines(line + b"\r\n"))
    return None
