"""Requests as numbers: how many, how they ended, how long they took. Labels are few on purpose.

What is counted on the way of a request are plain numbers; names and texts are made of them when
somebody asks. Names follow kube-apiserver's (https://kubernetes.io/docs/reference/instrumentation/
metrics/), with ``koproxy`` for ``apiserver``.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from koproxy.identity.anonymous import NOBODY
from koproxy.identity.decision import DECISIONS, Outcome, Unauthenticated
from koproxy.kubernetes_request import read_request_info
from koproxy.observe.tally import Tally
from koproxy.proxy.account import Account

OWN_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1.0, 10.0)
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

_VERBS = frozenset(
    (
        *("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"),
        *("post", "put", "head", "options", "proxy"),
    )
)
_ENDLESS = frozenset({"watch", "tunnel"})
_SWITCHED = 101


class RequestMetrics:
    """An observer of requests that counts them."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._total: defaultdict[tuple[str, int, bool, type], int] = defaultdict(int)
        self._long: Counter[str] = Counter(watch=0, stream=0, tunnel=0)
        self._own = Tally(OWN_SECONDS)
        self._upstream: defaultdict[str, Tally] = defaultdict(_seconds)
        self._whole: defaultdict[str, Tally] = defaultdict(_seconds)
        self._failures: Counter[tuple[str, str]] = Counter()
        self._known = self._unknown = self._cut = self._received = self._returned = 0

    def answering(self, account: Account) -> None:
        """Count what goes on."""
        verb = _verb(account)
        kind = "tunnel" if account.status == _SWITCHED else "stream"
        if verb == "watch" and kind == "stream":
            kind = verb
        account.note(self, (verb, kind))
        self._long[kind] += 1

    def complete(self, account: Account) -> None:
        """Count it."""
        decision, sent = account.decision, account.sent
        noted = None if account.notes is None else account.noted(self)
        if noted is None:
            verb, kind = _verb(account), ""
        else:
            verb, kind = noted
            self._long[kind] -= 1
        if account.known:
            self._known += 1
        elif decision is not None:
            self._decided(decision)
        self._total[verb, account.status, decision is NOBODY, type(decision)] += 1
        self._received += account.received
        self._returned += account.returned
        if account.cut:
            self._cut += 1
        if sent:
            self._own.add(sent - account.began)
            if account.answered:
                self._upstream[verb].add(account.answered - sent)
        if kind not in _ENDLESS:
            self._whole[verb].add(account.ended - account.began)

    def _decided(self, decision: Outcome) -> None:
        self._unknown += 1
        if isinstance(decision, Unauthenticated):
            self._failures[decision.issuer, decision.reason] += 1

    def collect(self) -> Iterator[Metric]:
        """Give what has been counted."""
        total = CounterMetricFamily(
            "koproxy_request",
            "Requests, by verb, status and what was decided about who sent them. Status 499: the "
            "client went without an answer.",
            labels=("verb", "code", "decision"),
        )
        for (verb, code, anonymous, decision), count in self._total.items():
            named = "anonymous" if anonymous else DECISIONS[decision]
            total.add_metric((verb, str(code), named), count)
        yield total
        whole = HistogramMetricFamily(
            "koproxy_request_duration_seconds",
            "From a request's head to the end of its answer; without watches and tunnels.",
            labels=("verb",),
        )
        upstream = HistogramMetricFamily(
            "koproxy_request_upstream_duration_seconds",
            "From a request's head at the API server to the head of its answer.",
            labels=("verb",),
        )
        for family, found in ((whole, self._whole), (upstream, self._upstream)):
            for verb, tally in found.items():
                family.add_metric((verb,), tally.buckets(), tally.sum)
            yield family
        yield HistogramMetricFamily(
            "koproxy_request_own_duration_seconds",
            "From a request's head until it goes to the API server: deciding, and a connection.",
            buckets=self._own.buckets(),
            sum_value=self._own.sum,
        )
        long = GaugeMetricFamily(
            "koproxy_longrunning_requests",
            "Answers that go on now: watches, tunnels (exec, attach, port-forward), other streams.",
            labels=("kind",),
        )
        for kind, number in self._long.items():
            long.add_metric((kind,), number)
        yield long
        size = CounterMetricFamily(
            "koproxy_body_bytes",
            "Bytes of requests' bodies (received) and of answers' (returned), tunnels included.",
            labels=("direction",),
        )
        size.add_metric(("received",), self._received)
        size.add_metric(("returned",), self._returned)
        yield size
        yield CounterMetricFamily(
            "koproxy_request_cut", "Requests whose answer did not come to its end.", self._cut
        )
        cache = CounterMetricFamily(
            "koproxy_token_cache_request",
            "Tokens looked up: verified before (hit), or to be decided now (miss).",
            labels=("status",),
        )
        cache.add_metric(("hit",), self._known)
        cache.add_metric(("miss",), self._unknown)
        yield cache
        failures = CounterMetricFamily(
            "koproxy_authentication_failure",
            "Tokens refused, by the issuer that they name, if it is known here, and the reason.",
            labels=("issuer", "reason"),
        )
        for (issuer, reason), count in self._failures.items():
            failures.add_metric((issuer, reason), count)
        yield failures


def _seconds() -> Tally:
    return Tally(SECONDS)


def _verb(account: Account) -> str:
    request = account.request
    if request is None:
        return ""
    verb = read_request_info(request.method, request.target).verb
    return verb if verb in _VERBS else "other"
