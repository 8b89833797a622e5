"""Tokens that nobody has seen before: what a good one costs, and a bad one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import paths
from bench.caller import forged
from bench.cases import cpu_seconds
from bench.clients import Peer
from bench.contestants import Contestant, Running
from bench.figures import Figure
from bench.stage import Stage

CONNECTIONS = 32
NOT_ASKED = {"nginx": "it verifies nobody"}

GOOD = Figure("CPU µs a good token", 1)
BAD = Figure("CPU µs a bad token", 1)
BAD_TO_GOOD = Figure("bad / good", 2)


@dataclass(frozen=True, slots=True)
class TokenFiles:
    """Files of tokens, one a line: good ones a file a round, and bad ones."""

    good: Sequence[Path]
    bad: Path


def write_tokens(folder: Path, good: Sequence[Sequence[str]]) -> TokenFiles:
    """Write good tokens, those of each round by themselves, and a bad one after each of a round."""
    files = []
    for number, tokens in enumerate(good):
        file = folder / f"good-{number}"
        file.write_text("\n".join(tokens))
        files.append(file)
    bad = folder / "bad"
    bad.write_text("\n".join(forged(token) for token in good[0]))
    return TokenFiles(files, bad)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A token a request, none of them twice, on kept connections."""

    peer: Peer
    tokens: TokenFiles
    rounds: int | None = None
    leaves_out: Mapping[str, str] = field(default_factory=lambda: NOT_ASKED)
    name: str = "unseen tokens"

    def measure(self, stage: Stage, contestant: Contestant, number: int) -> Mapping[Figure, float]:
        """CPU time of a request with a good token, and of one with a bad one."""
        running = stage.before(stage.files, contestant)
        good = cpu_of_each(self.peer, running, self.tokens.good[number], 200)
        bad = cpu_of_each(self.peer, running, self.tokens.bad, 401)
        return {GOOD: good * 1e6, BAD: bad * 1e6, BAD_TO_GOOD: bad / good}


def cpu_of_each(peer: Peer, running: Running, tokens: Path, status: int) -> float:
    """CPU seconds of a request with one of these tokens, which must be answered so."""
    spent, done = cpu_seconds(
        running.program,
        lambda: peer.run(
            "requests",
            running.port,
            path=paths.SMALL,
            token_file=tokens,
            connections=CONNECTIONS,
            status=status,
        ),
    )
    return float(spent / done["count"])
