"""What is measured of a contestant in a round, and in which order the rounds go."""

import http.client
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.authority import ADDRESS
from bench.contestants import Running
from bench.errors import NoFigure
from bench.load import PATH, Wrk

WARM_UP_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that is measured: its name with its unit, and the digits after its point."""

    name: str
    digits: int = 0


CPU = Figure("CPU µs a request", 1)
RATE = Figure("requests/s")
P50 = Figure("p50 ms", 2)
P99 = Figure("p99 ms", 2)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one contestant gave in one round of one case."""

    round: int
    case: str
    contestant: str
    values: Mapping[Figure, float]


class Case(Protocol):
    """Something that is measured, one contestant at a time."""

    @property
    def name(self) -> str:
        """What is asked of the contestants, in a word or two."""

    def measure(self, running: Running) -> Mapping[Figure, float]:
        """Give a contestant's figures once; raises NoFigure."""


@dataclass(frozen=True, slots=True)
class SmallAnswers:
    """Many small answers, one after the other on each of some kept connections."""

    wrk: Wrk
    connections: int
    seconds: int

    @property
    def name(self) -> str:
        """How many connections."""
        return f"{self.connections} connection{'s' if self.connections > 1 else ''}"

    def measure(self, running: Running) -> Mapping[Figure, float]:
        """CPU time, rate and latencies of one run, after a short one to warm up."""
        self.wrk.run(running.port, self.connections, WARM_UP_SECONDS)
        before = running.program.cpu()
        load = self.wrk.run(running.port, self.connections, self.seconds)
        after = running.program.cpu()
        if before.keys() != after.keys():
            raise NoFigure("its processes were not the same before and after")
        spent = sum(after.values()) - sum(before.values())
        return {
            CPU: spent / load.requests * 1e6,
            RATE: load.requests / load.seconds,
            P50: load.p50,
            P99: load.p99,
        }


def interleaved(
    contestants: Mapping[str, Running], cases: Sequence[Case], rounds: int
) -> Iterator[Sample]:
    """Measure all contestants in turn, in each case and round; every other round backwards.

    So what the machine does to one of them it does to its neighbour in time too.

    Raises:
        NoFigure: a contestant failed; the sentence names it.
    """
    for number in range(rounds):
        for case in cases:
            for name in list(contestants)[:: -1 if number % 2 else 1]:
                try:
                    values = case.measure(contestants[name])
                except NoFigure as problem:
                    raise NoFigure(f"{name}, {case.name}: {problem}") from None
                yield Sample(number, case.name, name, values)


def check_answer(running: Running, authority: Path, token: str, body: bytes) -> None:
    """See that a contestant gives the upstream's answer; raises NoFigure."""
    context = ssl.create_default_context(cafile=authority)
    connection = http.client.HTTPSConnection(ADDRESS, running.port, timeout=10, context=context)
    with closing(connection):
        connection.request("GET", PATH, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        got = answer.read()
    if answer.status != 200 or got != body:
        program = running.program
        raise NoFigure(
            f"{program.name} answered {answer.status} with {len(got)} bytes that the upstream "
            f"didn't send\n{program.last_lines()}"
        )
