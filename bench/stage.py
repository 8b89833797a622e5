"""Contestants as they are needed: each started once before each upstream, or afresh."""

import contextlib
import http.client
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bench import paths
from bench.authority import ADDRESS, Authority
from bench.contestants import Contestant, Ring, Running
from bench.errors import NoFigure
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
        check_answer(running, self.authority.file, self.token, self.content.small.read_bytes())
        return running


def check_answer(running: Running, authority: Path, token: str, body: bytes) -> None:
    """See that a contestant gives the upstream's answer; raises NoFigure."""
    context = ssl.create_default_context(cafile=authority)
    connection = http.client.HTTPSConnection(ADDRESS, running.port, timeout=10, context=context)
    program = running.program
    with closing(connection):
        try:
            connection.request("GET", paths.SMALL, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            got = answer.read()
        except (OSError, http.client.HTTPException) as problem:
            raise NoFigure(
                f"{program.name} did not answer: {problem}\n{program.last_lines()}"
            ) from None
    if answer.status != 200 or got != body:
        raise NoFigure(
            f"{program.name} answered {answer.status} with {len(got)} bytes that the upstream "
            f"didn't send\n{program.last_lines()}"
        )
