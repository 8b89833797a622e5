"""8 MB at a time on one connection: as an answer, as an upload, and both ways through a tunnel."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench import paths
from bench.cases import cpu_seconds
from bench.clients import Peer
from bench.contestants import Contestant, Running
from bench.figures import Figure
from bench.stage import Stage
from bench.upstream import LARGE_BYTES

WARM_UP_SECONDS = 0.2

CPU = Figure("CPU ms for 8 MB", 2)
RATE = Figure("MB/s", more_is_better=True)
CPU_DOWN = Figure("CPU ms for 8 MB down", 2)
RATE_DOWN = Figure("MB/s down", more_is_better=True)
CPU_UP = Figure("CPU ms for 8 MB up", 2)
RATE_UP = Figure("MB/s up", more_is_better=True)


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of 8 MB."""

    peer: Peer
    seconds: float
    rounds: int | None = None
    leaves_out: Mapping[str, str] = field(default_factory=dict)
    name: str = "8 MB answer"

    def measure(self, stage: Stage, contestant: Contestant, number: int) -> Mapping[Figure, float]:
        """CPU time and rate of one run, after a short one to warm up."""
        running = stage.before(stage.files, contestant)
        cpu, rate = _transfer(
            self.peer, "download", stage, running, self.seconds, path=paths.LARGE, status=200
        )
        return {CPU: cpu, RATE: rate}


@dataclass(frozen=True, slots=True)
class Uploads:
    """Uploads of 8 MB."""

    peer: Peer
    seconds: float
    rounds: int | None = None
    leaves_out: Mapping[str, str] = field(default_factory=dict)
    name: str = "8 MB upload"

    def measure(self, stage: Stage, contestant: Contestant, number: int) -> Mapping[Figure, float]:
        """CPU time and rate of one run, after a short one to warm up."""
        running = stage.before(stage.streams, contestant)
        cpu, rate = _transfer(
            self.peer, "upload", stage, running, self.seconds, path=paths.UPLOAD, status=201
        )
        return {CPU: cpu, RATE: rate}


@dataclass(frozen=True, slots=True)
class Tunnels:
    """Bytes through a connection that was upgraded, as exec, attach and port-forward use it."""

    peer: Peer
    seconds: float
    rounds: int | None = None
    leaves_out: Mapping[str, str] = field(
        default_factory=lambda: {"twisted.web": "twisted.web and Agent know no upgrades"}
    )
    name: str = "exec"

    def measure(self, stage: Stage, contestant: Contestant, number: int) -> Mapping[Figure, float]:
        """CPU time and rate of one run in each direction, after short ones to warm up."""
        running = stage.before(stage.streams, contestant)
        down, rate_down = _transfer(
            self.peer, "tunnel-down", stage, running, self.seconds, path=paths.TUNNEL
        )
        up, rate_up = _transfer(
            self.peer, "tunnel-up", stage, running, self.seconds, path=paths.TUNNEL
        )
        return {CPU_DOWN: down, RATE_DOWN: rate_down, CPU_UP: up, RATE_UP: rate_up}


def _transfer(
    peer: Peer, command: str, stage: Stage, running: Running, seconds: float, **flags: object
) -> tuple[float, float]:
    """CPU ms of one transfer, and MB (10^6 bytes) a second."""
    flags |= {"token_file": stage.token_file, "content_file": stage.content.large}
    peer.run(command, running.port, duration=f"{WARM_UP_SECONDS}s", **flags)
    spent, done = cpu_seconds(
        running.program,
        lambda: peer.run(command, running.port, duration=f"{seconds}s", **flags),
    )
    count = done["count"]
    return spent / count * 1e3, count * LARGE_BYTES / done["seconds"] / 1e6
