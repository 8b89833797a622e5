"""What must hold for a body: the same content and the same end in any pieces, in each form."""

from dataclasses import dataclass

import h11

from fuzz.plain_body import chunks
from fuzz.reading import H11_SIZE, content, pieces_of
from koproxy.wire.body import Body, ChunkedBody, FixedBody
from koproxy.wire.fields import Malformed


@dataclass
class _Followed:
    out: bytes = b""
    rest: bytes = b""
    done: bool = False
    refused: bool = False


def _follow(body: Body, pieces: list[bytes]) -> _Followed:
    got = _Followed()
    try:
        for at, piece in enumerate(pieces):
            if body.done:
                got.rest += b"".join(pieces[at:])
                break
            out, rest = body.feed(piece)
            got.out += out
            got.rest += rest
    except Malformed:
        got.refused = True
    got.done = body.done
    return got


def check_body(data: bytes) -> None:
    model = chunks(data)
    whole, end = bytes(model.content), model.end
    for pieces in pieces_of(data):
        for form in (ChunkedBody.RAW, ChunkedBody.PLAIN, ChunkedBody.CONTENT):
            got = _follow(ChunkedBody(form), pieces)
            assert got.refused == model.refused, f"refused: {got.refused}, form {form}"
            assert got.done == (end is not None and not model.refused)
            assert got.rest == (data[end:] if end is not None else b"")
            if form == ChunkedBody.CONTENT:
                assert whole.startswith(got.out)
                assert got.refused or got.out == whole, "content is held back"
            elif form == ChunkedBody.RAW:
                assert data.startswith(got.out)
                assert end is None or got.out == data[:end]
            _check_form(form, got, whole)
        fixed = _follow(FixedBody(len(data) // 2), pieces)
        assert (fixed.out, fixed.rest) == (data[: len(data) // 2], data[len(data) // 2 :])


def _check_form(form: int, got: _Followed, expected: bytes) -> None:
    """What was given out says the same to the one who gets it, and ends only if it has ended."""
    if form == ChunkedBody.CONTENT:
        return
    read = chunks(got.out)
    assert not read.refused, "what was refused has been passed on"
    assert (read.end is not None) == got.done
    assert expected.startswith(bytes(read.content))
    assert got.refused or bytes(read.content) == expected
    if form == ChunkedBody.PLAIN:
        server = h11.Connection(h11.SERVER, max_incomplete_event_size=H11_SIZE)
        server.receive_data(b"PUT / HTTP/1.1\r\nHost: k\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert isinstance(server.next_event(), h11.Request)
        if got.out:  # nothing would mean the end of the connection
            server.receive_data(got.out)
        assert content(server) == (bytes(read.content), got.done)
        if got.done:
            assert server.trailing_data == (b"", False)
