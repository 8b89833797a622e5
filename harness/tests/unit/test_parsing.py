"""The strict request parser of the harness: what it takes, what it refuses, byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.errors import BadRequest
from koproxy_harness.serving.parsing import Data, End, Head, RequestParser

HOST = b"Host: a\r\n"


def events(parser):
    found = []
    while (event := parser.next()) is not None:
        found.append(event)
    return found


def parse(*pieces):
    parser, found = RequestParser(), []
    for piece in pieces:
        parser.receive(piece)
        found += events(parser)
    return found


def body_of(found):
    return b"".join(event.body for event in found if isinstance(event, Data))


TOKEN = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ-_.!#1", min_size=1, max_size=12)
VALUE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20)


@st.composite
def requests(draw):
    """A request in strict HTTP/1.1, with its body."""
    reserved = {"host", "content-length", "transfer-encoding"}
    names = draw(st.lists(TOKEN.filter(lambda name: name.lower() not in reserved), max_size=5))
    fields = [f"{name}: {draw(VALUE)}\r\n".encode() for name in names]
    chunks = draw(st.none() | st.lists(st.binary(min_size=1, max_size=50), max_size=4))
    if chunks is None:
        body = draw(st.binary(max_size=100))
        fields.append(b"Content-Length: %d\r\n" % len(body))
        framed = body
    else:
        body = b"".join(chunks)
        fields.append(b"Transfer-Encoding: chunked\r\n")
        trailer = draw(st.sampled_from([b"", b"X-Sum: 1\r\n"]))
        framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
        framed += b"0\r\n" + trailer + b"\r\n"
    fields.insert(draw(st.integers(0, len(fields))), HOST)
    return b"POST /path HTTP/1.1\r\n" + b"".join(fields) + b"\r\n" + framed, body


@given(st.lists(requests(), min_size=1, max_size=3), st.data())
def test_requests_come_out_whole_however_they_are_cut(given_requests, data):
    wire = b"".join(raw for raw, _ in given_requests)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    pieces = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    found = parse(*pieces)
    assert b"".join(event.raw for event in found) == wire
    assert body_of(found) == b"".join(body for _, body in given_requests)
    assert sum(isinstance(event, End) for event in found) == len(given_requests)


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(data):
    parser = RequestParser()
    parser.receive(b"GET / HTTP/1.1\r\n" + data)
    try:
        found = events(parser)
    except BadRequest:
        return
    taken = b"".join(event.raw for event in found)
    assert taken + parser.rest() == b"GET / HTTP/1.1\r\n" + data


def test_fields_keep_their_order_and_spelling():
    (head, _) = parse(b"GET /a?b=c HTTP/1.1\r\nhOST: a\r\nX_y:  1 \r\nX-Y:\r\nx-y: \xe4\r\n\r\n")
    assert isinstance(head, Head)
    assert head.headers == (("hOST", "a"), ("X_y", "1"), ("X-Y", ""), ("x-y", "\xe4"))


def test_trailers_are_kept_apart():
    found = parse(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
        b"2;ext=1\r\nhi\r\n0\r\nX-A: b\r\n\r\n",
    )
    assert body_of(found) == b"hi"
    assert found[-1].trailers == (("X-A", "b"),)


CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "request line"),
        (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "request line"),
        (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "request line"),
        (b"GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n", "request line"),
        (b"GET / HTTP/1.1\nHost: a\r\n\r\n", "request line"),
        (b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "HTTP/1.0"),
        (b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "not a path"),
        (b"GET / HTTP/1.1\r\n\r\n", "exactly one Host"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "exactly one Host"),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "field line"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", "field line"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\nY: c\r\n\r\n", "field line"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\rY: c\r\n\r\n", "field line"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n", "field line"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", "field line"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n: none\r\n\r\n", "field line"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", "Content-Length"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", "Content-Length"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", "Content-Length"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"Content-Length: 1\r\n" * 2 + b"\r\n", "more than"),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "in one request",
        ),
        (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "exactly"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n", "exa"),
        (CHUNKED + b"0x1\r\na\r\n0\r\n\r\n", "chunk size"),
        (CHUNKED + b"1 \r\na\r\n0\r\n\r\n", "chunk size"),
        (CHUNKED + b"1\na\r\n0\r\n\r\n", "chunk size"),
        (CHUNKED + b"1\r\nab\r\n0\r\n\r\n", "chunk does not end"),
        (CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n", "may not be a trailer"),
        (CHUNKED + b"0\r\nX : y\r\n\r\n", "field line"),
    ],
)
def test_what_a_lenient_server_guesses_about_is_refused(wire, reason):
    with pytest.raises(BadRequest, match=reason):
        parse(wire)


def test_a_head_without_an_end_is_refused_at_one_mebibyte():
    with pytest.raises(BadRequest, match="1 MiB") as refused:
        parse(b"GET / HTTP/1.1\r\nX: " + b"a" * (1 << 20))
    assert refused.value.status == 431
