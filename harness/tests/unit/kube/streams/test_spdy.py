"""SPDY frames: what Go's library writes is read, in any pieces, and what is hostile is refused."""

import contextlib
import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube.streams import spdy
from koproxy_harness.kube.streams.dictionary import DICTIONARY

# What github.com/moby/spdystream 0.5.1 wrote for these frames, with SETTINGS and WINDOW_UPDATE.
FROM_GO = bytes.fromhex(
    "80030001000000290000000100000000000078f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800"
    "000000ffff800300040000000c000000010000000400000064800300010000002f0000000300000000000002"
    "a5470c295029930829b08bc079c3c2c0c280818181b30812c199a084cf6800000000ffff800300020000000e"
    "000000026260606000000000ffff800300080000001700000003821acd929b5f0436b43cbf28a518000000ff"
    "ff80030006000000040000000780030009000000080000000300000063000000030000000568656c6c6f0000"
    "0003010000008003000300000008000000010000000580030007000000080000000300000000"
)
IN_IT = [
    spdy.Opened(1, {"streamtype": "error"}),
    spdy.Opened(3, {"streamtype": "data", "port": "8080", "requestid": "0"}),
    spdy.Replied(2, {}),
    spdy.More(3, {"more": "words"}),
    spdy.Ping(7),
    spdy.Data(3, b"hello"),
    spdy.Data(3, b"", True),
    spdy.Reset(1, 5),
    spdy.GoAway(3),
]

numbers = st.integers(1, 2**31 - 1)
headers = st.dictionaries(st.text("abcxyz-", min_size=1), st.text("aB3 /\xe4", max_size=40))
frames = st.one_of(
    st.builds(spdy.Opened, numbers, headers, st.booleans()),
    st.builds(spdy.Replied, numbers, headers, st.booleans()),
    st.builds(spdy.More, numbers, headers, st.booleans()),
    st.builds(spdy.Data, numbers, st.binary(max_size=100_000), st.booleans()),
    st.builds(spdy.Reset, numbers, numbers),
    st.builds(spdy.Ping, numbers),
    st.builds(spdy.GoAway, numbers, numbers),
)


def joined(decoded):
    """The frames, with the pieces of data of one stream that follow each other as one."""
    whole = []
    for frame in decoded:
        last = whole[-1] if whole else None
        both = isinstance(frame, spdy.Data) and isinstance(last, spdy.Data)
        if both and frame.stream == last.stream and not last.ended:
            whole[-1] = spdy.Data(frame.stream, last.data + frame.data, frame.ended)
        else:
            whole.append(frame)
    return whole


def read(data, cuts=()):
    decoder = spdy.Decoder()
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(places)]
    return joined([frame for piece in pieces for frame in decoder.receive(piece)])


def test_the_dictionary_is_the_specifications():
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2
    assert len(DICTIONARY) == 1423


def test_frames_of_go_are_read():
    assert read(FROM_GO) == joined(IN_IT)


@given(st.lists(st.integers(0, 10_000)))
def test_frames_of_go_are_read_in_any_pieces(cuts):
    assert read(FROM_GO, cuts) == joined(IN_IT)


@given(st.lists(frames, max_size=8), st.lists(st.integers(0, 1_000_000), max_size=8))
def test_what_is_written_is_read_again(sent, cuts):
    encoder = spdy.Encoder()
    assert read(b"".join(map(encoder.encode, sent)), cuts) == joined(sent)


@given(st.binary())
def test_any_bytes_are_frames_or_refused(data):
    with contextlib.suppress(spdy.SpdyError):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("8003000100ffffff"),
        bytes.fromhex("8002000100000004"),
        bytes.fromhex("8003000500000000"),
        bytes.fromhex("800300010000000400000001"),
        bytes.fromhex("0000000000000001"),
    ],
    ids=["huge control frame", "SPDY/2", "unknown type", "too short", "stream 0"],
)
def test_what_is_not_spdy_is_refused(data):
    with pytest.raises(spdy.SpdyError):
        read(data)


def opening(plain):
    deflate = zlib.compressobj(zdict=DICTIONARY)
    block = deflate.compress(plain) + deflate.flush(zlib.Z_SYNC_FLUSH)
    body = bytes(3) + b"\x01" + bytes(6) + block
    return bytes.fromhex("80030001") + len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    "plain",
    [bytes(2_000_000), b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xff\xff\xff\xffname"],
    ids=["a bomb", "more headers than there are", "a name longer than the block"],
)
def test_header_blocks_are_bounded(plain):
    with pytest.raises(spdy.SpdyError):
        read(opening(plain))
