"""The proxies that are compared: how each is started for the same work.

Each verifies TLS towards the upstream, keeps its connections, and sends its own credential with
the user's identity. A new contestant is a class with a name and a ``start``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.authority import Authority
from bench.processes import Program, Programs
from bench.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Running:
    """A contestant that serves: its processes, and the HTTPS port on ADDRESS."""

    program: Program
    port: int


@dataclass(frozen=True, slots=True)
class Ring:
    """What all contestants meet in: the upstream, the authority, the issuer, the core."""

    programs: Programs
    upstream: Upstream
    authority: Authority
    issuer_url: str
    issuer_ca: Path
    core: int

    def name(self, contestant: str) -> str:
        """What a contestant's program and files are called before this upstream."""
        return f"{contestant}-{self.upstream.name}"

    def write(self, name: str, text: str) -> Path:
        """Write a file for a contestant."""
        file = self.programs.folder / name
        file.write_text(text)
        return file


class Contestant(Protocol):
    """A proxy that can be started."""

    name: str
    verifies: bool
    """Whether it looks at tokens, and refuses who isn't who they must be."""
    everywhere: bool
    """Whether it takes part in every case, or only where requests are counted."""

    def start(self, ring: Ring) -> Running:
        """Start it and wait until it serves; raises NoFigure if it doesn't."""
