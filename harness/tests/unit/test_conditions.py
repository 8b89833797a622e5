"""Waiting for what happens at a server of the harness."""

import pytest
from koproxy_harness.serving.conditions import Conditions
from twisted.internet.task import Clock


def test_what_is_true_already_is_not_waited_for():
    clock = Clock()
    assert Conditions().until(lambda: True, 1, clock).called
    assert clock.getDelayedCalls() == []


def test_a_wait_ends_when_its_condition_is_true_and_leaves_no_timer():
    clock, conditions, seen = Clock(), Conditions(), []
    one = conditions.until(lambda: seen, 1, clock)
    two = conditions.until(lambda: len(seen) > 1, 1, clock)
    conditions.check()
    assert not one.called
    seen.append(1)
    conditions.check()
    assert (one.called, two.called) == (True, False)
    seen.append(2)
    conditions.check()
    assert two.called
    assert clock.getDelayedCalls() == []


def test_a_wait_is_over_after_its_time():
    clock, conditions = Clock(), Conditions()
    waiting = conditions.until(lambda: False, 3, clock)
    failures = []
    waiting.addErrback(failures.append)
    clock.advance(2.9)
    assert failures == []
    clock.advance(0.1)
    with pytest.raises(TimeoutError, match="within 3 seconds"):
        failures[0].raiseException()
    conditions.check()
