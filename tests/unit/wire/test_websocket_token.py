"""A browser's token among a WebSocket's subprotocols: when it counts, and that it goes no further.

The bytes are looked at where the API server gets them.
"""

import base64

import pytest
from support.memory import Stack, request, upstream_request

from koproxy.wire.fields import Malformed
from koproxy.wire.request import Fields, parse_request

WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
SPDY = b"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
PREFIX = b"base64url.bearer.authorization.k8s.io."


def entry(token: bytes = b"jane") -> bytes:
    return PREFIX + base64.urlsafe_b64encode(token).rstrip(b"=")


def handshake(*offers: bytes, lines: bytes = b"", upgrade: bytes = WEBSOCKET) -> bytes:
    offered = b"".join(b"Sec-WebSocket-Protocol: %b\r\n" % offer for offer in offers)
    return b"GET /api HTTP/1.1\r\nHost: k\r\n%b%b%b\r\n" % (upgrade, lines, offered)


def fields(*offers: bytes, lines: bytes = b"", upgrade: bytes = WEBSOCKET) -> Fields:
    return parse_request(handshake(*offers, lines=lines, upgrade=upgrade)).fields


@pytest.mark.parametrize(
    ("offers", "left"),
    [
        ((entry() + b", v4.channel.k8s.io",), b"v4.channel.k8s.io"),
        ((b"v4.channel.k8s.io," + entry(),), b"v4.channel.k8s.io"),
        ((b"v5.channel.k8s.io \t,\t " + entry() + b" , v4",), b"v5.channel.k8s.io, v4"),
        ((entry(), b"v4.channel.k8s.io"), b"v4.channel.k8s.io"),
        ((b"v5", entry(), b"v4"), b"v5, v4"),
    ],
)
def test_the_api_server_gets_the_handshake_of_the_verified_person_without_the_token(
    offers: tuple[bytes, ...], left: bytes
) -> None:
    stack = Stack()
    stack.client.receive(handshake(*offers))
    offered = b"Sec-WebSocket-Protocol: %b\r\n" % left
    assert stack.upstream.sent == upstream_request(WEBSOCKET + offered)


def test_subprotocols_without_a_token_are_passed_on_as_they_came() -> None:
    lines = b"Sec-WebSocket-Protocol:v5.channel.k8s.io,v4\r\nsec-websocket-protocol: x \r\n"
    stack = Stack()
    stack.client.receive(request(WEBSOCKET + lines))
    assert stack.upstream.sent == upstream_request(WEBSOCKET + lines)


