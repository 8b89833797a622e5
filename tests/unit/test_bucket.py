"""So many at once, so many a second, and nobody waits for longer than they may."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koproxy.proxy.bucket import TokenBucket


class Time:
    """A clock by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_and_then_one_after_the_other() -> None:
    time = Time()
    bucket = TokenBucket(2, 3, time)
    assert [bucket.wait(10) for _ in range(5)] == [0, 0, 0, 0.5, 1.0]
    time.now = 1.0
    assert bucket.wait(10) == 0.5
    time.now = 100.0
    assert [bucket.wait(10) for _ in range(4)] == [0, 0, 0, 0.5]


def test_who_would_wait_too_long_takes_nothing() -> None:
    time = Time()
    bucket = TokenBucket(1, 1, time)
    assert [bucket.wait(2) for _ in range(5)] == [0, 1, None, None, None]
    time.now = 1.0
    assert bucket.wait(2) == 1


@given(
    st.floats(0.1, 100),
    st.integers(1, 20),
    st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_never_more_than_allowed(qps: float, burst: int, pauses: list[float]) -> None:
    time = Time()
    bucket = TokenBucket(qps, burst, time)
    calls = []
    for pause in pauses:
        time.now += pause
        wait = bucket.wait(5)
        if wait is not None:
            assert 0 <= wait < 5
            calls.append(time.now + wait)
    for number, first in enumerate(calls):
        for later in range(number, len(calls)):
            assert later - number + 1 <= burst + qps * (calls[later] - first) + 1e-6
    assert calls == pytest.approx(sorted(calls))
