"""How the oracles cut what they are given into pieces, and have h11 read what comes out."""

import zlib
from collections.abc import Iterable
from itertools import pairwise

import h11

LARGEST_HEAD = 2048
H11_SIZE = 1 << 20


def pieces_of(data: bytes) -> Iterable[list[bytes]]:
    """``data`` whole, in two pieces, in a few, and byte by byte; always the same for the same."""
    yield [data]
    seed = zlib.crc32(data)
    yield _cut(data, [seed])
    yield _cut(data, [seed >> shift for shift in (0, 5, 11, 16)])
    if len(data) <= 160:
        yield [data[at : at + 1] for at in range(len(data))]


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def content(reader: h11.Connection) -> tuple[bytes, bool]:
    """(the content that ``reader`` gives, whether the message ended, which has no trailer)"""
    read = b""
    while True:
        event = reader.next_event()
        if isinstance(event, h11.Data):
            read += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert event.headers == [], "a trailer"
            return read, True
        else:
            assert event is h11.NEED_DATA or event is h11.PAUSED
            return read, False
