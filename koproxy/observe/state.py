"""What is there now, as numbers: connections, issuers' keys, calls of the proxy's own.

It only reads; nothing is counted for it on the way of a request.
"""

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from koproxy import __version__
from koproxy.authentication import Authentication
from koproxy.proxy.limits import Clients
from koproxy.proxy.upstream import Pool


class StateMetrics:
    """Looks at the parts of the daemon when it is asked to."""

    def __init__(
        self,
        authentication: Authentication,
        clients: Clients,
        pools: Sequence[Pool],
        own_calls: Mapping[tuple[str, str], int],
    ) -> None:
        """Take the parts; ``own_calls`` counts calls by what was asked and the status."""
        self._authentication = authentication
        self._clients = clients
        self._pools = pools
        self._made = own_calls

    def collect(self) -> Iterator[Metric]:
        """Give what there is now."""
        build = GaugeMetricFamily(
            "koproxy_build_info", "The version that runs.", labels=("version",)
        )
        build.add_metric((__version__,), 1)
        yield build
        yield from self._connections()
        yield from self._issuers()
        yield from self._own_calls()

    def _connections(self) -> Iterator[Metric]:
        clients, pools = self._clients, self._pools
        yield GaugeMetricFamily(
            "koproxy_connections", "Connections of clients.", clients.connections
        )
        yield CounterMetricFamily(
            "koproxy_connections_turned_away",
            "Connections closed at once, for there were too many.",
            clients.turned_away,
        )
        yield GaugeMetricFamily(
            "koproxy_current_inflight_requests",
            "Requests that wait for the API server's answer to begin.",
            clients.waiting,
        )
        yield GaugeMetricFamily(
            "koproxy_upstream_idle_connections",
            "Connections to the API server that wait for a request.",
            sum(pool.idle for pool in pools),
        )
        yield CounterMetricFamily(
            "koproxy_upstream_connections",
            "Connections to the API server that were begun.",
            sum(pool.made for pool in pools),
        )

    def _issuers(self) -> Iterator[Metric]:
        authentication = self._authentication
        yield GaugeMetricFamily(
            "koproxy_token_cache_entries", "Verified tokens kept.", authentication.remembered
        )
        ready = GaugeMetricFamily(
            "koproxy_issuer_ready",
            "Whether an issuer's tokens can be verified.",
            labels=("issuer",),
        )
        for url, problem in authentication.problems.items():
            ready.add_metric((url,), problem is None)
        yield ready
        fetched = GaugeMetricFamily(
            "koproxy_issuer_keys_fetch_timestamp_seconds",
            "When an issuer's keys were last fetched; 0 is never.",
            labels=("issuer",),
        )
        for url, seconds in authentication.fetched_at.items():
            fetched.add_metric((url,), seconds)
        yield fetched

    def _own_calls(self) -> Iterator[Metric]:
        calls = CounterMetricFamily(
            "koproxy_own_call",
            "Calls to the API server that the proxy has made for itself. Code: the status, error "
            "without one, throttled if --kube-client-qps was in the way.",
            labels=("call", "code"),
        )
        for labels, count in self._made.items():
            calls.add_metric(labels, count)
        yield calls
