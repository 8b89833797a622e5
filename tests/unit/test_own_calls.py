"""The proxy's own calls, and what a 401 to them means, in memory."""

import pytest
from support.memory import MemoryTLS, Stack, answer
from twisted.internet.defer import CancelledError, Deferred, TimeoutError

from koproxy.proxy.bucket import Allowance
from koproxy.proxy.own_calls import REFUSED, UNKNOWN, OwnCalls, Unanswered


class Renewals:
    """A credential that is read again when the test says so."""

    def __init__(self) -> None:
        self.asked: list[Deferred[bool]] = []

    def __call__(self) -> Deferred[bool]:
        asked: Deferred[bool] = Deferred()
        self.asked.append(asked)
        return asked


@pytest.fixture
def stack() -> Stack:
    return Stack()


@pytest.fixture
def renewals() -> Renewals:
    return Renewals()


@pytest.fixture
def calls(stack: Stack, renewals: Renewals) -> OwnCalls:
    return OwnCalls(stack.clock, stack.access, stack.pool, b"kube.example:6443", renewals)


def result(call: "Deferred[object]") -> object:
    found: list[object] = []
    call.addBoth(found.append)
    assert found, "there is no answer yet"
    return getattr(found[0], "value", found[0])


def test_a_call_is_exactly_this(stack: Stack, calls: OwnCalls) -> None:
    stack.access.path_prefix = b"/k8s"
    call = calls.call(b"POST", b"/apis/x", b"{}")
    assert stack.upstream.sent == (
        b"POST /k8s/apis/x HTTP/1.1\r\nHost: kube.example:6443\r\nConnection: close\r\n"
        b"Accept: application/json\r\n"
        b"Authorization: Bearer own\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        b"\r\n{}"
    )
    stack.upstream.receive(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n")
    stack.upstream.receive(b"2\r\nhi\r\n0\r\n\r\n")
    assert result(call) == (201, b"hi")


def test_its_connection_is_for_nobody_else(stack: Stack, calls: OwnCalls) -> None:
    call = calls.call(b"GET", b"/version")
    stack.upstream.receive(answer())
    assert result(call)[0] == 200
    assert stack.upstream.ending == "closed"
    assert stack.pool.idle == 0


def test_no_credential_no_call(stack: Stack, calls: OwnCalls) -> None:
    stack.access.problem = "the plugin has not answered yet"
    assert isinstance(result(calls.call(b"GET", b"/version")), Unanswered)
    assert stack.upstreams == []


def test_an_answer_that_never_comes(stack: Stack, calls: OwnCalls) -> None:
    call = calls.call(b"GET", b"/version")
    stack.clock.advance(11)
    assert isinstance(result(call), TimeoutError)
    assert stack.upstream.ending == "cut"


def lost(upstream: MemoryTLS) -> None:
    upstream.lose()


def too_large(upstream: MemoryTLS) -> None:
    upstream.receive(answer(b"x" * 2_000_000))


def no_http(upstream: MemoryTLS) -> None:
    upstream.receive(b"SSH-2.0\r\n\r\n")


@pytest.mark.parametrize("fault", [lost, too_large, no_http])
def test_no_answer_is_said(stack: Stack, calls: OwnCalls, fault: object) -> None:
    call = calls.call(b"GET", b"/version")
    fault(stack.upstream)  # type: ignore[operator]
    assert isinstance(result(call), Unanswered)
    assert stack.upstream.gone


def test_an_api_server_out_of_reach(stack: Stack, calls: OwnCalls) -> None:
    stack.unreachable = "it refused the connection"
    assert "it refused the connection" in str(result(calls.call(b"GET", b"/version")))


@pytest.mark.parametrize("status", [b"200 OK", b"403 Forbidden", b"500 Oh"])
def test_any_answer_but_401_knows_the_credential(
    stack: Stack, calls: OwnCalls, renewals: Renewals, status: bytes
) -> None:
    refused = calls.doubt()
    stack.upstream.receive(answer(status=status))
    assert result(refused) is None
    assert calls.problem is None
    assert renewals.asked == []


def test_a_401_has_the_credential_read_again(
    stack: Stack, calls: OwnCalls, renewals: Renewals
) -> None:
    refused = calls.doubt()
    stack.upstream.receive(answer(status=b"401 Unauthorized"))
    stack.access.authorization = b"Bearer new"
    renewals.asked[0].callback(True)
    assert b"Authorization: Bearer new\r\n" in stack.upstream.sent
    stack.upstream.receive(answer())
    assert result(refused) is None
    assert calls.problem is None


def test_a_401_that_stays_is_a_problem_until_it_goes(
    stack: Stack, calls: OwnCalls, renewals: Renewals
) -> None:
    refused = calls.doubt()
    stack.upstream.receive(answer(status=b"401 Unauthorized"))
    renewals.asked[0].callback(False)
    stack.upstream.receive(answer(status=b"401 Unauthorized"))
    assert result(refused) == REFUSED
    assert calls.problem == "the API server refuses the proxy's credential (401)"
    again = calls.doubt()
    stack.upstream.receive(answer())
    assert result(again) is None
    assert calls.problem is None


def test_all_who_ask_at_once_share_one_question(stack: Stack, calls: OwnCalls) -> None:
    asked = [calls.doubt() for _ in range(5)]
    assert len(stack.upstreams) == 1
    stack.upstream.receive(answer())
    assert [result(one) for one in asked] == [None] * 5


def test_when_it_can_not_be_known_the_client_is_not_sent_to_log_in(
    stack: Stack, calls: OwnCalls
) -> None:
    refused = calls.doubt()
    stack.upstream.lose()
    assert result(refused) == UNKNOWN
    assert calls.problem is None


def test_a_401_to_any_call_has_the_credential_looked_into(
    stack: Stack, calls: OwnCalls, renewals: Renewals
) -> None:
    call = calls.call(b"POST", b"/apis/x", b"{}")
    stack.upstream.receive(answer(status=b"401 Unauthorized"))
    assert result(call) == (401, b"hi")
    assert b"GET /version " in stack.upstream.sent
    stack.upstream.receive(answer(status=b"401 Unauthorized"))
    renewals.asked[0].callback(False)
    stack.upstream.receive(answer(status=b"401 Unauthorized"))
    assert calls.problem == "the API server refuses the proxy's credential (401)"


@pytest.fixture
def slow_calls(stack: Stack, renewals: Renewals) -> OwnCalls:
    allowance = Allowance(0.25, 1, stack.clock.seconds)
    host = b"kube.example:6443"
    return OwnCalls(stack.clock, stack.access, stack.pool, host, renewals, allowance)


def test_calls_wait_for_their_turn_within_their_time(stack: Stack, slow_calls: OwnCalls) -> None:
    slow_calls.call(b"GET", b"/1")
    second, third, fourth = (slow_calls.call(b"GET", path) for path in (b"/2", b"/3", b"/4"))
    assert "--kube-client-qps" in str(result(fourth))
    assert len(stack.upstreams) == 1
    stack.clock.advance(4)
    stack.upstream.receive(answer(b"yes"))
    assert result(second) == (200, b"yes")
    stack.clock.advance(4)
    assert stack.upstream.sent.startswith(b"GET /3 ")
    stack.clock.advance(2)
    assert isinstance(result(third), TimeoutError)


def test_a_call_that_waits_can_be_given_up(stack: Stack, slow_calls: OwnCalls) -> None:
    slow_calls.call(b"GET", b"/1")
    second = slow_calls.call(b"GET", b"/2")
    second.cancel()
    assert isinstance(result(second), CancelledError)
    stack.clock.advance(60)
    assert len(stack.upstreams) == 1


def test_a_look_into_the_credential_waits_for_nobody(stack: Stack, slow_calls: OwnCalls) -> None:
    slow_calls.call(b"GET", b"/1")
    slow_calls.doubt()
    assert stack.upstream.sent.startswith(b"GET /version ")


def test_strangers_leave_half_to_the_others(stack: Stack, renewals: Renewals) -> None:
    allowance = Allowance(1, 4, stack.clock.seconds)
    calls = OwnCalls(stack.clock, stack.access, stack.pool, b"k", renewals, allowance)
    strangers = [calls.call(b"GET", b"/odd", stranger=True) for _ in range(40)]
    asked = [calls.call(b"GET", b"/known") for _ in range(2)]
    assert len(stack.upstreams) == 4
    for upstream in stack.upstreams:
        upstream.receive(answer(b"yes"))
    assert [result(call) for call in asked] == [(200, b"yes")] * 2
    refused = sum("--kube-client-qps" in str(result(call)) for call in strangers if call.called)
    assert (refused, sum(call.called for call in strangers)) == (34, 36)
    for _ in range(3):
        stack.clock.advance(2)
        calls.call(b"GET", b"/known")
        assert b"/known" in stack.upstreams[-1].sent
