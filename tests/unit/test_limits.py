"""What clients may take: connections, requests, time; each has its answer, and others go on."""

import pytest
from support.memory import JANE, Stack, answer, request
from twisted.internet.task import Clock

from koproxy.identity.decision import Verified
from koproxy.proxy.limits import Clients, Limits

HEADER_SECONDS, IDLE_SECONDS = 30.0, 180.0


def later(stack: Stack, seconds: float) -> None:
    """Have time pass, and everybody checked at its end."""
    stack.clock.advance(seconds)
    stack.clients.sweep()


def test_a_head_has_its_size() -> None:
    stack = Stack(Limits(header_bytes=4096))
    stack.client.receive(request(b"A: %b\r\n" % (b"x" * 4096)))
    assert stack.client.sent.startswith(b"HTTP/1.1 431 ")
    assert stack.client.ending == "half-closed"
    assert stack.upstreams == []


def test_a_larger_head_may_be_allowed() -> None:
    stack = Stack(Limits(header_bytes=200_000))
    head = request(b"A: %b\r\n" % (b"x" * 150_000))
    for start in range(0, len(head), 50_000):
        assert not stack.client.paused
        stack.client.receive(head[start : start + 50_000])
    assert stack.upstream.sent.startswith(b"GET /api HTTP/1.1\r\n")


def test_a_head_has_its_time() -> None:
    stack = Stack()
    stack.client.receive(request()[:-1])
    later(stack, HEADER_SECONDS - 1)
    assert stack.client.sent == b""
    later(stack, 1)
    assert stack.client.sent.startswith(b"HTTP/1.1 408 ")
    assert stack.client.ending == "half-closed"


def test_a_head_that_dribbles_has_no_more() -> None:
    stack = Stack()
    for byte in request()[:40]:
        stack.client.receive(bytes([byte]))
        later(stack, 1)
    assert stack.client.sent.startswith(b"HTTP/1.1 408 ")


def test_who_says_nothing_after_the_handshake_is_closed_without_a_word() -> None:
    stack = Stack()
    later(stack, HEADER_SECONDS)
    assert (stack.client.sent, stack.client.ending) == (b"", "closed")


def test_a_kept_connection_may_be_idle_for_longer() -> None:
    stack = Stack()
    stack.client.receive(request())
    stack.upstream.receive(answer())
    later(stack, IDLE_SECONDS - 1)
    assert stack.client.ending == ""
    stack.client.receive(request())
    stack.upstream.receive(answer())
    later(stack, IDLE_SECONDS - 1)
    assert stack.client.ending == ""
    later(stack, 1)
    assert stack.client.ending == "closed"


def test_idle_for_ever_if_that_is_wanted() -> None:
    stack = Stack(Limits(idle_seconds=0))
    stack.client.receive(request())
    stack.upstream.receive(answer())
    later(stack, 1e6)
    assert stack.client.ending == ""


def test_a_watch_is_not_idle() -> None:
    stack = Stack()
    stack.client.receive(request())
    stack.upstream.receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    later(stack, 1e6)
    assert stack.client.ending == ""
    stack.upstream.receive(b"1\r\nx\r\n")
    assert stack.client.sent.endswith(b"\r\n\r\n1\r\nx\r\n")


def test_who_never_takes_the_end_of_an_answer_is_cut() -> None:
    stack = Stack()
    stack.client.receive(request())
    stack.client.producer.pauseProducing()
    stack.upstream.receive(answer())
    stack.client.receive(request())
    later(stack, HEADER_SECONDS)
    assert stack.client.ending == ""
    later(stack, IDLE_SECONDS)
    assert stack.client.ending == "cut"


def test_a_tunnel_is_not_checked() -> None:
    stack = Stack()
    stack.client.receive(request(b"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"))
    stack.upstream.receive(b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n")
    later(stack, 1e6)
    assert stack.client.ending == ""


@pytest.mark.parametrize(
    "over",
    [
        lambda stack: stack.upstream.receive(answer()),
        lambda stack: stack.upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        lambda stack: stack.upstream.receive(b"no HTTP\r\n\r\n"),
        lambda stack: stack.upstream.lose(),
        lambda stack: stack.client.lose(),
    ],
    ids=["answered", "begun", "malformed", "upstream-gone", "client-gone"],
)
def test_only_so_many_requests_wait_for_an_answer(over: object) -> None:
    stack = Stack(Limits(requests=1))
    stack.client.receive(request())
    second = stack.new_client()
    second.receive(request())
    assert second.sent.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
    assert b"\r\nRetry-After: 1\r\n" in second.sent
    assert b'"reason": "TooManyRequests"' in second.sent
    assert len(stack.upstreams) == 1
    over(stack)  # type: ignore[operator]
    third = stack.new_client()
    third.receive(request())
    assert third.sent == b""
    fourth = stack.new_client()
    fourth.receive(request())
    assert fourth.sent.startswith(b"HTTP/1.1 429 ")


def test_a_refused_request_never_counts() -> None:
    stack = Stack(Limits(requests=1))
    for _ in range(3):
        stack.client.receive(request(token=b"bad") + request(b"Impersonate-User: x\r\n"))
    stack.client.receive(request())
    assert b" 429 " not in stack.client.sent
    assert stack.upstream.sent != b""


EXEC = b"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
SWITCH = b"HTTP/1.1 101 x\r\n" + EXEC + b"\r\n"
WATCH = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"


@pytest.mark.parametrize(("lines", "stream"), [(EXEC, SWITCH), (b"", WATCH)])
@pytest.mark.parametrize("wanted", [True, False])
def test_a_stream_ends_with_its_token_only_if_that_is_wanted(
    lines: bytes, stream: bytes, wanted: bool
) -> None:
    stack = Stack(Limits(until_expiry=wanted))
    stack.authentication.outcomes[b"Bearer brief"] = Verified(JANE.headers, JANE.identity, 60.0)
    stack.client.receive(request(lines, token=b"brief"))
    stack.upstream.receive(stream)
    stack.clock.advance(59)
    assert stack.client.ending == ""
    stack.clock.advance(1)
    assert stack.client.ending == ("cut" if wanted else "")
    assert stack.upstream.gone == wanted


@pytest.mark.parametrize(("lines", "stream"), [(EXEC, SWITCH), (b"", WATCH + b"0\r\n\r\n")])
def test_nothing_is_left_of_a_stream_that_ended_before_its_token(
    lines: bytes, stream: bytes
) -> None:
    stack = Stack(Limits(until_expiry=True))
    stack.authentication.outcomes[b"Bearer brief"] = Verified(JANE.headers, JANE.identity, 60.0)
    stack.client.receive(request(lines, token=b"brief"))
    stack.upstream.receive(stream)
    stack.client.lose()
    stack.clock.advance(0)
    assert stack.clock.getDelayedCalls() == []


def test_connections_are_counted_in_all_and_for_each_peer() -> None:
    clients = Clients(Clock(), Limits(connections=3, connections_per_peer=2))
    assert [clients.admit("a"), clients.admit("a"), clients.admit("a")] == [True, True, False]
    assert [clients.admit("b"), clients.admit("c")] == [True, False]
    clients.leave("a")
    assert [clients.admit("c"), clients.admit("a")] == [True, False]
