"""The benchmark's page: ratios within rounds, the best Go by figure, goals, and what is missing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.figures import Blank, Figure, Sample
from bench.goals import BEST_GO, NGINX, Goal, goals
from bench.report import Page

COST = Figure("CPU µs", 1)
RATE = Figure("requests/s", more_is_better=True)
GOS = ("go-a", "go-b")


def cells(lines: list[str], *first: str) -> list[str]:
    """The cells of the row that begins so."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    (found,) = [each[len(first) :] for each in rows if each[: len(first)] == list(first)]
    return found


def sample(contestant: str, cost: float, rate: float = 1.0, number: int = 0) -> Sample:
    return Sample(number, "case", contestant, {COST: cost, RATE: rate})


@given(drift=st.lists(st.floats(0.1, 10), min_size=2, max_size=8))
def test_ratios_do_not_see_a_machine_that_drifts_between_rounds(drift: list[float]) -> None:
    page = Page(
        [
            sample(name, cost * factor, number=number)
            for number, factor in enumerate(drift)
            for name, cost in (("koproxy", 150.0), ("nginx", 100.0), ("go-a", 300.0))
        ],
        GOS,
    )
    row = cells(page.comparison([]), "case: CPU µs")
    assert row[1:3] == ["1.50 (1.50..1.50)", "0.50 (0.50..0.50) go-a"]


def test_the_best_go_is_the_one_that_is_best_at_a_figure() -> None:
    page = Page(
        [
            sample("koproxy", 10.0, 300.0),
            sample("go-a", 20.0, 100.0),
            sample("go-b", 40.0, 150.0),
            sample("another", 1.0, 900.0),
        ],
        GOS,
    )
    table = page.comparison([])
    assert cells(table, "case: CPU µs")[2] == "0.50 go-a"
    assert cells(table, "case: requests/s")[2] == "2.00 go-b"


@pytest.mark.parametrize(
    ("goal", "text", "reached"),
    [
        (Goal("case", COST, 1.5, NGINX), "≤ 1.5 x nginx", "yes"),
        (Goal("case", COST, 1.4, NGINX), "≤ 1.4 x nginx", "**no**"),
        (Goal("case", COST, 0.5, BEST_GO), "≤ 0.5 x the best Go", "-"),
        (Goal("case", COST, 15.0), "≤ 15", "yes"),
        (Goal("case", RATE, 301.0), "≥ 301", "**no**"),
        (Goal("case", RATE, 3.0, NGINX), "≥ 3 x nginx", "yes"),
    ],
)
def test_a_goal_bounds_a_ratio_or_a_figure(goal: Goal, text: str, reached: str) -> None:
    page = Page([sample("koproxy", 15.0, 300.0), sample("nginx", 10.0, 100.0)], GOS)
    row = cells(page.comparison([goal]), f"case: {goal.figure.name}")
    assert row[-2:] == [text, reached]


def test_a_figure_may_have_two_goals() -> None:
    page = Page([sample("koproxy", 15.0), sample("nginx", 10.0), sample("go-a", 20.0)], GOS)
    both = [Goal("case", COST, 1.6, NGINX), Goal("case", COST, 0.5, BEST_GO)]
    row = cells(page.comparison(both), "case: CPU µs")
    assert row[-2:] == ["≤ 1.6 x nginx, ≤ 0.5 x the best Go", "yes, **no**"]


def test_every_goal_is_for_watches_that_were_opened() -> None:
    names = [goal.figure.name for goal in goals((1000, 9800)) if goal.case == "watches"]
    assert names[:2] == ["KB a watch at 1000", "KB a watch at 9800"]


def test_figures_are_medians_with_their_spread() -> None:
    page = Page(
        [sample("koproxy", cost, number=number) for number, cost in enumerate((52.04, 50.0, 99.9))],
        GOS,
    )
    (table,) = page.figures()
    assert cells(table, "case", "koproxy")[0] == "52.0 (50.0..99.9)"


def test_cases_with_the_same_figures_share_a_table() -> None:
    one, two = Sample(0, "one", "a", {COST: 1.0}), Sample(0, "two", "a", {COST: 2.0})
    other = Sample(0, "other", "a", {RATE: 3.0})
    first, second = Page([one, other, two], GOS).figures()
    assert (cells(first, "one", "a"), cells(first, "two", "a")) == (["1.0"], ["2.0"])
    assert cells(second, "other", "a") == ["3"]


def test_who_gave_nothing_has_a_dash_and_a_reason() -> None:
    page = Page(
        [
            sample("koproxy", 1.0),
            Blank("case", "nginx", "it fell\nover", failed=True),
            Blank("case", "go-a", "it can't", failed=False),
        ],
        GOS,
    )
    (table,) = page.figures()
    assert cells(table, "case", "nginx") == ["-", "-"]
    assert cells(page.comparison([]), "case: CPU µs")[1:3] == ["-", "-"]
    text = page.text([], "make", [])
    assert "- nginx, case: no figure: it fell\n  over\n" in text
    assert "- go-a, case: not asked: it can't\n" in text


def test_the_page_names_the_command_and_the_machine() -> None:
    machine: list[tuple[str, Any]] = [("kernel", "Linux 6.1")]
    text = Page([sample("a", 1.0)], GOS).text([], "python -m bench --rounds 1", machine)
    assert "`python -m bench --rounds 1`" in text
    assert "- kernel: Linux 6.1" in text
    assert "koproxy against" not in text
