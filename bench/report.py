"""Samples as text: a table of figures and one of ratios within the run. Pure."""

from collections.abc import Iterable, Sequence
from statistics import median

from bench.measure import Figure, Sample

HOW_TO_READ = (
    "Each figure is the median of its rounds (lowest..highest). A ratio is taken within each "
    "round, then the median of those: compare ratios of one run, never figures of two."
)


def spread(values: Iterable[float], digits: int) -> str:
    """``median (lowest..highest)``."""
    given = list(values)
    middle, low, high = (f"{each:.{digits}f}" for each in (median(given), min(given), max(given)))
    return f"{middle} ({low}..{high})"


def figures_table(samples: Sequence[Sample]) -> list[str]:
    """A Markdown table: a row for each case and contestant, a column for each figure."""
    figures = _figures(samples)
    rows = [
        [
            case,
            contestant,
            *(
                spread([each.values[figure] for each in chosen], figure.digits)
                for figure in figures
            ),
        ]
        for case in _cases(samples)
        for contestant in _contestants(samples)
        if (chosen := [s for s in samples if (s.case, s.contestant) == (case, contestant)])
    ]
    return _markdown(["", "", *(figure.name for figure in figures)], rows)


def ratios_table(samples: Sequence[Sample], to: str) -> list[str]:
    """A Markdown table: what the others gave, divided by what ``to`` gave in the same round."""
    figures = _figures(samples)
    against = {(each.round, each.case): each for each in samples if each.contestant == to}
    rows = []
    for case in _cases(samples):
        for contestant in _contestants(samples):
            pairs = [
                (each, against[each.round, case])
                for each in samples
                if each.case == case and each.contestant == contestant != to
            ]
            if pairs:
                ratios = [
                    spread([mine.values[figure] / other.values[figure] for mine, other in pairs], 2)
                    for figure in figures
                ]
                rows.append([case, f"{contestant} / {to}", *ratios])
    return _markdown(["", "", *(figure.name.partition(" ")[0] for figure in figures)], rows)


def page(
    samples: Sequence[Sample], to: str, command: str, machine: Sequence[tuple[str, str]]
) -> str:
    """Everything about a run, as a Markdown page."""
    return "\n".join(
        [
            "# koproxy beside other proxies",
            "",
            f"`{command}`",
            "",
            *figures_table(samples),
            "",
            *ratios_table(samples, to),
            "",
            HOW_TO_READ,
            "",
            *(f"- {name}: {value}" for name, value in machine),
            "",
        ]
    )


def _figures(samples: Sequence[Sample]) -> list[Figure]:
    return list(dict.fromkeys(figure for sample in samples for figure in sample.values))


def _cases(samples: Sequence[Sample]) -> list[str]:
    return list(dict.fromkeys(sample.case for sample in samples))


def _contestants(samples: Sequence[Sample]) -> list[str]:
    return list(dict.fromkeys(sample.contestant for sample in samples))


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in table
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]
