"""Contestants as they are needed: each started once before each upstream, or afresh."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.authority import Authority
from bench.checks import check_answer, check_refusals
from bench.contestants import Contestant, Ring, Running
from bench.processes import Programs
from bench.upstream import Content, Upstream


@dataclass(frozen=True, slots=True)
class Stage:
    """What there is in a run; ``files`` and ``streams`` are its upstreams.

    ``token`` is a good bearer token, which ``token_file`` has too.
    """

    programs: Programs
    authority: Authority
    issuer_url: str
    issuer_ca: Path
    core: int
    token: str
    token_file: Path
    content: Content
    files: Upstream
    streams: Upstream
    _running: dict[tuple[str, str], Running] = field(default_factory=dict)

    def before(self, upstream: Upstream, contestant: Contestant) -> Running:
        """A contestant before one of the upstreams, the same one each time; raises NoFigure."""
        key = contestant.name, upstream.name
        if key not in self._running or self._running[key].program.process.poll() is not None:
            self._running[key] = self._start(upstream, contestant)
        return self._running[key]

    @contextlib.contextmanager
    def fresh(self, upstream: Upstream, contestant: Contestant) -> Iterator[Running]:
        """A contestant that has done nothing yet, gone when the ``with`` ends; raises NoFigure."""
        running = self._start(upstream, contestant)
        try:
            yield running
        finally:
            self.programs.stop(running.program)

    def _start(self, upstream: Upstream, contestant: Contestant) -> Running:
        running = contestant.start(
            Ring(
                self.programs,
                upstream,
                self.authority,
                self.issuer_url,
                self.issuer_ca,
                self.core,
            )
        )
        authority = self.authority.file
        check_answer(running, authority, self.token, self.content.small.read_bytes())
        if contestant.verifies:
            check_refusals(running, authority, self.token)
        return running
