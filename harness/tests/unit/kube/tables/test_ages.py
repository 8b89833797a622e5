"""Durations in a table's cell: short, and never more than has passed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube.tables.ages import age, duration, moment

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}
passed = st.floats(0, 9999 * SECONDS["y"], allow_nan=False)


def said(text):
    """Give the seconds that a cell says."""
    assert re.fullmatch(r"(\d+[smhdy]){1,2}", text)
    return sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+)(\w)", text))


@given(passed)
def test_an_age_is_short_and_near_the_truth(seconds):
    text = duration(seconds)
    assert len(text) <= 6
    assert said(text) <= seconds < said(text) + SECONDS[text[-1]]


@given(passed, passed)
def test_what_is_older_never_looks_younger(one, other):
    younger, older = sorted((one, other))
    assert said(duration(younger)) <= said(duration(older))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((-1.9, "0s"), (-2, "<invalid>"), (0, "0s"), (119.9, "119s"), (120, "2m"), (121, "2m1s")),
        *((599, "9m59s"), (600, "10m"), (10799, "179m"), (10800, "3h"), (28799, "7h59m")),
        *((28800, "8h"), (172799, "47h"), (172800, "2d"), (176400, "2d1h"), (691200, "8d")),
        *((63071999, "729d"), (63072000, "2y"), (63158400, "2y1d"), (252288000, "8y")),
    ],
)
def test_where_the_units_change(seconds, text):
    assert duration(seconds) == text


def test_an_age_is_counted_from_the_time_that_is_given():
    made = moment("2024-01-01T00:00:00Z")
    assert age("2024-01-01T00:00:00Z", made + 61) == "61s"
    assert age("2024-01-01T01:00:00.5+01:00", made + 61) == "60s"
    assert age(None, made) == "<unknown>"


@pytest.mark.parametrize("text", ["", "2024-01-01", "now", "2024-13-01T00:00:00Z", "20240101T00"])
def test_what_is_no_time_is_said(text):
    with pytest.raises(ValueError, match=r"."):
        moment(text)
