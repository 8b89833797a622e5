"""WebSocket frames: messages from any pieces, and what a client may not send."""

import contextlib
import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube.streams import websocket
from koproxy_harness.kube.streams.websocket import BINARY, PING, Message


def masked(data, first=0x80 | BINARY, mask=b"\x01\x02\x03\x04"):
    """A client's frame."""
    length = len(data)
    if length < 126:
        head = struct.pack(">BB", first, 0x80 | length)
    elif length < 65536:
        head = struct.pack(">BBH", first, 0xFE, length)
    else:
        head = struct.pack(">BBQ", first, 0xFF, length)
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))


def read(data, cuts=()):
    decoder = websocket.Decoder()
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(places)]
    return [message for piece in pieces for message in decoder.receive(piece)]


def test_the_handshake_is_the_one_of_the_rfc():
    assert websocket.accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@given(
    st.lists(st.binary(max_size=300)), st.binary(min_size=4, max_size=4), st.lists(st.integers())
)
def test_messages_are_read_in_any_pieces(sent, mask, cuts):
    data = b"".join(masked(each, mask=mask) for each in sent)
    assert read(data, cuts) == [Message(BINARY, each) for each in sent]


@pytest.mark.parametrize("length", [125, 126, 65535, 65536])
def test_every_form_of_length_is_read_and_written(length):
    assert read(masked(b"x" * length)) == [Message(BINARY, b"x" * length)]
    unmasked = masked(b"x" * length, mask=bytes(4))
    at = len(unmasked) - length - 4
    head = bytes([unmasked[0], unmasked[1] & 0x7F]) + unmasked[2:at]
    assert websocket.encode(b"x" * length) == head + b"x" * length


def test_a_message_in_frames_is_one_and_a_ping_may_be_between():
    data = masked(b"a", BINARY) + masked(b"?", 0x80 | PING) + masked(b"b", 0x80)
    assert read(data) == [Message(PING, b"?"), Message(BINARY, b"ab")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (websocket.encode(b"not masked"), websocket.PROTOCOL_ERROR),
        (masked(b"", 0xC2), websocket.PROTOCOL_ERROR),
        (masked(b"", 0x83), websocket.PROTOCOL_ERROR),
        (masked(b"", 0x80), websocket.PROTOCOL_ERROR),
        (masked(b"a", BINARY) + masked(b"b"), websocket.PROTOCOL_ERROR),
        (masked(b"", PING), websocket.PROTOCOL_ERROR),
        (bytes.fromhex("82ffffffffffffffffff"), websocket.TOO_BIG),
    ],
    ids=["unmasked", "reserved bit", "opcode", "continues none", "in another", "ping", "huge"],
)
def test_what_breaks_the_protocol_is_refused(data, code):
    with pytest.raises(websocket.WebSocketError) as refused:
        read(data)
    assert refused.value.code == code


@given(st.binary())
def test_any_bytes_are_messages_or_refused(data):
    with contextlib.suppress(websocket.WebSocketError):
        read(data)
