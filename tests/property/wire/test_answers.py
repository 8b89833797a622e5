"""An answer's head means the same by the short way, which most take, as by the long one."""

from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from koproxy.wire.fields import Malformed
from koproxy.wire.response import Answer, parse_answer, read_answer

FIRST = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 ",
        b"HTTP/1.1 404 x",
        b"HTTP/1.1 200",
        b"HTTP/1.0 200 OK",
        b"HTTP/1.1 204 No Content",
        b"HTTP/1.1 101 x",
    ]
)
LINES = st.lists(
    st.sampled_from(
        [
            b"Date: today",
            b"content-type: application/json",
            b"Content-Encoding: gzip",
            b"Cache-Control: no-cache, private",
            b"Audit-Id: 7",
        ]
    )
    | st.sampled_from([b"Content-Length: 5", b"content-length: 5", b"CONTENT-LENGTH: 5"])
    | st.sampled_from(
        [
            b"Content-Length: 6",
            b"Content-Length: +5",
            b"Content-Length:  5 ",
            b"Content-Length : 5",
            b"Transfer-Encoding: chunked",
            b"transfer-encoding: gzip",
            b"Connection: close",
            b"Connection: keep-alive",
            b"connection: keep-alive",
            b"Connection: keep-alive",
            b"cOnnection: date",
            b"Keep-Alive: 5",
            b"Upgrade: h2c",
            b"Trailer: x",
            b"TE: x",
            b"Proxy-Connection: close",
            b"kubernetes: x",
            b" folded",
            b"a\nb: c",
            b"a: b\rc",
            b"a: b\x00c",
        ]
    ),
    max_size=5,
).map(lambda lines: b"".join(line + b"\r\n" for line in lines))


@given(FIRST, LINES, st.sampled_from([b"GET", b"HEAD"]), st.binary(max_size=5))
@settings(max_examples=500)
@example(b"HTTP/1.1 200 OK", b"Content-Length: 5\r\n", b"GET", b"")
def test_both_ways_say_the_same(first: bytes, lines: bytes, method: bytes, rest: bytes) -> None:
    head = first + b"\r\n" + lines + b"\r\n"
    try:
        expected: tuple[Answer, int] | None = (parse_answer(head, method), len(head))
    except Malformed:
        expected = None
    try:
        assert read_answer(head + rest, method, 65536) == expected
        event("taken")
    except Malformed:
        assert expected is None
    if expected is not None:
        assert read_answer(head[:-1], method, 65536) is None
