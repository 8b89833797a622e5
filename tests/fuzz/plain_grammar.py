"""The grammar of heads, read byte by byte from RFC 9110 and RFC 9112.

Nothing here comes from ``koproxy.wire``, neither code nor tables, so that what both say alike is no
accident. It walks on purpose: a fuzzer that watches it sees each step, which a regular expression
hides.
"""

TCHAR = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
DIGITS = frozenset(b"0123456789")


class Refused(Exception):
    """Nothing that the proxy may take."""


def need(condition: bool, why: str) -> None:
    """Refuse, unless ``condition``."""
    if not condition:
        raise Refused(why)


def lines(block: bytes) -> list[bytes]:
    """The lines of ``block`` without their CRLF; each must have one, and no other CR or LF."""
    found, line, at = [], bytearray(), 0
    while at < len(block):
        byte = block[at]
        if byte == 0x0D:
            need(block[at + 1 : at + 2] == b"\n", "a bare CR")
            found.append(bytes(line))
            line.clear()
            at += 2
            continue
        need(byte != 0x0A, "a bare LF")
        line.append(byte)
        at += 1
    need(not line, "an unfinished line")
    return found


def is_text(value: bytes) -> bool:
    """Whether ``value`` has tabs, blanks, visible characters and bytes over 0x7f alone."""
    return all(byte == 0x09 or (byte >= 0x20 and byte != 0x7F) for byte in value)


def is_token(value: bytes) -> bool:
    """Whether ``value`` is a token (RFC 9110, section 5.6.2)."""
    return bool(value) and all(byte in TCHAR for byte in value)


def head_length(data: bytes) -> int | None:
    """Where the first head ends, None if it hasn't yet and may still."""
    for at in range(len(data)):
        if data[at] == 0x0A:
            if data[max(at - 3, 0) : at + 1] == b"\r\n\r\n":
                return at + 1
            if data[max(at - 1, 0)] != 0x0D:
                # Whether its end has come or not, nobody may take it.
                raise Refused("a bare LF")
    return None


def fields(block: list[bytes]) -> list[tuple[bytes, bytes, bytes]]:
    """(lower-case name, value, whole line) of each field line."""
    found = []
    for line in block:
        name, colon, value = line.partition(b":")
        need(bool(colon) and is_token(name), "a name that is none")
        need(is_text(value), "a control character")
        found.append((name.lower(), value.strip(b" \t"), line + b"\r\n"))
    return found


def members(values: list[bytes]) -> set[bytes]:
    """The members of a list that may be spread over several fields."""
    found = {part.strip(b" \t").lower() for value in values for part in value.split(b",")}
    return found - {b""}


def number(value: bytes) -> int:
    """A Content-Length."""
    need(0 < len(value) <= 18 and all(byte in DIGITS for byte in value), "no plain number")
    return int(value)