@pytest.mark.parametrize(
    "token",
    [b"a", b"ab", b"abc", b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2ln-_", b"a-._~+/b=="],
)
def test_a_token_is_read_as_if_it_stood_in_authorization(token: bytes) -> None:
    assert fields(entry(token) + b", v4").authorization == b"Bearer " + token


def test_bits_to_spare_in_the_last_letter_are_not_looked_at() -> None:
    assert fields(PREFIX + b"YR, v4").authorization == b"Bearer a"


@pytest.mark.parametrize(
    ("offers", "why"),
    [
        ((entry() + b", v4, " + entry(),), "two tokens"),
        ((entry() + b", v4", entry(b"bert")), "two tokens"),
        ((entry(),), "another subprotocol"),
        ((PREFIX + b", v4",), "can't be one"),
        ((PREFIX + b"YQ==, v4",), "base64url"),
        ((PREFIX + b"Y, v4",), "base64url"),
        ((PREFIX + b"YWJjZ, v4",), "base64url"),
        ((PREFIX + b"ab+/, v4",), "base64url"),
        ((PREFIX + b"YW Jj, v4",), "base64url"),
        ((PREFIX + b"YWJj\xc2\xa0, v4",), "base64url"),
        ((entry(b"\xff\xfe") + b", v4",), "can't be one"),
        ((entry(b"jane bert") + b", v4",), "can't be one"),
        ((entry(b" jane") + b", v4",), "can't be one"),
        ((entry(b"jane\r\nImpersonate-User: admin") + b", v4",), "can't be one"),
        ((entry("j\u00e4ne".encode()) + b", v4",), "can't be one"),
    ],
)
def test_a_token_that_is_not_as_it_should_be_is_a_401(offers: tuple[bytes, ...], why: str) -> None:
    with pytest.raises(Malformed, match=why) as problem:
        fields(*offers)
    assert problem.value.status == 401
    stack = Stack()
    stack.client.receive(handshake(*offers) + request())
    assert stack.client.sent.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert b'"kind": "Status"' in stack.client.sent
    assert stack.client.sent.count(b"\r\n\r\n") == 1
    assert stack.client.ending == "half-closed"
    assert stack.upstreams == []


@pytest.mark.parametrize(
    "offers",
    [
        (entry(b"bert") + b", v4",),
        (entry(b"bert") + b", v4", entry()),
        (PREFIX + b"YQ==, v4",),
    ],
)
def test_authorization_decides_alone_and_the_token_goes_no_further(
    offers: tuple[bytes, ...],
) -> None:
    stack = Stack()
    stack.client.receive(handshake(*offers, lines=b"Authorization: Bearer jane\r\n"))
    assert stack.upstream.sent == upstream_request(WEBSOCKET + b"Sec-WebSocket-Protocol: v4\r\n")
    stack = Stack()
    stack.client.receive(handshake(*offers, lines=b"Authorization: Bearer who\r\n"))
    assert stack.client.sent.startswith(b"HTTP/1.1 401 ")
    assert stack.upstreams == []


def test_nothing_is_offered_where_a_token_was_all_that_authorization_came_with() -> None:
    stack = Stack()
    stack.client.receive(handshake(entry(), lines=b"Authorization: Bearer jane\r\n"))
    assert stack.upstream.sent == upstream_request(WEBSOCKET)


def test_an_empty_authorization_is_none() -> None:
    assert fields(entry() + b", v4", lines=b"Authorization:\r\n").authorization == b"Bearer jane"


@pytest.mark.parametrize("upgrade", [b"", SPDY, b"Connection: Upgrade\r\nUpgrade: h2c\r\n"])
def test_only_a_websocket_has_subprotocols(upgrade: bytes) -> None:
    read = fields(entry() + b", v4", upgrade=upgrade)
    assert read.authorization == b""
    assert read.passed_on == fields(upgrade=upgrade).passed_on


@pytest.mark.parametrize(
    "offer",
    [
        PREFIX.upper() + b"amFuZQ",
        b"Base64URL.bearer.authorization.k8s.io.amFuZQ",
        b"\xc2\xa0" + entry(),
        b"x" + entry(),
        b'"' + entry() + b'"',
    ],
)
def test_what_another_reader_may_take_for_a_token_is_none_and_goes_no_further(offer: bytes) -> None:
    read = fields(offer + b", v4")
    assert read.authorization == b""
    assert read.passed_on == fields(b"v4").passed_on


def test_the_header_has_one_spelling() -> None:
    read = fields(lines=b"Sec_WebSocket_Protocol: " + entry() + b", v4\r\n")
    assert read.authorization == b""
    assert read.passed_on == fields().passed_on


def test_connection_may_list_it() -> None:
    listed = WEBSOCKET.replace(b"Upgrade\r\n", b"Upgrade, Sec-WebSocket-Protocol\r\n", 1)
    read = fields(entry() + b", v4", upgrade=listed)
    assert read.authorization == b"Bearer jane"
    assert read.passed_on == fields(upgrade=WEBSOCKET).passed_on


def test_no_token_is_told_again() -> None:
    for offer in (entry(b"secret\0") + b", v4", entry(b"secret")):
        with pytest.raises(Malformed) as problem:
            fields(offer)
        assert "secret" not in str(problem.value)
        assert "c2VjcmV0" not in str(problem.value)
