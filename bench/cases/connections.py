"""Clients that connect anew for every request, as each call of kubectl does."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench import paths
from bench.cases import cpu_seconds
from bench.clients import Peer
from bench.contestants import Contestant
from bench.figures import Figure
from bench.stage import Stage

AT_ONCE = 8
WARM_UP_SECONDS = 0.2

CPU = Figure("CPU µs a connection")
RATE = Figure("connections/s", more_is_better=True)


@dataclass(frozen=True, slots=True)
class Connections:
    """A whole TLS handshake and one small answer, AT_ONCE at a time."""

    peer: Peer
    seconds: float
    rounds: int | None = None
    leaves_out: Mapping[str, str] = field(default_factory=dict)
    name: str = "new connections"

    def measure(self, stage: Stage, contestant: Contestant, number: int) -> Mapping[Figure, float]:
        """CPU time and rate of one run, after a short one to warm up."""
        running = stage.before(stage.files, contestant)
        flags: dict[str, object] = {
            "path": paths.SMALL,
            "token_file": stage.token_file,
            "connections": AT_ONCE,
        }
        self.peer.run("connections", running.port, duration=f"{WARM_UP_SECONDS}s", **flags)
        spent, done = cpu_seconds(
            running.program,
            lambda: self.peer.run(
                "connections", running.port, duration=f"{self.seconds}s", **flags
            ),
        )
        return {CPU: spent / done["count"] * 1e6, RATE: done["count"] / done["seconds"]}
