"""The page for Prometheus, of one process or of several."""

import os
from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from koproxy.observe.board import Board, make_board
from koproxy.observe.health import health_site
from koproxy.observe.metrics import SECONDS, Metrics, MetricsPage


class Some:
    """Counts something."""

    def __init__(self, number: int) -> None:
        self.number = number

    def collect(self) -> Iterator[Metric]:
        counter = CounterMetricFamily("koproxy_some", 'Some "things".', labels=("name",))
        counter.add_metric(('a "name"\nof two lines\\',), self.number)
        yield counter
        yield HistogramMetricFamily(
            "koproxy_time", "Time.", buckets=[("0.5", 1), ("+Inf", self.number)], sum_value=3.5
        )


def page(metrics: Metrics, accept: str = "") -> tuple[str, str]:
    """The head and the body of the page."""
    transport = StringTransport()
    channel = health_site(tuple, MetricsPage(metrics)).buildProtocol(None)
    channel.makeConnection(transport)
    channel.dataReceived(f"GET /metrics HTTP/1.0\r\nAccept: {accept}\r\n\r\n".encode())
    head, _, body = transport.value().partition(b"\r\n\r\n")
    return head.decode(), body.decode()


def samples(body: str) -> dict[tuple[str, str], float]:
    """The numbers, by their names and workers."""
    return {
        (sample.name, sample.labels.get("worker", "")): sample.value
        for family in text_string_to_metric_families(body)
        for sample in family.samples
        if sample.name.startswith("koproxy") and sample.labels.get("le") in (None, "+Inf")
    }


def test_one_process_says_what_it_has() -> None:
    head, body = page(Metrics((Some(7),), Clock()))
    assert head.startswith("HTTP/1.0 200 OK")
    assert "text/plain" in head
    assert samples(body) == {
        ("koproxy_some_total", ""): 7,
        ("koproxy_time_bucket", ""): 7,
        ("koproxy_time_count", ""): 7,
        ("koproxy_time_sum", ""): 3.5,
    }
    assert "process_cpu_seconds_total" in body


def test_it_speaks_openmetrics_too() -> None:
    head, body = page(Metrics((Some(7),), Clock()), "application/openmetrics-text; version=1.0.0")
    assert "application/openmetrics-text" in head
    assert body.endswith("# EOF\n")


def test_one_of_several_says_what_all_of_them_have() -> None:
    descriptor = make_board(3)
    clock = Clock()
    some = Some(10)
    others = [
        Metrics((each,), clock, Board(descriptor, at)) for at, each in ((1, some), (3, Some(30)))
    ]
    for each in others:
        each.startService()
    some.number = 11
    clock.advance(SECONDS)
    _, body = page(Metrics((Some(20),), clock, Board(descriptor, 2)))
    for each in others:
        each.stopService()
    os.close(descriptor)
    found = samples(body)
    assert [found["koproxy_some_total", worker] for worker in "123"] == [11, 20, 30]
    assert [found["koproxy_time_count", worker] for worker in "123"] == [11, 20, 30]
    assert body.count("# TYPE koproxy_some_total counter") == 1
    assert 'name="a \\"name\\"\\nof two lines\\\\"' in body
