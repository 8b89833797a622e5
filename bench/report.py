"""Samples as text: koproxy against others with its goals, then every figure by case. Pure."""

from collections.abc import Iterable, Sequence
from statistics import median

from bench.figures import Blank, Figure, Sample
from bench.goals import BEST_GO, NGINX, Goal
from bench.options import COMPILED

OURS = ("koproxy", COMPILED)
HOW_TO_READ = (
    "Each figure is the median of its rounds (lowest..highest). A ratio is taken within each "
    "round, then the median of those: compare ratios of one run, never figures of two."
)
NOTHING = "-"


def spread(values: Iterable[float], digits: int) -> str:
    """``median (lowest..highest)``; one value is just that, and none at all a dash."""
    given = list(values)
    if not given:
        return NOTHING
    middle, low, high = (f"{each:.{digits}f}" for each in (median(given), min(given), max(given)))
    return middle if len(given) == 1 else f"{middle} ({low}..{high})"


class Page:
    """What came of a run, as Markdown.

    ``gos`` are the contestants among which the best Go is chosen, figure by figure.
    """

    def __init__(self, results: Sequence[Sample | Blank], gos: Iterable[str]) -> None:
        self._samples = [each for each in results if isinstance(each, Sample)]
        self._blanks = [each for each in results if isinstance(each, Blank)]
        self._contestants = list(dict.fromkeys(each.contestant for each in results))
        self._cases = list(dict.fromkeys(each.case for each in results))
        self._gos = [name for name in self._contestants if name in set(gos)]

    def text(self, goals: Sequence[Goal], command: str, machine: Sequence[tuple[str, str]]) -> str:
        """Everything about a run."""
        parts = [["# koproxy beside other proxies"], [f"`{command}`"]]
        for ours in OURS:
            if comparison := self.comparison(goals, ours):
                parts += [[f"## {ours} against nginx and the best Go"], comparison]
        parts += [["## All figures"], *self.figures(), [HOW_TO_READ]]
        if self._blanks:
            parts.append(self._reasons())
        parts += [["## The machine"], [f"- {name}: {value}" for name, value in machine]]
        return "\n\n".join("\n".join(part) for part in parts) + "\n"

    def comparison(self, goals: Sequence[Goal], name: str = OURS[0]) -> list[str]:
        """A table: a row a figure of koproxy's, its ratios, its goals and what came of them."""
        rows = []
        for case in self._cases:
            for figure in self._figures(case):
                ours = self._values(case, name, figure)
                if not ours:
                    continue
                best = self._best_go(case, figure)
                ratios = {
                    NGINX: self._ratios(case, figure, name, NGINX),
                    BEST_GO: self._ratios(case, figure, name, best),
                }
                wanted = [goal for goal in goals if (goal.case, goal.figure) == (case, figure)]
                judged = [
                    (goal, list(ours.values()) if goal.against is None else ratios[goal.against])
                    for goal in wanted
                ]
                rows.append(
                    [
                        f"{case}: {figure.name}",
                        spread(ours.values(), figure.digits),
                        spread(ratios[NGINX], 2),
                        spread(ratios[BEST_GO], 2) + (f" {best}" if ratios[BEST_GO] else ""),
                        ", ".join(goal.text for goal in wanted),
                        ", ".join(
                            _verdict(goal.reached(median(values))) if values else NOTHING
                            for goal, values in judged
                        ),
                    ]
                )
        head = ["", name, f"/ {NGINX}", f"/ {BEST_GO}", "goal", "reached"]
        return _markdown(head, rows) if rows else []

    def figures(self) -> list[list[str]]:
        """Tables: a row a case and contestant, a column a figure; cases of a kind share one."""
        kinds: dict[tuple[Figure, ...], list[str]] = {}
        for case in self._cases:
            if figures := tuple(self._figures(case)):
                kinds.setdefault(figures, []).append(case)
        return [
            _markdown(
                ["", "", *(figure.name for figure in figures)],
                [
                    [case, name, *self._cells(case, name, figures)]
                    for case in cases
                    for name in self._contestants
                ],
            )
            for figures, cases in kinds.items()
        ]

    def _cells(self, case: str, contestant: str, figures: Sequence[Figure]) -> list[str]:
        return [
            spread(self._values(case, contestant, figure).values(), figure.digits)
            for figure in figures
        ]

    def _figures(self, case: str) -> list[Figure]:
        return list(
            dict.fromkeys(f for each in self._samples if each.case == case for f in each.values)
        )

    def _values(self, case: str, contestant: str, figure: Figure) -> dict[int, float]:
        """A figure by round."""
        return {
            each.round: each.values[figure]
            for each in self._samples
            if (each.case, each.contestant) == (case, contestant) and figure in each.values
        }

    def _ratios(self, case: str, figure: Figure, ours: str, other: str | None) -> list[float]:
        if other is None:
            return []
        theirs = self._values(case, other, figure)
        return [
            value / theirs[number]
            for number, value in self._values(case, ours, figure).items()
            if theirs.get(number)
        ]

    def _best_go(self, case: str, figure: Figure) -> str | None:
        medians = {
            name: median(values.values())
            for name in self._gos
            if (values := self._values(case, name, figure))
        }
        choose = max if figure.more_is_better else min
        return choose(medians, key=lambda name: medians[name], default=None)

    def _reasons(self) -> list[str]:
        return [
            f"- {blank.contestant}, {blank.case}: "
            + ("no figure: " if blank.failed else "not asked: ")
            + blank.reason.replace("\n", "\n  ")
            for blank in self._blanks
        ]


def _verdict(reached: bool) -> str:
    return "yes" if reached else "**no**"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in table
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]
