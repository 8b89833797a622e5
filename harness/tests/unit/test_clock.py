"""A clock that a test sets."""

import time
from datetime import UTC, datetime, timedelta, timezone

from koproxy_harness.serving.clock import Clock

THEN = datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)  # 10**9 seconds after 1970


def test_it_is_the_machines_until_it_is_set() -> None:
    clock = Clock()
    before = time.time()
    assert before <= clock.now() <= time.time()


def test_it_runs_on_from_where_it_is_put() -> None:
    clock = Clock()
    for when in (
        1e9,
        THEN,
        THEN.replace(tzinfo=None),
        THEN.astimezone(timezone(timedelta(hours=3))),
    ):
        clock.set(when)
        began = time.time()
        assert 1e9 <= clock.now() <= 1e9 + (time.time() - began) + 60
        assert clock.text.startswith("2001-09-09T01:4")
    clock.move(3600)
    assert clock.text.startswith("2001-09-09T02:4")
    clock.reset()
    assert clock.now() >= began
