"""A histogram that costs the way of a request next to nothing: a search in a few numbers.

``prometheus_client``'s own takes a lock, and finds its labels anew, for each of its values; here
that library only writes down what was counted.
"""

from bisect import bisect_left
from collections.abc import Sequence


class Tally:
    """How many values there were up to each of some bounds, and what they add up to.

    ``counts`` has a number for each bound, and one for what is larger than the last; ``sum`` and
    these may be written by who counts very many.
    """

    __slots__ = ("_bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """Take the upper bounds, in order; what is larger than the last is counted too."""
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.sum += value

    def __bool__(self) -> bool:
        """Whether there were any."""
        return any(self.counts)

    def buckets(self) -> list[tuple[str, float]]:
        """Give each bound with the number of values up to it, as Prometheus has them."""
        found: list[tuple[str, float]] = []
        total = 0
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self.counts, strict=True):
            total += count
            found.append((bound, total))
        return found
