"""What is counted of requests."""

import pytest
from prometheus_client import CollectorRegistry
from support.memory import Stack, answer, request

from koproxy.observe.requests import RequestMetrics
from koproxy.proxy.account import Observers

SWITCH = b"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Counted:
    """A stack whose requests are counted."""

    def __init__(self) -> None:
        metrics = RequestMetrics()
        self.stack = Stack(
            observers=Observers(answering=(metrics.answering,), complete=(metrics.complete,))
        )
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(metrics)

    def get(self, name: str, **labels: str) -> float | None:
        return self._registry.get_sample_value(f"koproxy_{name}", labels)

    def total(self, verb: str, code: int, decision: str) -> float | None:
        return self.get("request_total", verb=verb, code=str(code), decision=decision)


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def stack(counted: Counted) -> Stack:
    return counted.stack


def test_a_request_and_its_times(counted: Counted, stack: Stack) -> None:
    stack.connects_late = True
    stack.client.receive(request(b"Content-Length: 3\r\n", b"GET /api HTTP/1.1") + b"abc")
    stack.clock.advance(0.002)
    stack.connecting.pop()(None)
    stack.clock.advance(0.2)
    stack.upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
    stack.clock.advance(2)
    stack.upstream.receive(b"body")
    assert counted.total("get", 200, "authenticated") == 1
    assert counted.get("request_own_duration_seconds_sum") == pytest.approx(0.002)
    assert counted.get("request_upstream_duration_seconds_sum", verb="get") == pytest.approx(0.2)
    assert counted.get("request_duration_seconds_sum", verb="get") == pytest.approx(2.202)
    assert counted.get("request_duration_seconds_bucket", verb="get", le="1.0") == 0
    assert counted.get("request_duration_seconds_bucket", verb="get", le="2.5") == 1
    assert counted.get("body_bytes_total", direction="received") == 3
    assert counted.get("body_bytes_total", direction="returned") == 4
    assert counted.get("request_cut_total") == 0


def test_none_is_lost_however_many_there_are(counted: Counted, stack: Stack) -> None:
    for number in range(1, 201):
        stack.client.receive(request(first=b"GET /api HTTP/1.1"))
        stack.upstream.receive(answer(b"four"))
        if number % 50 == 7:
            assert counted.total("get", 200, "authenticated") == number
    assert counted.total("get", 200, "authenticated") == 200
    assert counted.get("body_bytes_total", direction="returned") == 800
    assert counted.get("request_duration_seconds_count", verb="get") == 200


def test_a_server_chooses_no_label(counted: Counted, stack: Stack) -> None:
    for status in (418, 299, 298):
        stack.client.receive(request(first=b"GET /api HTTP/1.1"))
        stack.upstream.receive(b"HTTP/1.1 %d So\r\nContent-Length: 0\r\n\r\n" % status)
    labels = {"verb": "get", "decision": "authenticated"}
    found = [counted.get("request_total", code=code, **labels) for code in ("418", "2xx")]
    assert found == [1, 2]


@pytest.mark.parametrize(
    ("token", "code", "decision"),
    [
        (b"nobody", 401, "unauthenticated"),
        (b"odd", 403, "forbidden"),
        (b"early", 503, "unavailable"),
    ],
)
def test_refusals(counted: Counted, stack: Stack, token: bytes, code: int, decision: str) -> None:
    stack.client.receive(request(token=token))
    assert counted.total("get", code, decision) == 1
    assert counted.get("request_upstream_duration_seconds_count", verb="get") is None


def test_a_request_to_be_somebody_else_is_counted_as_refused(
    counted: Counted, stack: Stack
) -> None:
    stack.client.receive(request(b"Impersonate-User: admin\r\n"))
    assert counted.total("get", 403, "forbidden") == 1
    assert counted.total("get", 403, "authenticated") is None


def test_nobody_has_a_decision_of_their_own(counted: Counted, stack: Stack) -> None:
    stack.client.receive(b"GET /livez HTTP/1.1\r\nHost: k\r\n\r\n")
    stack.upstream.receive(answer())
    assert counted.total("get", 200, "anonymous") == 1


def test_what_is_no_request_has_no_verb(counted: Counted, stack: Stack) -> None:
    stack.client.receive(b"nonsense\r\n\r\n")
    assert counted.total("", 400, "undecided") == 1


def test_a_verb_that_nobody_knows_is_another(counted: Counted, stack: Stack) -> None:
    for number in range(20):
        stack.client.receive(request(first=b"FROB%d /version HTTP/1.1" % number))
        stack.upstream.receive(answer())
    assert counted.total("other", 200, "authenticated") == 20


def test_why_tokens_are_refused(counted: Counted, stack: Stack) -> None:
    stack.client.receive(request(token=b"nobody"))
    labels = {"issuer": "", "reason": "the token is not known"}
    assert counted.get("authentication_failure_total", **labels) == 1
    assert counted.get("token_cache_request_total", status="miss") == 1


def test_a_tunnel_while_it_lasts(counted: Counted, stack: Stack) -> None:
    stack.client.receive(request(SWITCH))
    stack.upstream.receive(b"HTTP/1.1 101 Switching\r\n" + SWITCH + b"\r\n")
    assert counted.get("longrunning_requests", kind="tunnel") == 1
    stack.client.lose()
    assert counted.get("longrunning_requests", kind="tunnel") == 0
    assert counted.total("get", 101, "authenticated") == 1
    assert counted.get("request_cut_total") == 1
    assert counted.get("request_duration_seconds_count", verb="get") is None


def test_who_goes_without_an_answer(counted: Counted, stack: Stack) -> None:
    stack.client.receive(request())
    stack.client.lose()
    assert counted.total("get", 499, "authenticated") == 1


def test_a_watch_while_it_lasts(counted: Counted, stack: Stack) -> None:
    stack.client.receive(request(first=b"GET /api/v1/pods?watch=true HTTP/1.1"))
    stack.upstream.receive(CHUNKS)
    assert counted.get("longrunning_requests", kind="watch") == 1
    stack.upstream.receive(b"0\r\n\r\n")
    assert counted.get("longrunning_requests", kind="watch") == 0
    assert counted.total("watch", 200, "authenticated") == 1
    assert counted.get("request_duration_seconds_count", verb="watch") is None
