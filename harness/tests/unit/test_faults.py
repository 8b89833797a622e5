"""Which requests a fault happens to."""

import pytest
from koproxy_harness import HarnessError
from koproxy_harness.serving.faults import Fault, Faults


def taken(faults: Faults, times: int, method: str = "GET", path: str = "/a", now: float = 0) -> str:
    found = [faults.take(method, path, now) for _ in range(times)]
    return "".join("." if fault is None else "x" for fault in found)


@pytest.mark.parametrize(
    ("how", "seen"),
    [
        ({}, "xxxxxx"),
        ({"times": 2}, "xx...."),
        ({"every": 2}, ".x.x.x"),
        ({"every": 3, "times": 1}, "..x..."),
        ({"until": 5.0}, "xxxxxx"),
        ({"until": 0.0}, "......"),
        ({"method": "PUT"}, "......"),
        ({"method": "GET"}, "xxxxxx"),
    ],
)
def test_how_often_it_happens(how: dict, seen: str) -> None:
    faults = Faults()
    faults.add(Fault(("/a",), **how))
    assert taken(faults, 6) == seen
    assert taken(faults, 1, path="/b") == "."


def test_the_newest_wins_and_the_older_comes_back() -> None:
    faults = Faults()
    old, new = Fault(("/*",), 500), Fault(("/a",), 503, times=1)
    faults.add(old)
    faults.add(new)
    assert [faults.take("GET", "/a", 0) for _ in range(2)] == [new, old]
    faults.clear()
    assert taken(faults, 1) == "."


def test_a_fault_ends_with_its_time() -> None:
    faults = Faults()
    faults.add(Fault(("/a",), until=5.0))
    assert taken(faults, 1, now=4.9) == "x"
    assert taken(faults, 1, now=5.0) == "."


@pytest.mark.parametrize(
    "how",
    [{"times": 0}, {"every": 0}, {"after": -1}, {"delay": -0.1}, {"status": 20}, {"status": 101}],
)
def test_numbers_without_sense_are_refused(how: dict) -> None:
    with pytest.raises(HarnessError, match=str(next(iter(how.values())))):
        Fault(("/a",), **how)
