"""Spans, as an exporter gets them."""

import re

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from opentelemetry.trace import StatusCode
from support.memory import Stack, answer, request

from koproxy.observe.correlation import correlate
from koproxy.observe.tracing import Tracing
from koproxy.proxy.account import Observers

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PODS = b"GET /api/v1/namespaces/demo/pods/web/log?x=secret HTTP/1.1"


class Traced:
    """A stack whose requests have spans."""

    def __init__(self, *, unasked: bool = True) -> None:
        self._exporter = InMemorySpanExporter()
        sampler = ParentBased(ALWAYS_ON if unasked else ALWAYS_OFF)
        provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.stack: Stack
        tracing = Tracing(
            provider,
            lambda: 10**18 + round(self.stack.clock.seconds() * 1e9),
            lambda: self.stack.clock.seconds() + 1,
        )
        self.stack = Stack(
            observers=Observers(
                (correlate, tracing.decided), (tracing.answering,), (tracing.complete,)
            )
        )

    @property
    def spans(self):
        return self._exporter.get_finished_spans()

    def sent(self, name: bytes) -> list[bytes]:
        """The values of a header that the API server got."""
        head = self.stack.upstream.sent
        return re.findall(rb"\r\n%b: ([^\r]*)" % name, head, re.IGNORECASE)


def parent(flags: str = "01") -> bytes:
    return f"Traceparent: 00-{TRACE}-{PARENT}-{flags}\r\n".encode()


def test_a_request_goes_on_within_its_client_s_trace() -> None:
    traced = Traced(unasked=False)
    stack = traced.stack
    stack.client.receive(request(parent() + b"tracestate: a=b\r\nTraceState: c=d\r\n", PODS))
    stack.clock.advance(2)
    stack.upstream.receive(answer())
    (span,) = traced.spans
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, PARENT)
    own = f"{span.context.span_id:016x}"
    assert traced.sent(b"traceparent") == [f"00-{TRACE}-{own}-01".encode()]
    assert traced.sent(b"tracestate") == [b"a=b,c=d"]
    assert span.name == "get pods/log"
    assert span.end_time - span.start_time == 2 * 10**9
    assert span.attributes["http.response.status_code"] == 200
    assert span.attributes["url.path"] == "/api/v1/namespaces/demo/pods/web/log"
    assert "jane" not in span.to_json()
    assert "secret" not in span.to_json()


@pytest.mark.parametrize("lines", [parent("00"), b"", parent() + parent(), b"traceparent: odd\r\n"])
def test_what_is_not_sampled_passes_as_it_came(lines: bytes) -> None:
    traced = Traced(unasked=False)
    traced.stack.client.receive(request(lines))
    traced.stack.upstream.receive(answer())
    assert traced.spans == ()
    assert traced.sent(b"traceparent") == re.findall(rb"(?i)traceparent: ([^\r]*)", lines)


def test_a_request_without_a_trace_may_begin_one() -> None:
    traced = Traced()
    traced.stack.client.receive(request())
    traced.stack.upstream.receive(answer())
    (span,) = traced.spans
    assert span.parent is None
    (line,) = traced.sent(b"traceparent")
    assert line.decode() == f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01"


def test_a_refusal_is_a_span_too_and_its_client_is_told_nothing_of_it() -> None:
    traced = Traced()
    traced.stack.client.receive(request(token=b"nobody"))
    (span,) = traced.spans
    assert span.attributes["http.response.status_code"] == 401
    assert span.attributes["koproxy.decision"] == "unauthenticated"
    assert b"traceparent" not in traced.stack.client.sent
    assert b"\r\nAudit-ID: " in traced.stack.client.sent
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("line", "token", "status", "name"),
    [
        (b"GET /api/v1/nothing HTTP/1.1", b"jane", 404, "list"),
        (b"GET /api/v1/nothing HTTP/1.1", b"nobody", 401, "list"),
        (b"BREW /api/v1/pods HTTP/1.1", b"jane", 405, "other"),
        (b"GET /healthz HTTP/1.1", b"jane", 200, "get"),
        (
            b"DELETE /apis/apps/v1/deployments HTTP/1.1",
            b"jane",
            200,
            "deletecollection deployments",
        ),
    ],
)
def test_a_client_chooses_no_span_s_name(line: bytes, token: bytes, status: int, name: str) -> None:
    traced = Traced()
    traced.stack.client.receive(request(first=line, token=token))
    if status != 401:
        traced.stack.upstream.receive(b"HTTP/1.1 %d So\r\nContent-Length: 0\r\n\r\n" % status)
    (span,) = traced.spans
    assert span.name == name


def test_what_was_cut_has_gone_wrong() -> None:
    traced = Traced()
    traced.stack.client.receive(request())
    traced.stack.upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    traced.stack.upstream.lose()
    (span,) = traced.spans
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["the answer begins", "sent to the API server"]


def test_the_next_request_of_a_connection_has_its_own_lines() -> None:
    traced = Traced()
    head = request(parent())
    for _ in range(2):
        traced.stack.client.receive(head)
        traced.stack.upstream.receive(answer())
    first, second = traced.sent(b"traceparent")
    assert first != second
    assert all(line.startswith(f"00-{TRACE}".encode()) for line in (first, second))


@pytest.mark.parametrize("state", [b"a=1 b", b"a" * 9000, b"a=1,a=2", b"=,\x9b2J"])
def test_what_is_no_tracestate_is_not_in_the_log(
    state: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    Traced().stack.client.receive(request(parent() + b"tracestate: %b\r\n" % state))
    assert caplog.records == []
