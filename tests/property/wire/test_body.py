"""Chunks in any pieces: the same body, the same end, and nothing from between the chunks."""

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from koproxy.wire.body import ChunkedBody, FixedBody
from koproxy.wire.fields import Malformed

EXTENSIONS = st.sampled_from([b"", b";a=b", b" ; a", b';q="x;y"', b";\xe9"])
TRAILERS = st.sampled_from([b"", b"Expires: x\r\n", b"Impersonate-User: admin\r\nA: b\r\n"])
CONTENT = st.lists(st.binary(min_size=1, max_size=40), max_size=5)
AFTER = st.binary(max_size=20)


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """(a chunked body, its content)"""
    content = draw(CONTENT)
    raw = b""
    for piece in content:
        size = draw(st.sampled_from([b"%x", b"%X", b"0%x"])) % len(piece)
        raw += size + draw(EXTENSIONS) + b"\r\n" + piece + b"\r\n"
    raw += b"0" + draw(EXTENSIONS) + b"\r\n" + draw(TRAILERS) + b"\r\n"
    return raw, b"".join(content)


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def follow(form: int, pieces: list[bytes]) -> tuple[bytes, bytes, bool]:
    body = ChunkedBody(form)
    out = rest = b""
    for piece in pieces:
        if body.done:
            rest += piece
            continue
        got, more = body.feed(piece)
        out += got
        rest += more
    return out, rest, body.done


@given(messages(), AFTER, st.lists(st.integers(min_value=0), max_size=8))
@example((b"5\r\nhello\r\n0\r\n\r\n", b"hello"), b"GET /", list(range(30)))
def test_any_pieces_give_one_body(
    message: tuple[bytes, bytes], after: bytes, cuts: list[int]
) -> None:
    raw, content = message
    pieces = in_pieces(raw + after, cuts)
    assert follow(ChunkedBody.RAW, pieces) == (raw, after, True)
    assert follow(ChunkedBody.CONTENT, pieces) == (content, after, True)
    plain, rest, done = follow(ChunkedBody.PLAIN, pieces)
    assert (rest, done) == (after, True)
    # What goes upstream, read by somebody else: the content, and not one trailer.
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"PUT / HTTP/1.1\r\nHost: k\r\nTransfer-Encoding: chunked\r\n\r\n" + plain)
    assert isinstance(server.next_event(), h11.Request)
    read = b""
    while isinstance(event := server.next_event(), h11.Data):
        read += event.data
    assert read == content
    assert isinstance(event, h11.EndOfMessage)
    assert event.headers == []
    assert server.trailing_data == (b"", False)
    assert b";" not in plain.replace(content, b"") or b";" in content


@given(messages(), st.integers(min_value=0))
def test_a_cut_body_is_never_done(message: tuple[bytes, bytes], cut: int) -> None:
    raw, _ = message
    for form in (ChunkedBody.RAW, ChunkedBody.PLAIN, ChunkedBody.CONTENT):
        out, rest, done = follow(form, [raw[: cut % len(raw)]])
        assert not done
        assert rest == b""
        assert not (
            form == ChunkedBody.PLAIN and out.endswith(b"0\r\n\r\n") and b"0\r\n\r\n" not in raw
        )


@given(st.binary(max_size=60), st.lists(st.integers(min_value=0), max_size=4))
def test_any_bytes_end_the_same_way_in_any_pieces(data: bytes, cuts: list[int]) -> None:
    def outcome(pieces: list[bytes]) -> tuple[bytes, bytes, bool] | str:
        try:
            return follow(ChunkedBody.CONTENT, pieces)
        except Malformed:
            return "malformed"

    assert outcome([data]) == outcome(in_pieces(data, cuts))


@pytest.mark.parametrize(
    "data",
    [
        b"5 \r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b"+5\r\nhello\r\n",
        b"-0\r\n\r\n",
        b"5\nhello\r\n",
        b"\r\n",
        b"5\r\nhelloX\r\n",
        b"5\r\nhello\n",
        b"fffffffffffffffff\r\n",
        b"5;a\0b\r\n",
        b"0\r\nImpersonate-User : x\r\n\r\n",
        b"0\r\n folded: x\r\n\r\n",
        b"5" * 5000,
        b"0\r\n" + b"A: b\r\n" * 5000,
        b"0\r\nA: " + b"x" * 4200 + b"\r\n\r\n",
    ],
)
@pytest.mark.parametrize("form", [ChunkedBody.RAW, ChunkedBody.PLAIN, ChunkedBody.CONTENT])
def test_what_is_no_chunk_is_refused(data: bytes, form: int) -> None:
    with pytest.raises(Malformed):
        ChunkedBody(form).feed(data)


@given(st.binary(max_size=50), st.integers(min_value=0, max_value=60))
def test_a_length_is_counted(data: bytes, length: int) -> None:
    body = FixedBody(length)
    assert body.feed(data) == (data[:length], data[length:])
    assert body.done == (len(data) >= length)
