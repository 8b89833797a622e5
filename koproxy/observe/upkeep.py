"""What has to be looked after, as numbers: files taken up, certificates that end, logs.

It only reads; nothing is counted for it on the way of a request.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from koproxy.audit.backend import Backend
from koproxy.reloaded import Reloaded


class UpkeepMetrics:
    """Looks at files and logs when it is asked to."""

    def __init__(
        self,
        kept: Sequence[Reloaded[object]],
        expiries: Callable[[], Mapping[str, float]],
        logs: Sequence[Backend],
    ) -> None:
        """Take the files that are taken up when they change, and the logs that are written.

        ``expiries`` says when certificates end, in seconds since the epoch.
        """
        self._kept = kept
        self._expiries = expiries
        self._logs = logs

    def collect(self) -> Iterator[Metric]:
        """Give what there is now."""
        yield from self._files()
        ends = GaugeMetricFamily(
            "koproxy_certificate_expiry_timestamp_seconds",
            "When a certificate ends that clients, or the API server, are shown.",
            labels=("files",),
        )
        for files, seconds in self._expiries().items():
            ends.add_metric((files,), seconds)
        yield ends
        if self._logs:
            yield from self._written()

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
        last = GaugeMetricFamily(
            "koproxy_reload_last_success_timestamp_seconds",
            "When what holds of files that flags name was taken up.",
            labels=("files",),
        )
        for each in self._kept:
            reloads.add_metric((each.files, "success"), each.taken_up)
            reloads.add_metric((each.files, "failure"), each.refused)
            wrong.add_metric((each.files,), each.problem is not None)
            last.add_metric((each.files,), each.taken_up_at)
        yield reloads
        yield wrong
        yield last

    def _written(self) -> Iterator[Metric]:
        events = CounterMetricFamily(
            "koproxy_log_event",
            "Audit events, and lines of the access log, that were written or lost.",
            labels=("log", "status"),
        )
        waiting = GaugeMetricFamily(
            "koproxy_log_waiting",
            "Audit events, and lines of the access log, that wait to be written.",
            labels=("log",),
        )
        failing = GaugeMetricFamily(
            "koproxy_log_failing", "Whether a log can't be written now.", labels=("log",)
        )
        for each in self._logs:
            name = str(each.name)  # Twisted's services say that theirs may be None
            events.add_metric((name, "written"), each.written)
            events.add_metric((name, "lost"), each.dropped)
            waiting.add_metric((name,), each.waiting)
            failing.add_metric((name,), each.problem is not None)
        yield events
        yield waiting
        yield failing
