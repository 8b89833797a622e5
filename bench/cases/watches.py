"""Memory: before anything is asked, and with thousands of watches that wait for an event."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench import paths
from bench.cases.tokens import CONNECTIONS
from bench.clients import Peer
from bench.contestants import Contestant
from bench.figures import Figure
from bench.stage import Stage

SETTLE_SECONDS = 1.0
_WARM_UP = "500ms"
_ON_KEPT, _ON_NEW = 500, 200  # requests

BASE = Figure("MB at rest", 1)
KEPT = Figure("ms an answer", 2)
NEW = Figure("ms on a new connection", 2)


def memory_figure(watches: int) -> Figure:
    """What one of so many watches costs."""
    return Figure(f"KB a watch at {watches}", 1)


@dataclass(frozen=True, slots=True)
class Watches:
    """Watches that have given their first event and stay open, ever more of them.

    ``counts`` says how many, from few to many; with the last of them new requests are timed.
    """

    peer: Peer
    counts: Sequence[int]
    rounds: int | None = 1
    leaves_out: Mapping[str, str] = field(default_factory=dict)
    name: str = "watches"

    def measure(self, stage: Stage, contestant: Contestant, number: int) -> Mapping[Figure, float]:
        """Memory of a fresh process and its growth by watch, then latencies beside them."""
        with stage.fresh(stage.streams, contestant) as running:
            flags: dict[str, object] = {"path": paths.SMALL, "token_file": stage.token_file}
            port, program = running.port, running.program
            self.peer.run("connections", port, connections=CONNECTIONS, duration=_WARM_UP, **flags)
            time.sleep(SETTLE_SECONDS)
            base = program.memory()
            figures = {BASE: base / 1024}
            with self.peer.converse("watches", port, **flags) as watches:
                for count in self.counts:
                    watches.tell(f"open {count}")
                    time.sleep(SETTLE_SECONDS)
                    figures[memory_figure(count)] = (program.memory() - base) / count
                figures[KEPT] = watches.tell(f"kept {_ON_KEPT}")["p50"]
                figures[NEW] = watches.tell(f"new {_ON_NEW}")["p50"]
                watches.tell("event")
        return figures
