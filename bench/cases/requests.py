"""Many small answers, one after the other on each of some kept connections."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.cases import cpu_seconds
from bench.contestants import Contestant
from bench.figures import Figure
from bench.load import Wrk
from bench.stage import Stage

WARM_UP_SECONDS = 1

CPU = Figure("CPU µs a request", 1)
RATE = Figure("requests/s", more_is_better=True)
P50 = Figure("p50 ms", 2)
P99 = Figure("p99 ms", 2)


@dataclass(frozen=True, slots=True)
class Requests:
    """The way of a request, as often as it goes."""

    wrk: Wrk
    connections: int
    seconds: int
    rounds: int | None = None
    leaves_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How many connections."""
        return f"{self.connections} connection{'s' if self.connections > 1 else ''}"

    def measure(self, stage: Stage, contestant: Contestant, number: int) -> Mapping[Figure, float]:
        """CPU time, rate and latencies of one run, after a short one to warm up."""
        running = stage.before(stage.files, contestant)
        self.wrk.warm_up(running.port, self.connections, WARM_UP_SECONDS)
        spent, load = cpu_seconds(
            running.program, lambda: self.wrk.run(running.port, self.connections, self.seconds)
        )
        return {
            CPU: spent / load.requests * 1e6,
            RATE: load.rate,
            P50: load.p50,
            P99: load.p99,
        }
