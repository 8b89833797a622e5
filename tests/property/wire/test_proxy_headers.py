"""PROXY headers in any pieces: one meaning, and not a byte taken of what comes after them.

Twisted's parsers, which are laxer, read the same headers.
"""

import ipaddress

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.protocols.haproxy._v1parser import V1Parser
from twisted.protocols.haproxy._v2parser import V2Parser

from koproxy.wire.proxy_protocol import LARGEST, NoHeader, ProxyHeader

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ports = st.integers(0, 65535)
pairs = st.sampled_from([4, 6]).flatmap(
    lambda version: st.tuples(st.ip_addresses(v=version), st.ip_addresses(v=version))  # type: ignore[arg-type]
)
extensions = st.lists(
    st.tuples(st.integers(0, 255).filter(lambda kind: kind != 3), st.binary(max_size=20)),
    max_size=4,
)
cuts = st.lists(st.integers(min_value=0), max_size=8)


def line(pair: tuple[Address, Address], from_port: int, to_port: int) -> bytes:
    family = f"TCP{pair[0].version}"
    return f"PROXY {family} {pair[0]} {pair[1]} {from_port} {to_port}\r\n".encode()


def binary(
    pair: tuple[Address, Address],
    from_port: int,
    to_port: int,
    more: list[tuple[int, bytes]],
) -> bytes:
    content = pair[0].packed + pair[1].packed + from_port.to_bytes(2) + to_port.to_bytes(2)
    for kind, value in more:
        content += bytes([kind]) + len(value).to_bytes(2) + value
    kind = 0x11 if pair[0].version == 4 else 0x21
    return SIGNATURE + bytes([0x21, kind]) + len(content).to_bytes(2) + content


headers = st.builds(line, pairs, ports, ports) | st.builds(binary, pairs, ports, ports, extensions)
near = st.builds(
    lambda header, place, byte: (
        header[: place % len(header)] + bytes([byte]) + header[place % len(header) + 1 :]
    ),
    headers,
    st.integers(0, 300),
    st.integers(0, 255),
)
beginnings = st.sampled_from(
    [b"", b"PROXY ", b"PROXY UNKNOWN", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11\0\x0c"]
)
anything = st.builds(bytes.__add__, beginnings, st.binary(max_size=140)) | near | headers


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def follow(pieces: list[bytes]) -> tuple[str, str | None, int]:
    """(what it is, whose address it gives, how many bytes were the header's)"""
    header, taken = ProxyHeader(), 0
    for piece in pieces:
        try:
            now = header.feed(piece)
        except NoHeader:
            return "none", None, 0
        assert 0 <= now <= len(piece)
        taken += now
        if header.done:
            return "whole", header.source, taken
        assert now == len(piece)
    return "not yet", None, taken


@given(headers, st.binary(max_size=60), cuts)
@example(b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", b"\r\n\r\n", list(range(40)))
def test_what_is_written_is_read_and_nothing_after_it(
    header: bytes, after: bytes, cuts: list[int]
) -> None:
    what, source, taken = follow(in_pieces(header + after, cuts))
    assert (what, taken) == ("whole", len(header))
    parser = V1Parser() if header.startswith(b"PROXY") else V2Parser()
    info, rest = parser.feed(header + after)
    assert rest == after
    assert info is not None
    assert isinstance(info.source, IPv4Address | IPv6Address)
    expected = ipaddress.ip_address(info.source.host)
    assert source == str(getattr(expected, "ipv4_mapped", None) or expected)


@given(anything, cuts)
@example(b"PROXY UNKNOWN \r" + b"x" * 90 + b"\r\n", [15])
def test_any_pieces_have_one_meaning(data: bytes, cuts: list[int]) -> None:
    whole = follow([data])
    assert follow(in_pieces(data, cuts)) == whole
    assert follow([bytes([byte]) for byte in data]) == whole


@given(headers, st.integers(min_value=0))
def test_a_cut_header_is_never_whole(header: bytes, cut: int) -> None:
    assert follow([header[: cut % len(header)]])[0] == "not yet"


@given(st.sampled_from([b"PROXY UNKNOWN ", SIGNATURE]), st.binary(min_size=1, max_size=20))
def test_none_is_waited_for_without_end(beginning: bytes, more: bytes) -> None:
    assert follow([beginning + more * LARGEST])[0] != "not yet"
