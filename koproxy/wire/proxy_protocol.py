"""The header by which a load balancer says for whom it has opened a connection.

Versions 1 and 2 of the PROXY protocol, as haproxy's ``proxy-protocol.txt`` has them, read strictly
and within a fixed size. It may not guess whether there is a header: who asks knows that there must
be one, and from whom. Bytes after it are never looked at.
"""

import ipaddress
import re
from collections.abc import Iterator

LARGEST = 4096
"""Bytes of the largest header that is taken; haproxy's own are meant to fit into 536."""

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_WORD = b"PROXY "
_LONGEST_LINE = 107
_FIXED = 16  # bytes of version 2 before the addresses
_LOCAL, _PROXY = 0x20, 0x21  # version and command
_FAMILIES, _PROTOCOLS = 4, 3  # unspecified, IPv4, IPv6, UNIX; unspecified, stream, datagram
_TCP4, _TCP6 = 0x11, 0x21
_LENGTHS = {_TCP4: 12, _TCP6: 36}
_CHECKSUM = 0x03  # the type of the one TLV that is about the header itself

_PORT = rb"(0|[1-9][0-9]{0,4})"
_LINE = re.compile(
    rb"PROXY (?:UNKNOWN(?: .*)?|(TCP[46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) "
    + _PORT
    + rb" "
    + _PORT
    + rb")\r\n",
    re.DOTALL,
)


class NoHeader(Exception):
    """The bytes aren't a header; the text is a clause without any byte that the peer chose."""


class ProxyHeader:
    """Reads the header that a connection begins with, in whatever pieces it comes."""

    __slots__ = ("_held", "done", "source")

    def __init__(self) -> None:
        self._held = b""
        self.done = False
        """Whether the header is whole."""
        self.source: str | None = None
        """The IP address of the one who has connected; None: the socket's own peer."""

    def feed(self, data: bytes) -> int:
        """Take in what came next; give how many of these bytes are the header's.

        Raises:
            NoHeader: there is none; of bytes that begin otherwise, the first few say so.
        """
        before = len(self._held)
        held = self._held + data
        end = _end(held)
        if not end:
            self._held = held
            return len(data)
        self._held = b""
        self.source = _source(held[:end])
        self.done = True
        return end - before


def _end(held: bytes) -> int:
    """Find where the header ends; 0 if that has not come yet."""
    if _begins(held, _SIGNATURE):
        if len(held) < _FIXED:
            return 0
        end = _FIXED + int.from_bytes(held[14:16])
        if end > LARGEST:
            raise NoHeader(f"it is larger than {LARGEST} bytes")
        return end if len(held) >= end else 0
    if _begins(held, _WORD):
        end = held.find(b"\r\n", 0, _LONGEST_LINE) + 2
        if end < 2 and len(held) >= _LONGEST_LINE:
            raise NoHeader(f"its line has no end within {_LONGEST_LINE} bytes")
        return end if end >= 2 else 0
    raise NoHeader("it begins as neither version does")


def _begins(held: bytes, with_what: bytes) -> bool:
    """Whether ``held`` begins so, as far as it has come."""
    return with_what.startswith(held[: len(with_what)])


def _source(header: bytes) -> str | None:
    return _of_line(header) if header.startswith(_WORD) else _of_binary(header)


def _of_line(header: bytes) -> str | None:
    line = _LINE.fullmatch(header)
    if line is None:
        raise NoHeader("its line is not as version 1 has it")
    family, source, destination, *ports = line.groups()
    if family is None:
        return None
    if any(int(port) > 65535 for port in ports):
        raise NoHeader("a port is larger than 65535")
    read = ipaddress.IPv4Address if family == b"TCP4" else ipaddress.IPv6Address
    try:
        read(destination.decode())
        return _text(read(source.decode()))
    except ValueError:
        raise NoHeader("an address is none of its family") from None


def _of_binary(header: bytes) -> str | None:
    command, kind = header[12], header[13]
    if command == _LOCAL:  # whatever else it says
        return None
    if command != _PROXY:
        raise NoHeader("its version or its command is unknown")
    if kind >> 4 >= _FAMILIES or kind & 15 >= _PROTOCOLS:
        raise NoHeader("its family or its protocol is unknown")
    length = _LENGTHS.get(kind)
    if length is None:
        return None
    if len(header) < _FIXED + length:
        raise NoHeader("its addresses are not whole")
    _check(header, _FIXED + length)
    if kind == _TCP4:
        return _text(ipaddress.IPv4Address(header[16:20]))
    return _text(ipaddress.IPv6Address(header[16:32]))


def _text(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Write an address; one of IPv4 in its own notation, though it came as one of IPv6."""
    return str(getattr(address, "ipv4_mapped", None) or address)


def _check(header: bytes, start: int) -> None:
    """See that what follows the addresses is whole, and that its checksum holds if there is one."""
    sums = [(begin, end) for kind, begin, end in _extensions(header, start) if kind == _CHECKSUM]
    if not sums:
        return
    begin, end = sums[0]
    if len(sums) > 1 or end - begin != 4:
        raise NoHeader("it has not one checksum of four bytes")
    if _crc32c(header[:begin] + bytes(4) + header[end:]) != int.from_bytes(header[begin:end]):
        raise NoHeader("its checksum is another one")


def _extensions(header: bytes, start: int) -> Iterator[tuple[int, int, int]]:
    """Give the type of each extension, and where its value begins and ends."""
    while start < len(header):
        begin = start + 3
        end = begin + int.from_bytes(header[start + 1 : begin])
        if end > len(header) or begin > len(header):
            raise NoHeader("an extension is not whole")
        yield header[start], begin, end
        start = end


def _of_byte(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


_OF_BYTES = tuple(map(_of_byte, range(256)))


def _crc32c(data: bytes) -> int:
    """The checksum of RFC 9260, appendix A: the standard library has only another polynomial."""
    state = 0xFFFFFFFF
    for byte in data:
        state = _OF_BYTES[(state ^ byte) & 0xFF] ^ state >> 8
    return state ^ 0xFFFFFFFF
