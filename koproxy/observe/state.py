"""What is there now, as numbers: connections, issuers' keys, certificates, files taken up.

It only reads; nothing is counted for it on the way of a request.
"""

from collections.abc import Iterator, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from koproxy import __version__
from koproxy.authentication import Authentication
from koproxy.proxy.limits import Clients
from koproxy.proxy.upstream import Pool
from koproxy.reloaded import Reloaded


class StateMetrics:
    """Looks at the parts of the daemon when it is asked to."""

    def __init__(
        self,
        authentication: Authentication,
        clients: Clients,
        pool: Pool,
        kept: Sequence[Reloaded[object]],
    ) -> None:
        """Take the parts; ``kept`` are the files that are taken up when they change."""
        self._authentication = authentication
        self._clients = clients
        self._pool = pool
        self._kept = kept

    def collect(self) -> Iterator[Metric]:
        """Give what there is now."""
        build = GaugeMetricFamily(
            "koproxy_build_info", "The version that runs.", labels=("version",)
        )
        build.add_metric((__version__,), 1)
        yield build
        yield from self._connections()
        yield from self._issuers()
        yield from self._files()

    def _connections(self) -> Iterator[Metric]:
        clients, pool = self._clients, self._pool
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
            pool.idle,
        )
        yield CounterMetricFamily(
            "koproxy_upstream_connections",
            "Connections to the API server that were begun.",
            pool.made,
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

    def _files(self) -> Iterator[Metric]:
        reloads = CounterMetricFamily(
            "koproxy_reload",
            "Changes of files that flags name, taken up or refused.",
            labels=("files", "status"),
        )
        wrong = GaugeMetricFamily(
            "koproxy_reload_refused",
            "Whether files are not taken up as they are now, so that what they said before holds.",
            labels=("files",),
        )
        for each in self._kept:
            reloads.add_metric((each.files, "success"), each.taken_up)
            reloads.add_metric((each.files, "failure"), each.refused)
            wrong.add_metric((each.files,), each.problem is not None)
        yield reloads
        yield wrong
