"""What koproxy is to reach, as ratios within one run or as plain figures."""

from dataclasses import dataclass

from bench.cases import flood, requests, tokens, transfers, watches
from bench.figures import Figure

NGINX = "nginx"
BEST_GO = "the best Go"


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound for one figure of one case.

    ``against`` is whose figure koproxy's is divided by; None bounds the figure itself.
    """

    case: str
    figure: Figure
    bound: float
    against: str | None = None

    def reached(self, value: float) -> bool:
        """Whether a figure, or a ratio, is good enough."""
        return value >= self.bound if self.figure.more_is_better else value <= self.bound

    @property
    def text(self) -> str:
        """The bound in a few characters."""
        sign = "≥" if self.figure.more_is_better else "≤"
        unit = "" if self.against is None else f" x {self.against}"
        return f"{sign} {self.bound:g}{unit}"


def goals(watch_counts: tuple[int, ...]) -> list[Goal]:
    """All of them, for runs with so many watches."""
    one, many = "1 connection", "32 connections"
    return [
        Goal(one, requests.CPU, 1.6, NGINX),
        Goal(many, requests.CPU, 1.25, NGINX),
        Goal(many, requests.CPU, 0.5, BEST_GO),
        Goal(many, requests.P99, 1.0, NGINX),
        Goal("8 MB answer", transfers.CPU, 1.5, BEST_GO),
        Goal("8 MB upload", transfers.CPU, 1.5, BEST_GO),
        *(Goal("watches", watches.memory_figure(count), 40.0) for count in watch_counts),
        Goal("watches", watches.KEPT, 10.0),
        Goal("watches", watches.NEW, 10.0),
        Goal("unseen tokens", tokens.BAD_TO_GOOD, 2.0),
        Goal("a flood of bad tokens", flood.KEPT_TO_LEFT, 0.9),
        Goal("a flood of bad tokens", flood.KEPT, 0.5),
    ]
