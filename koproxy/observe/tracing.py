"""Spans of requests, by OpenTelemetry: one for each, within the trace that its client began.

Follows W3C Trace Context. A request that isn't sampled keeps the ``traceparent`` that it came with;
one that is goes on with that of koproxy's span, so that the API server's are within it. Who asks
is in no span: traces are for others to read than logs.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import monotonic, time_ns

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from koproxy.identity.decision import decision_name
from koproxy.kubernetes_request import VERBS, RequestInfo, read_request_info
from koproxy.proxy.account import Account

_LINES = re.compile(rb"(?:\A|(?<=\n))(traceparent|tracestate):[ \t]*([^\r]*)\r\n", re.IGNORECASE)
_PARENT, _STATE = "traceparent", "tracestate"
_LEAST_REFUSED, _LEAST_WRONG = 400, 500

_trace_context = TraceContextTextMapPropagator()
# It would repeat in the log, and at any length, what a client sent that is no tracestate.
for _module in ("opentelemetry.trace.span", "opentelemetry.trace.propagation.tracecontext"):
    logging.getLogger(_module).setLevel(logging.CRITICAL)


class Tracing:
    """An observer that makes spans."""

    def __init__(
        self,
        provider: TracerProvider,
        now: Callable[[], int] = time_ns,
        steady: Callable[[], float] = monotonic,
    ) -> None:
        """Take who samples and exports; ``now`` in ns since the epoch, ``steady`` as accounts."""
        self._tracer = provider.get_tracer("koproxy")
        self._now = now
        self._steady = steady

    def decided(self, account: Account) -> None:
        """Begin a span, and have the request go on within it."""
        request = account.request
        if request is None:
            return
        given = _given(request.fields.ending)
        info = read_request_info(request.method, request.target)
        span = self._tracer.start_span(
            info.verb if info.verb in VERBS else "other",
            _trace_context.extract(given),
            kind=SpanKind.SERVER,
            start_time=self._at(account.began),
            attributes={
                "http.request.method": request.method.decode(),
                "url.path": info.path,
                "client.address": account.peer.decode(),
                "koproxy.decision": decision_name(account.outcome),
                "koproxy.audit_id": account.id,
            },
        )
        if not span.is_recording():
            return
        fields = request.fields
        request.fields = replace(fields, passed_on=_LINES.sub(b"", fields.passed_on))
        account.noted_upstream += _lines(span, given)
        account.note(self, (span, info))

    def answering(self, account: Account) -> None:
        """Say when the answer began."""
        noted: tuple[Span, RequestInfo] | None = account.noted(self)
        if noted is not None:
            noted[0].add_event("the answer begins", timestamp=self._at(account.answered))

    def complete(self, account: Account) -> None:
        """End the span."""
        noted: tuple[Span, RequestInfo] | None = account.noted(self)
        if noted is None:
            return
        span, info = noted
        if info.is_resource and account.status < _LEAST_REFUSED:
            span.update_name(_name(info))
        span.set_attribute("http.response.status_code", account.status)
        if account.sent:
            span.add_event("sent to the API server", timestamp=self._at(account.sent))
        if account.refusal:
            span.set_attribute("koproxy.reason", account.refusal)
        if account.cut or account.status >= _LEAST_WRONG:
            span.set_status(Status(StatusCode.ERROR, account.refusal or None))
        span.end(self._at(account.ended))

    def _at(self, seconds: float) -> int:
        """Turn an account's time into one since the epoch, in nanoseconds."""
        return self._now() - round((self._steady() - seconds) * 1e9)


def _given(block: bytes) -> Mapping[str, str]:
    """Find what a client says of the trace; two parents are none."""
    found: dict[str, list[str]] = {_PARENT: [], _STATE: []}
    for name, value in _LINES.findall(block):
        found[name.decode().lower()].append(value.decode("latin-1").strip())
    parents, states = found[_PARENT], found[_STATE]
    if len(parents) != 1:
        return {}
    return {_PARENT: parents[0], _STATE: ",".join(states)} if states else {_PARENT: parents[0]}


def _lines(span: Span, given: Mapping[str, str]) -> bytes:
    context = span.get_span_context()
    parent = f"{_PARENT}: 00-{context.trace_id:032x}-{context.span_id:016x}-01\r\n"
    state = given.get(_STATE)
    return (parent + (f"{_STATE}: {state}\r\n" if state else "")).encode("latin-1")


def _name(info: RequestInfo) -> str:
    """Name a span by a resource that the API server has answered about: there are few."""
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    return f"{info.verb} {resource}"
