"""The benchmark refuses figures that mean nothing, and compares only what ran side by side."""

from collections.abc import Mapping
from pathlib import Path
from subprocess import Popen
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.contestants import Running
from bench.errors import NoFigure
from bench.load import Load, read_figures
from bench.measure import CPU, P99, Figure, Sample, interleaved
from bench.processes import Program
from bench.report import figures_table, page, ratios_table

COUNTED = (
    '{"requests": 40000, "duration": 2000000, "p50": 1500, "p99": 9250, '
    '"connect": 0, "read": 0, "write": 0, "status": 0, "timeout": 0}'
)


def printed(counted: str) -> str:
    return f"Running 2s test @ https://127.0.0.1:1/\n  1 threads\n\nfigures: {counted}\n"


def test_what_wrk_counted_is_read_in_seconds_and_milliseconds() -> None:
    assert read_figures(printed(COUNTED)) == Load(requests=40000, seconds=2.0, p50=1.5, p99=9.25)


@pytest.mark.parametrize("error", ["connect", "read", "write", "status", "timeout"])
def test_a_run_with_a_single_error_has_no_figures(error: str) -> None:
    with pytest.raises(NoFigure, match="the load met 1 "):
        read_figures(printed(COUNTED.replace(f'"{error}": 0', f'"{error}": 1')))


def test_a_run_without_answers_has_no_figures() -> None:
    with pytest.raises(NoFigure, match="not one answer"):
        read_figures(printed(COUNTED.replace("40000", "0")))


def test_what_wrk_says_instead_of_figures_is_passed_on() -> None:
    with pytest.raises(NoFigure, match=r"unable to connect to 127\.0\.0\.1:1"):
        read_figures("unable to connect to 127.0.0.1:1 Connection refused\n")


def running(name: str) -> Running:
    return Running(Program(name, cast(Popen[bytes], None), Path(name)), 0)


class Recorded:
    """A case that only notes who is measured."""

    name = "recorded"

    def __init__(self) -> None:
        self.order: list[str] = []
        self.fails = ""

    def measure(self, running: Running) -> Mapping[Figure, float]:
        if running.program.name == self.fails:
            raise NoFigure("it fell over")
        self.order.append(running.program.name)
        return {CPU: 1.0}


CONTESTANTS = {name: running(name) for name in ("a", "b", "c")}


def test_contestants_take_turns_and_every_other_round_is_backwards() -> None:
    case = Recorded()
    samples = list(interleaved(CONTESTANTS, [case], rounds=3))
    assert "".join(case.order) == "abccbaabc"
    assert [sample.round for sample in samples] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_a_contestant_that_fails_ends_the_run_by_name() -> None:
    case = Recorded()
    case.fails = "b"
    with pytest.raises(NoFigure, match=r"^b, recorded: it fell over$"):
        list(interleaved(CONTESTANTS, [case], rounds=3))


def row(lines: list[str], *first: str) -> list[str]:
    """The cells of the row that begins so."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    (found,) = [each[len(first) :] for each in cells if each[: len(first)] == list(first)]
    return found


@given(drift=st.lists(st.floats(0.1, 10), min_size=1, max_size=8))
def test_ratios_do_not_see_a_machine_that_drifts_between_rounds(drift: list[float]) -> None:
    samples = [
        Sample(number, "1 connection", name, {CPU: cost * factor, P99: 1.0})
        for number, factor in enumerate(drift)
        for name, cost in (("mine", 150.0), ("theirs", 100.0))
    ]
    ratios = row(ratios_table(samples, "theirs"), "1 connection", "mine / theirs")
    assert ratios == ["1.50 (1.50..1.50)", "1.00 (1.00..1.00)"]


def test_figures_are_medians_with_their_spread_for_each_case() -> None:
    samples = [
        Sample(number, case, "mine", {CPU: cost + extra})
        for case, extra in (("1 connection", 100.0), ("32 connections", 0.0))
        for number, cost in enumerate((52.04, 50.0, 99.9))
    ]
    lines = figures_table(samples)
    assert row(lines, "1 connection", "mine") == ["152.0 (150.0..199.9)"]
    assert row(lines, "32 connections", "mine") == ["52.0 (50.0..99.9)"]


def test_the_page_names_the_command_and_the_machine() -> None:
    samples = [Sample(0, "c", name, {CPU: 1.0}) for name in ("mine", "theirs")]
    machine: list[tuple[str, Any]] = [("kernel", "Linux 6.1")]
    text = page(samples, "theirs", "python -m bench --rounds 1", machine)
    assert "`python -m bench --rounds 1`" in text
    assert "- kernel: Linux 6.1" in text
