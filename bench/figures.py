"""What is written down of a run: figures by round, case and contestant. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that is measured: its name with its unit, and the digits after its point."""

    name: str
    digits: int = 0
    more_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """What one contestant gave in one round of one case."""

    round: int
    case: str
    contestant: str
    values: Mapping[Figure, float]


@dataclass(frozen=True, slots=True)
class Blank:
    """A contestant without figures in a case, and why: it failed, or it was never asked."""

    case: str
    contestant: str
    reason: str
    failed: bool
