"""Which requests a fault happens to."""

import math

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
        ({"seconds": 5.0}, "xxxxxx"),
        ({"seconds": 5.0, "begun": -5.0}, "......"),
        ({"method": "PUT"}, "......"),
        ({"method": "GET"}, "xxxxxx"),
        ({"method": "get"}, "xxxxxx"),
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
    faults.add(Fault(("/a",), seconds=5.0))
    assert taken(faults, 1, now=4.9) == "x"
    assert taken(faults, 1, now=5.0) == "."


def test_a_verb_tells_requests_of_one_path_apart() -> None:
    faults = Faults()
    faults.add(Fault(("/a",), verb="watch", times=1))
    assert faults.take("GET", "/a", 0, "list") is None
    assert faults.take("GET", "/a", 0) is None
    assert faults.take("GET", "/a", 0, "watch") is not None
    assert faults.take("GET", "/a", 0, "watch") is None


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"times": 0}, "times of a fault is a whole number from 1 on, not 0"),
        ({"times": "1"}, "times of a fault is a whole number from 1 on, not '1'"),
        ({"times": True}, "times .* not True"),
        ({"every": 0}, "every of a fault is a whole number from 1 on, not 0"),
        ({"every": None}, "every .* not None"),
        ({"after": -1}, "after of a fault is a whole number from 0 on, not -1"),
        ({"after": 1.5}, "after .* not 1.5"),
        ({"delay": -0.1}, "delay of a fault is a number of seconds, 0 or more, not -0.1"),
        ({"delay": math.nan}, "delay .* not nan"),
        ({"delay": math.inf}, "delay .* not inf"),
        ({"seconds": -1}, "seconds of a fault is a number above 0, not -1"),
        ({"seconds": 0}, "seconds .* not 0"),
        ({"status": 20}, "status of a fault is a whole number from 200 to 999, not 20"),
        ({"status": 101}, "status .* not 101"),
        ({"status": 1000}, "status .* not 1000"),
        ({"status": "500"}, "status .* not '500'"),
        ({"reset": "yes"}, "reset of a fault is True or False, not 'yes'"),
        ({"method": "GET,PUT"}, "'GET,PUT' is no method"),
        ({"method": None}, "None is no method"),
        ({"headers": "abc"}, "headers of a fault are texts by their names, .* not 'abc'"),
        ({"headers": ["ab"]}, "headers of a fault are texts by their names"),
        ({"headers": {"Retry-After": 1}}, "headers of a fault are texts by their names"),
        ({"headers": {"X": "a\r\nb"}}, r"'X': 'a\\r\\nb' is no header"),
        ({"headers": {"X Y": "a"}}, "'X Y': 'a' is no header"),
        ({"headers": {"X": "\u20ac"}}, "is no header"),
        ({"body": 3}, "body of a fault is bytes, a text, or a dict or list .* not 3"),
        ({"body": {"a": b"b"}}, "body of a fault can't be sent as JSON"),
        ({"body": "a", "status": 204}, "an answer 204 has no body"),
        ({"raw": 3}, "raw of a fault is bytes or a text, not 3"),
        ({"raw": b"a", "reset": True, "after": 3}, "raw, .*, can't go with reset and after"),
        ({"raw": b"a", "status": 503}, "raw, .*, can't go with status: leave one out"),
        ({"raw": b"a", "body": "b", "headers": {"X": "a"}}, "can't go with body and headers"),
        ({"reset": True, "body": "b"}, "reset without after, .*, can't go with body"),
        ({"paths": ("watch",)}, "'watch' is the path of no request: a pattern begins with / or"),
        ({"paths": ("api/v1/pods",)}, "'api/v1/pods' is the path of no request"),
        ({"paths": ("",)}, "'' is the path of no request"),
        ({"paths": (None,)}, "None is the path of no request"),
        ({"paths": ("/version?x=1",)}, "'/version.x=1' matches no request: .*the query"),
        ({"paths": ("/api/v1/pods?watch",)}, "matches no request"),
        ({"paths": ("/version#a",)}, "matches no request"),
    ],
)
def test_what_makes_no_sense_is_refused(how: dict, said: str) -> None:
    with pytest.raises(HarnessError, match=said):
        Fault(**{"paths": ("/a",), **how})


@pytest.mark.parametrize("path", ["/a", "*", "*/pods", "/api/v?/*", "[/]a", "/a?", "/v?/a=b"])
def test_patterns_as_in_fnmatch_are_taken(path: str) -> None:
    Fault((path,))


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (None, None),
        (b"\xff", b"\xff"),
        ("\u20ac", "\u20ac".encode()),
        ({"keys": []}, b'{"keys": []}'),
        ([], b"[]"),
        ("", b""),
    ],
)
def test_bodies_are_what_people_mean(body: object, content: bytes | None) -> None:
    assert Fault(("/a",), status=200, body=body).content == content  # type: ignore[arg-type]


def test_raw_is_bytes_or_a_text() -> None:
    assert Fault(("/a",), raw="\u20ac").instead == "\u20ac".encode()
    assert Fault(("/a",), raw=b"\xff").instead == b"\xff"
