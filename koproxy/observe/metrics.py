"""``/metrics`` for Prometheus on the probe port: what all collectors give, of all workers.

https://prometheus.io/docs/instrumenting/exposition_formats/. Counting is the collectors'; here it
is only written down.
"""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.web.resource import Resource
from twisted.web.server import Request

from koproxy.observe.board import Board

SECONDS = 1.0
"""How old the numbers of another worker may be."""


class Metrics(Service):
    """Everything that is counted; as a service, it shows other workers what this one has."""

    def __init__(
        self, collectors: Iterable[Collector], clock: IReactorTime, board: Board | None = None
    ) -> None:
        """Take who counts, and the board that several workers have in common."""
        self._own = CollectorRegistry(auto_describe=False)
        for each in (*collectors, ProcessCollector(registry=None)):
            self._own.register(each)
        self._board = board
        self._showing = LoopingCall(self._show)
        self._showing.clock = clock

    def startService(self) -> None:
        """Show from now on."""
        super().startService()
        if self._board is not None:
            self._showing.start(SECONDS)

    def stopService(self) -> None:
        """Show no more."""
        super().stopService()
        if self._showing.running:
            self._showing.stop()

    def _show(self) -> None:
        if self._board is not None:
            self._board.write(generate_latest(self._own).decode())

    def collect(self) -> Iterator[Metric]:
        """Give it all: of several workers, each number with the worker that it is of."""
        if self._board is None:
            yield from self._own.collect()
            return
        shown = {self._board.number: generate_latest(self._own).decode(), **self._board.others()}
        families: dict[str, Metric] = {}
        for number, text in sorted(shown.items()):
            for family in text_string_to_metric_families(text):
                kept = families.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                for sample in family.samples:
                    labels = {**sample.labels, "worker": str(number)}
                    kept.add_sample(sample.name, labels, sample.value)
        yield from families.values()


class MetricsPage(Resource):
    """The page that Prometheus reads."""

    isLeaf = True

    def __init__(self, metrics: Metrics) -> None:
        """Take what there is to say."""
        super().__init__()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(metrics)

    def render_GET(self, request: Request) -> bytes:
        """Say it, as text or as OpenMetrics, as is asked for."""
        encode, content_type = choose_encoder(request.getHeader("accept") or "")
        request.setHeader(b"content-type", content_type.encode())
        return encode(self._registry)
