"""Requests as numbers: how many, how they ended, how long they took. Labels are few on purpose.

What is counted on the way of a request are plain numbers; names and texts are made of them when
somebody asks. Names follow kube-apiserver's (https://kubernetes.io/docs/reference/instrumentation/
metrics/), with ``koproxy`` for ``apiserver``.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import lru_cache
from http import HTTPStatus

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from koproxy.identity.decision import DECISIONS, Unauthenticated, Verified, decision_name
from koproxy.kubernetes_request import VERBS, read_request_info
from koproxy.observe.tally import Tally
from koproxy.proxy.account import CLIENT_GONE, Account
from koproxy.wire.request import Request

OWN_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1.0, 10.0)
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

_ENDLESS = frozenset({"watch", "tunnel"})
_SWITCHED = 101
_TOGETHER = 64  # accounts that are counted one after the other
_STATUSES = frozenset((*HTTPStatus, CLIENT_GONE))

_TARGETS, _LONGEST_KEPT = 4096, 512
"""How many first lines are known by their verb, and bytes of the longest target among them."""


class _Verb:
    """What is counted of the requests with one verb."""

    __slots__ = ("known", "others", "upstream", "whole")

    def __init__(self) -> None:
        self.known: defaultdict[int, int] = defaultdict(int)  # with a known token, by status
        self.others: Counter[tuple[int, str]] = Counter()  # by status and decision
        self.upstream = Tally(SECONDS)
        self.whole = Tally(SECONDS)


class RequestMetrics:
    """An observer of requests that counts them."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._verbs: defaultdict[str, _Verb] = defaultdict(_Verb)
        self._kept = lru_cache(maxsize=_TARGETS)(self._find)
        self._long: Counter[str] = Counter(watch=0, stream=0, tunnel=0)
        self._own = Tally(OWN_SECONDS)
        self._failures: Counter[tuple[str, str]] = Counter()
        self._unknown = self._cut = self._received = self._returned = 0
        self._ended: list[Account] = []

    def answering(self, account: Account) -> None:
        """Count what goes on."""
        request = account.request
        verb = self._verb(request)
        kind = "tunnel" if account.status == _SWITCHED else "stream"
        if kind == "stream" and verb is self._verbs["watch"]:
            kind = "watch"
        account.note(self, (verb, kind))
        self._long[kind] += 1

    def complete(self, account: Account) -> None:
        """Count it, soon: many one after the other cost less than each at its time."""
        ended = self._ended
        ended.append(account)
        if len(ended) >= _TOGETHER:
            self._count()

    def _count(self) -> None:
        ended, self._ended = self._ended, []
        find, own, received, returned = self._verb, self._own, 0, 0
        for account in ended:
            kind = ""
            if account.notes is None or (noted := account.noted(self)) is None:
                verb = find(account.request)
            else:
                verb, kind = noted
                self._long[kind] -= 1
            if account.known and account.declined is None:
                verb.known[account.status] += 1
            else:
                self._decided(verb, account)
            received += account.received
            returned += account.returned
            if account.cut:
                self._cut += 1
            began = account.began
            # Written out: a call for each of the three is a third of what counting costs.
            if sent := account.sent:
                own.sum += (seconds := sent - began)
                own.counts[bisect_left(OWN_SECONDS, seconds)] += 1
                if answered := account.answered:
                    tally = verb.upstream
                    tally.sum += (seconds := answered - sent)
                    tally.counts[bisect_left(SECONDS, seconds)] += 1
            if kind not in _ENDLESS:
                tally = verb.whole
                tally.sum += (seconds := account.ended - began)
                tally.counts[bisect_left(SECONDS, seconds)] += 1
        self._received += received
        self._returned += returned

    def _decided(self, verb: _Verb, account: Account) -> None:
        decision = account.decision
        verb.others[account.status, decision_name(account.outcome)] += 1
        if decision is not None and not account.known:
            self._unknown += 1
        if isinstance(decision, Unauthenticated):
            self._failures[decision.issuer, decision.reason] += 1

    def _verb(self, request: Request | None) -> _Verb:
        if request is None:
            return self._verbs[""]
        method, target = request.method, request.target
        return (self._kept if len(target) <= _LONGEST_KEPT else self._find)(method, target)

    def _find(self, method: bytes, target: bytes) -> _Verb:
        verb = read_request_info(method, target).verb
        return self._verbs[verb if verb in VERBS else "other"]

    def collect(self) -> Iterator[Metric]:
        """Give what has been counted."""
        self._count()
        total = CounterMetricFamily(
            "koproxy_request",
            "Requests, by verb, status and what was decided about who sent them. Status 499: the "
            "client went without an answer; 2xx and so on: one that HTTP has no name for.",
            labels=("verb", "code", "decision"),
        )
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
        known = 0
        for name, verb in self._verbs.items():
            counts: Counter[tuple[str, str]] = Counter()
            for (code, decision), count in verb.others.items():
                counts[_code(code), decision] += count
            for code, count in verb.known.items():
                counts[_code(code), DECISIONS[Verified]] += count
                known += count
            for labels, count in counts.items():
                total.add_metric((name, *labels), count)
            for family, tally in ((whole, verb.whole), (upstream, verb.upstream)):
                if tally:
                    family.add_metric((name,), tally.buckets(), tally.sum)
        yield total
        yield whole
        yield upstream
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
        cache.add_metric(("hit",), known)
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


def _code(status: int) -> str:
    """Say a status; those without a name share one, since servers behind may choose any."""
    return str(status) if status in _STATUSES else f"{status // 100}xx"
