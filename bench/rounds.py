"""In which order contestants, cases and rounds go."""

from collections.abc import Iterator, Sequence

from bench.cases import Case
from bench.cases.requests import Requests
from bench.contestants import Contestant
from bench.errors import NoFigure
from bench.figures import Blank, Sample
from bench.stage import Stage


def interleaved(
    stage: Stage, contestants: Sequence[Contestant], cases: Sequence[Case], rounds: int
) -> Iterator[Sample | Blank]:
    """Measure all contestants in turn, in each case and round; every other round backwards.

    So what the machine does to one of them it does to its neighbour in time too. Who is left out
    of a case, or fails in it, gives a :class:`Blank`, and isn't asked again.
    """
    over: set[tuple[str, str]] = set()
    for number in range(rounds):
        for case in cases:
            if case.rounds is not None and number >= case.rounds:
                continue
            for contestant in contestants[:: -1 if number % 2 else 1]:
                if not (contestant.everywhere or isinstance(case, Requests)):
                    continue
                name = contestant.name
                if (case.name, name) in over:
                    continue
                if name in case.leaves_out:
                    over.add((case.name, name))
                    yield Blank(case.name, name, case.leaves_out[name], failed=False)
                    continue
                try:
                    values = case.measure(stage, contestant, number)
                except NoFigure as problem:
                    over.add((case.name, name))
                    yield Blank(case.name, name, f"in round {number + 1}, {problem}", failed=True)
                else:
                    yield Sample(number, case.name, name, values)
