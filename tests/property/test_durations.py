"""Durations come back as they were written, and what is none is refused."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koproxy import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("30s", 30),
        ("1m30s", 90),
        ("1.5h", 5400),
        ("3m0s", 180),
        ("5ms", 0.005),
    ],
)
def test_go_s_durations_are_read(text: str, seconds: float) -> None:
    assert durations.read(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "30", "-1s", "s", "1 s", "1d", "1s ", "+1s", "1e3s", "٣s"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        durations.read(text)


def test_what_go_can_not_hold_is_refused() -> None:
    assert durations.read("2562047h").days == 106751
    for text in ("2562048h", "999999999h999999999h999999999h"):
        with pytest.raises(ValueError, match="longer duration than there can be"):
            durations.read(text)


@given(st.integers(0, 10**9).map(lambda ms: timedelta(milliseconds=ms)))
def test_what_is_written_is_read(span: timedelta) -> None:
    assert durations.read(durations.write(span)) == span
