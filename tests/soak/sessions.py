"""kubectl exec sessions: what goes in comes out, for a moment or for as long as it takes."""

from __future__ import annotations

import secrets
import subprocess
import time

from e2e.running import Koproxy, running
from e2e.upgrades import SPDY, WEBSOCKET
from localcluster.cluster import NAMESPACE, POD

from soak.findings import Findings
from soak.people import Person

EXEC = ("exec", "--stdin", f"--namespace={NAMESPACE}", POD, "--", "cat")


class Session:
    """A thread that has one session after the other, each with so many lines."""

    def __init__(
        self, koproxy: Koproxy, person: Person, name: str, lines: int, findings: Findings
    ) -> None:
        self._koproxy = koproxy
        self._person = person
        self._name = name
        self._lines = lines
        self._findings = findings

    def run(self) -> None:
        """Go on until it ends."""
        for number in range(10**9):
            begun = time.monotonic()
            try:
                self._session((WEBSOCKET, SPDY)[number % 2])
            except (AssertionError, OSError, subprocess.SubprocessError) as problem:
                if not (self._findings.api.since(begun) or self._findings.keys.since(begun)):
                    self._findings.never(f"an exec session of {self._name} broke: {problem}")
            if self._findings.ending.wait(0.5):
                return

    def _session(self, env: dict[str, str]) -> None:
        kubectl = self._koproxy.kubectl(self._person.token(), self._name)
        with running(kubectl, *EXEC, env=env) as cat:
            for _ in range(self._lines):
                said = secrets.token_hex(40)
                cat.write(f"{said}\n".encode())
                heard = cat.line()
                if heard != said:
                    self._findings.never(f"exec: {said!r} came back as {heard!r}")
                self._findings.count("exec lines")
                if self._findings.ending.wait(0.02 if self._lines < 1000 else 0.2):
                    break
        self._findings.count("exec sessions")
