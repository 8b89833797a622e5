"""The grammar that requests and answers share: field lines, and how a message says its length.

It may not guess: RFC 9112 (sections 5 and 6) is read in its strict sense, and what two readers
could read in two ways is :class:`Malformed`.
"""

import re
from collections.abc import Iterator

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
TEXT = rb"[\t\x20-\x7e\x80-\xff]"

# A possessive quantifier stands behind a set alone: Python before 3.11.5 goes wrong where a group
# has one (gh-106052), and two framings would pass for one. Lines are told apart by how they begin,
# so no input makes a match try a line twice.
FIELD_LINES = re.compile(rb"(?:" + TOKEN + rb"++:" + TEXT + rb"*+\r\n)*")
_DIGITS = re.compile(rb"[0-9]{1,18}")

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Fields that speak of one connection (RFC 9110, section 7.6.1); framing is written anew."""


class Malformed(Exception):
    """The bytes aren't the HTTP/1.1 that this proxy takes.

    ``str(error)`` is a sentence without any byte that the peer chose; ``status`` is the answer's
    code if it was a client who sent them.
    """

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


def head_end(data: bytes, largest: int, seen: int = 0) -> int:
    """Find where the head that ``data`` begins with ends; 0 if that has not come yet.

    ``seen`` bytes were looked at before, in vain: a head that comes in many pieces costs what one
    in one piece costs. Raises :class:`Malformed` once it is larger than ``largest`` bytes (431),
    or has a line that does not end as HTTP's do: its end would be waited for in vain.
    """
    end = data.find(b"\r\n\r\n", max(0, seen - 3)) + 4
    if end < 4:
        if len(data) <= largest:
            if data.count(b"\n", seen) != data.count(b"\r\n", max(0, seen - 1)):
                raise Malformed("a line of the head does not end with CRLF")
            return 0
        end = len(data)
    if end > largest:
        raise Malformed(f"the head is larger than {largest} bytes", 431)
    return end


def field_lines(block: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Take a block of whole field lines apart.

    Gives each line as (lower-case name, value without blanks around it, the line as it came with
    its CRLF). Raises :class:`Malformed` before the first one if any line isn't
    ``token ":" value CRLF``: a bare CR or LF, a folded line, a blank before the colon, a NUL or
    another control character, an empty name.
    """
    if FIELD_LINES.fullmatch(block) is None:
        good = FIELD_LINES.match(block)
        number = block.count(b"\r\n", 0, good.end() if good else 0) + 1
        raise Malformed(f"header line {number} is not a name, a colon and a value")
    for line in block.split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        yield name.lower(), value.strip(b" \t"), line + b"\r\n"


def content_length(value: bytes) -> int:
    """Read a Content-Length: plain digits, at most 18 of them, else :class:`Malformed`."""
    if _DIGITS.fullmatch(value) is None:
        raise Malformed("Content-Length is not a plain number")
    return int(value)


def list_members(value: bytes) -> list[bytes]:
    """The members of a comma-separated list, lower-case, without the empty ones (RFC 9110, 5.6)."""
    return [member for part in value.split(b",") if (member := part.strip(b" \t").lower())]
