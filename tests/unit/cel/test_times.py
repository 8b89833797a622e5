"""Points in time and spans of time: what zones say, and texts that are none."""

import pytest

from koproxy.cel.claims import claims_root
from koproxy.cel.compiling import CompileError, Compiler
from koproxy.cel.functions.times import read_duration
from koproxy.cel.values import CelError, Duration

COMPILER = Compiler()


def hours(time: str, zone: str) -> object:
    program = COMPILER.claims(f"timestamp('{time}').getHours(claims.zone)")
    return program.evaluate(claims_root({"zone": zone}, lambda value: value))


@pytest.mark.parametrize(
    ("time", "zone", "hour"),
    [
        ("2024-03-31T00:30:00Z", "Europe/Berlin", 1),
        ("2024-03-31T01:30:00Z", "Europe/Berlin", 3),
        ("2024-10-27T00:30:00Z", "Europe/Berlin", 2),
        ("2024-10-27T01:30:00Z", "Europe/Berlin", 2),
        ("2024-03-10T06:30:00Z", "America/New_York", 1),
        ("2024-03-10T07:30:00Z", "America/New_York", 3),
        ("2024-11-03T05:30:00Z", "America/New_York", 1),
        ("2024-11-03T06:30:00Z", "America/New_York", 1),
        ("2024-11-03T06:30:00Z", "Local", 6),
    ],
)
def test_a_zone_changes_at_a_point_in_time_and_not_when_its_clocks_show_it(
    time: str, zone: str, hour: int
) -> None:
    assert hours(time, zone) == hour


FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"


@pytest.mark.parametrize(
    ("time", "zone", "hour"), [(FIRST, "Asia/Tokyo", 9), (LAST, "America/New_York", 18)]
)
def test_at_the_ends_of_time_there_is_an_hour(time: str, zone: str, hour: int) -> None:
    assert hours(time, zone) == hour


@pytest.mark.parametrize(("time", "zone"), [(FIRST, "America/New_York"), (LAST, "Asia/Tokyo")])
def test_beyond_the_ends_of_time_there_is_an_overflow(time: str, zone: str) -> None:
    with pytest.raises(CelError, match="timestamp overflow"):
        hours(time, zone)


@pytest.mark.parametrize("zone", ["a/b", "..", "/UTC", "\0", "zone.tab", "a" * 50_000, "America"])
def test_what_is_no_zone_is_none(zone: str) -> None:
    with pytest.raises(CelError, match="unknown time zone"):
        hours("2020-01-01T00:00:00Z", zone)


def test_many_zones_take_many_steps() -> None:
    program = COMPILER.claims(
        "dyn(claims.zones).exists(z, timestamp('2020-01-01T00:00:00Z').getHours(z) == 99)"
    )
    zones = [f"nowhere/{number}" for number in range(3000)]
    with pytest.raises(CelError, match="actual cost limit exceeded"):
        program.evaluate(claims_root({"zones": zones}, lambda value: value))


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("1.5h", 5400 * 10**9), ("1.h", 3600 * 10**9), (".5h", 1800 * 10**9), ("0", 0)],
)
def test_durations(text: str, nanoseconds: int) -> None:
    assert read_duration(text) == Duration(nanoseconds)


@pytest.mark.parametrize("text", [".h", "1..5h", "1h.5m2", "1", "1.5", "1.2.3s", "1h 2m", ".", ""])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(CelError):
        read_duration(text)


def test_digits_without_a_unit_are_read_in_linear_time() -> None:
    for text in ("1" * 500_000, "1." + "1" * 500_000):
        with pytest.raises(CelError):
            read_duration(text)


@pytest.mark.parametrize("text", ["1e400", "-1e400", "[1e400]", "1.0 + 1e400 == 1.0"])
def test_a_number_that_is_written_out_is_finite(text: str) -> None:
    with pytest.raises(CompileError, match="invalid double literal"):
        COMPILER.claims(text)
