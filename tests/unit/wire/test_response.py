"""Answer heads: how long their bodies are, what of them a client gets, what is refused."""

import pytest

from koproxy.wire.body import ChunkedBody, EndlessBody, FixedBody
from koproxy.wire.fields import Malformed
from koproxy.wire.response import Answer, parse_answer


def answer(lines: bytes = b"", status: bytes = b"200 OK", method: bytes = b"GET") -> Answer:
    return parse_answer(b"HTTP/1.1 " + status + b"\r\n" + lines + b"\r\n", method)


@pytest.mark.parametrize(
    ("lines", "status", "method", "kind"),
    [
        (b"Content-Length: 3\r\n", b"200 OK", b"GET", FixedBody),
        (b"Transfer-Encoding: chunked\r\n", b"200 OK", b"GET", ChunkedBody),
        (b"", b"200 OK", b"GET", EndlessBody),
        (b"Content-Length: 3\r\n", b"200 OK", b"HEAD", None),
        (b"Transfer-Encoding: chunked\r\n", b"200 OK", b"HEAD", None),
        (b"Content-Length: 3\r\n", b"304 Not Modified", b"GET", None),
        (b"", b"204 No Content", b"DELETE", None),
    ],
)
def test_how_long_a_body_is(lines: bytes, status: bytes, method: bytes, kind: type | None) -> None:
    body = answer(lines, status, method).body(minor=1)
    if kind is None:
        assert body.done
    else:
        assert isinstance(body, kind)
        assert not body.done


def test_the_clients_head_has_all_but_what_speaks_of_the_connection() -> None:
    got = answer(
        b"Audit-Id: 1\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\n"
        b"Content-Length: 3\r\n"
    )
    assert got.head(minor=1, keep_alive=True) == (
        b"HTTP/1.1 200 OK\r\nAudit-Id: 1\r\nContent-Length: 3\r\n\r\n"
    )
    assert got.head(minor=1, keep_alive=False).endswith(b"\r\nConnection: close\r\n\r\n")
    assert not got.reusable


def test_an_http_1_0_client_gets_no_chunks() -> None:
    got = answer(b"Transfer-Encoding: chunked\r\n")
    assert b"chunked" in got.head(minor=1, keep_alive=True)
    assert b"chunked" not in got.head(minor=0, keep_alive=False)
    assert got.ends_with_connection(minor=0)
    assert not got.ends_with_connection(minor=1)


def test_a_101_names_its_protocol() -> None:
    got = answer(b"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n", b"101 Switching Protocols")
    assert got.upgrade == b"SPDY/3.1"
    assert got.head(minor=1, keep_alive=True).endswith(
        b"\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n"
    )


@pytest.mark.parametrize("status", [b"100 Continue", b"103 Early Hints"])
def test_another_head_follows_an_interim_one(status: bytes) -> None:
    assert answer(status=status).interim


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\nA: b\r\n\r\n",
        b"garbage\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_an_answer_that_could_be_read_in_two_ways_is_refused(head: bytes) -> None:
    with pytest.raises(Malformed):
        parse_answer(head, b"GET")
