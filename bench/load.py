"""wrk: how the load is made, and what it has counted.

A run in which anything but good answers came has no figures: :func:`read_figures` refuses it.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench import paths
from bench.authority import ADDRESS
from bench.errors import NoFigure
from bench.processes import on_core

_SCRIPT = Path(__file__).with_name("wrk.lua")
_LINE = re.compile(r"^figures: (\{.*\})$", re.MULTILINE)
_ERRORS = {
    "connect": "connections that failed",
    "read": "failed reads",
    "write": "failed writes",
    "status": "answers of 400 and above",
    "timeout": "timeouts",
}


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a run: how many requests in how many seconds, latencies in ms."""

    requests: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def read_figures(output: str) -> Load:
    """Read what wrk printed.

    Raises:
        NoFigure: there were errors or no answers at all, or wrk said nothing of them.
    """
    line = _LINE.search(output)
    if line is None:
        raise NoFigure(f"wrk did not say what it counted:\n{output.strip()}")
    counted = json.loads(line[1])
    errors = [f"{counted[name]} {text}" for name, text in _ERRORS.items() if counted[name]]
    if errors:
        raise NoFigure(f"the load met {', '.join(errors)}")
    if not counted["requests"]:
        raise NoFigure("not one answer came")
    return Load(
        requests=counted["requests"],
        seconds=counted["duration"] / 1e6,
        p50=counted["p50"] / 1e3,
        p99=counted["p99"] / 1e3,
    )


@dataclass(frozen=True, slots=True)
class Wrk:
    """A client that asks again and again, on connections that it keeps."""

    program: Path
    core: int
    token: str

    def run(self, port: int, connections: int, seconds: int) -> Load:
        """Ask the server on ``port`` for so many seconds; raises NoFigure."""
        return read_figures(self._output(port, connections, seconds))

    def warm_up(self, port: int, connections: int, seconds: int) -> None:
        """The same, whatever comes of it: a slow server may not even have begun to answer."""
        self._output(port, connections, seconds)

    def _output(self, port: int, connections: int, seconds: int) -> str:
        command: list[str | Path] = [
            *(self.program, "--threads", "1", "--connections", str(connections)),
            *("--duration", f"{seconds}s", "--timeout", "10s", "--script", _SCRIPT),
            *("--header", f"Authorization: Bearer {self.token}"),
            f"https://{ADDRESS}:{port}{paths.SMALL}",
        ]
        with on_core(self.core):
            run = subprocess.run(command, capture_output=True, text=True, check=False)
        return run.stdout + run.stderr
