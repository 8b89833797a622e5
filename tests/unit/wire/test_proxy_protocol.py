"""The PROXY header: whose address each form of it gives, and what is none."""

import socket

import pytest

from koproxy.wire.proxy_protocol import LARGEST, NoHeader, ProxyHeader

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
IPV4 = socket.inet_aton("192.0.2.7") + socket.inet_aton("198.51.100.1") + b"\xd4\x31\x01\xbb"
IPV6 = (
    socket.inet_pton(socket.AF_INET6, "2001:db8::7")
    + socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    + b"\xd4\x31\x01\xbb"
)
MAPPED = socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.7") + IPV6[16:]


def binary(content: bytes = IPV4, *, command: int = 0x21, kind: int = 0x11) -> bytes:
    return SIGNATURE + bytes([command, kind]) + len(content).to_bytes(2) + content


def read(data: bytes) -> tuple[bool, str | None, bytes]:
    """(whether it is whole, whose address it gives, what comes after it)"""
    header = ProxyHeader()
    taken = header.feed(data)
    return header.done, header.source, data[taken:]


@pytest.mark.parametrize(
    ("header", "source"),
    [
        (b"PROXY TCP4 192.0.2.7 198.51.100.1 54321 443\r\n", "192.0.2.7"),
        (b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"),
        (b"PROXY TCP4 0.0.0.0 1.2.3.4 0 0\r\n", "0.0.0.0"),
        (b"PROXY TCP6 2001:DB8::7 2001:db8::1 54321 443\r\n", "2001:db8::7"),
        (b"PROXY TCP6 2001:0db8:0:0:0:0:0:0007 ::1 54321 443\r\n", "2001:db8::7"),
        (b"PROXY TCP6 ::ffff:192.0.2.7 ::1 54321 443\r\n", "192.0.2.7"),
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None),
        (b"PROXY UNKNOWN any\nthing\r\n", None),
        (b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n", None),
        (binary(), "192.0.2.7"),
        (binary(IPV6, kind=0x21), "2001:db8::7"),
        (binary(MAPPED, kind=0x21), "192.0.2.7"),
        (binary(IPV4 + b"\x02\0\x04kube" + b"\x04\0\0"), "192.0.2.7"),
        (binary(IPV6 + b"\x20\0\x05\1\0\0\0\0", kind=0x21), "2001:db8::7"),
        (binary(IPV4 + b"\x04" + (LARGEST - 31).to_bytes(2) + b"x" * (LARGEST - 31)), "192.0.2.7"),
        (binary(b"", command=0x20, kind=0), None),
        (binary(command=0x20), None),
        (binary(b"whatever", command=0x20, kind=0xFF), None),
        (binary(b"", kind=0), None),
        (binary(b"ignored", kind=0), None),
        (binary(kind=0x12), None),  # UDP
        (binary(b"x" * 216, kind=0x31), None),  # a UNIX socket
        (binary(kind=0x10), None),
    ],
)
def test_what_a_header_says(header: bytes, source: str | None) -> None:
    assert read(header + b"\x16\x03\x01") == (True, source, b"\x16\x03\x01")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\0",  # TLS
        b"GET / HTTP/1.1\r\n",
        b"\r\n\r\n\r\n",
        b"proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        b" PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        b"PROXY TCP4\t1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n",
        b"PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
        b"PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n",
        b"PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.04 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n",
        b"PROXY TCP4 ::1 ::1 1 2\r\n",
        b"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY TCP6 ::1%eth0 ::1 1 2\r\n",
        b"PROXY TCP6 1::2::3 ::1 1 2\r\n",
        b"PROXY TCP6 ::1 1.2.3.4 1 2\r\n",
        b"PROXY TCP6 [::1] ::1 1 2\r\n",
        b"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY UNKNOWNS\r\n",
        b"PROXY \r\n",
        b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
        b"PROXY TCP4" + b" " * 97,
        binary(command=0x11),
        binary(command=0x31),
        binary(command=0x22),
        binary(kind=0x41),
        binary(kind=0x13),
        binary(IPV4[:-1]),
        binary(IPV4, kind=0x21),
        binary(IPV4 + b"\x04"),
        binary(IPV4 + b"\x04\0"),
        binary(IPV4 + b"\x04\0\x01"),
        binary(IPV4 + b"\x03\0\x03abc"),
        binary(IPV4 + b"\x03\0\x04abcd"),
        SIGNATURE + b"\x21\x11" + (LARGEST - 15).to_bytes(2),
        SIGNATURE + b"\x20\0\xff\xff",
    ],
)
def test_what_is_none(data: bytes) -> None:
    with pytest.raises(NoHeader):
        read(data)


@pytest.mark.parametrize("byte", [b"\x16", b"G", b"p", b"\n", b"\0"])
def test_the_first_byte_says_that_there_is_none(byte: bytes) -> None:
    with pytest.raises(NoHeader):
        read(byte)


def test_a_checksum_holds_for_the_whole_header() -> None:
    content = IPV4 + b"\x02\0\x04kube" + b"\x03\0\x04" + bytes(4) + b"\x04\0\x01x"
    whole = binary(content)
    at = whole.index(b"\x03\0\x04") + 3
    summed = whole[:at] + crc32c(whole).to_bytes(4) + whole[at + 4 :]
    assert read(summed) == (True, "192.0.2.7", b"")
    for place in (16, 20, len(summed) - 1):
        spoiled = bytearray(summed)
        spoiled[place] ^= 1
        with pytest.raises(NoHeader, match="checksum"):
            read(bytes(spoiled))


def test_two_checksums_are_none() -> None:
    with pytest.raises(NoHeader, match="checksum"):
        read(binary(IPV4 + b"\x03\0\x04abcd" * 2))


def crc32c(data: bytes) -> int:
    """The same by division, bit by bit."""
    state = 0xFFFFFFFF
    for byte in data:
        for bit in range(8):
            low = (state ^ byte >> bit) & 1
            state = state >> 1 ^ 0x82F63B78 * low
    return state ^ 0xFFFFFFFF


def test_the_polynomial_is_castagnolis() -> None:
    assert crc32c(bytes(range(32))) == 0x46DD794E  # RFC 3720, appendix B.4
