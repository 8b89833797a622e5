"""What is measured of a contestant in a round: each case is a class, in a room of its own."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from bench.contestants import Contestant
from bench.errors import NoFigure
from bench.figures import Figure
from bench.processes import Program
from bench.stage import Stage

T = TypeVar("T")


class Case(Protocol):
    """Something that is measured, one contestant at a time."""

    @property
    def name(self) -> str:
        """What is asked of the contestants, in a word or two."""

    @property
    def rounds(self) -> int | None:
        """In how many rounds it is measured at most; None is all of them."""

    @property
    def leaves_out(self) -> Mapping[str, str]:
        """Why contestants aren't asked, by name, each a sentence."""

    def measure(self, stage: Stage, contestant: Contestant, number: int) -> Mapping[Figure, float]:
        """Give a contestant's figures in round ``number``, from 0 on; raises NoFigure."""


def cpu_seconds(program: Program, work: Callable[[], T]) -> tuple[float, T]:
    """What a program spends of a core while ``work`` is done, and what that gave.

    Raises:
        NoFigure: its processes were not the same before and after.
    """
    before = program.cpu()
    result = work()
    after = program.cpu()
    if before.keys() != after.keys():
        raise NoFigure("its processes were not the same before and after")
    return sum(after.values()) - sum(before.values()), result
