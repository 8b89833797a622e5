"""Somebody who sends bad tokens on as many connections as all good clients have together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench import paths
from bench.cases import cpu_seconds
from bench.cases.tokens import CONNECTIONS, NOT_ASKED, TokenFiles, cpu_of_each
from bench.clients import Peer
from bench.contestants import Contestant, Running
from bench.figures import Figure
from bench.load import Load, Wrk
from bench.stage import Stage

PACE = 1000
"""Bad tokens a second of a flood that has its limits."""

KEPT_PACED = Figure(f"kept at {PACE} bad/s", 2, more_is_better=True)
KEPT_TO_LEFT = Figure("kept / left", 2, more_is_better=True)
KEPT = Figure("kept in the flood", 2, more_is_better=True)
FLOOD = Figure("bad/s", more_is_better=True)
ALONE = Figure("good/s alone", more_is_better=True)
FLOODED = Figure("good/s", more_is_better=True)
P50_ALONE = Figure("p50 ms alone", 2)
P50_FLOODED = Figure("p50 ms", 2)


@dataclass(frozen=True, slots=True)
class Flood:
    """Good clients without bad ones, with some, and with as many as come."""

    wrk: Wrk
    peer: Peer
    tokens: TokenFiles
    seconds: int
    rounds: int | None = None
    leaves_out: Mapping[str, str] = field(default_factory=lambda: NOT_ASKED)
    name: str = "a flood of bad tokens"

    def measure(self, stage: Stage, contestant: Contestant, number: int) -> Mapping[Figure, float]:
        """What good clients keep of a CPU second, and what the bad tokens in it should leave them.

        A CPU second, since that is the same beside neighbours who use the cores too.
        """
        running = stage.before(stage.files, contestant)
        bad = cpu_of_each(self.peer, running, self.tokens.bad, 401)
        spent, alone = cpu_seconds(
            running.program, lambda: self.wrk.run(running.port, CONNECTIONS, self.seconds)
        )
        normal = alone.requests / spent
        spent, (paced, pace) = cpu_seconds(running.program, lambda: self._flooded(running, PACE))
        kept = paced.requests / spent / normal
        left = 1 - pace["count"] * bad / spent
        spent, (flooded, flood) = cpu_seconds(running.program, lambda: self._flooded(running, 0))
        return {
            KEPT_PACED: kept,
            KEPT_TO_LEFT: kept / left if left > 0 else 0.0,
            KEPT: flooded.requests / spent / normal,
            FLOOD: flood["count"] / flood["seconds"],
            ALONE: alone.rate,
            FLOODED: flooded.rate,
            P50_ALONE: alone.p50,
            P50_FLOODED: flooded.p50,
        }

    def _flooded(self, running: Running, pace: int) -> tuple[Load, Any]:
        """The load of good clients in a flood, and what the flood has counted."""
        with self.peer.converse(
            "flood",
            running.port,
            path=paths.SMALL,
            token_file=self.tokens.bad,
            connections=CONNECTIONS,
            status=401,
            pace=pace,
        ) as flood:
            flood.hear()
            good = self.wrk.run(running.port, CONNECTIONS, self.seconds)
            return good, flood.finish()
