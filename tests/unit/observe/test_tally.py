"""A histogram's buckets, beside the library's own."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram

from koproxy.observe.tally import Tally

BOUNDS = (0.001, 0.01, 0.5, 1.0, 10.0)


@given(st.lists(st.floats(0, 20) | st.sampled_from(BOUNDS)))
def test_it_has_what_the_library_would_have(values: list[float]) -> None:
    registry = CollectorRegistry()
    theirs = Histogram("a", "b", buckets=BOUNDS, registry=registry)
    ours = Tally(BOUNDS)
    for value in values:
        theirs.observe(value)
        ours.add(value)
    buckets = ours.buckets()
    for bound, count in buckets:
        assert registry.get_sample_value("a_bucket", {"le": bound}) == count
    assert len(buckets) == len(BOUNDS) + 1
    assert registry.get_sample_value("a_sum") == ours.sum
