"""What koproxy takes: memory, files and threads, looked at every second."""

from __future__ import annotations

import statistics
from pathlib import Path

from soak.findings import Findings

ALLOWED = 4096  # KB more than before
PART = 0.1  # or so much more of it
POOL = 10  # threads that Twisted makes when it needs them, and keeps


class Measuring:
    """A thread that looks at one process."""

    def __init__(self, pid: int, findings: Findings) -> None:
        self._process = Path(f"/proc/{pid}")
        self._findings = findings
        self.memory: list[int] = []  # KB
        self.files: list[int] = []
        self.threads: list[int] = []

    def run(self) -> None:
        """Look until it ends."""
        while not self._findings.ending.wait(1):
            status = dict(
                line.split(":", 1) for line in (self._process / "status").read_text().splitlines()
            )
            self.memory.append(int(status["VmRSS"].split()[0]))
            self.threads.append(int(status["Threads"]))
            self.files.append(len([*(self._process / "fd").iterdir()]))

    def judge(self) -> None:
        """Say whether anything grows: the last fifth of the time beside the second."""
        fifth = max(1, len(self.memory) // 5)
        for what, values, more in (
            ("KB of memory", self.memory, ALLOWED),
            ("open files", self.files, 40),
            ("threads", self.threads, POOL),
        ):
            before = statistics.median(values[fifth : 2 * fifth])
            after = statistics.median(values[-fifth:])
            if after > before * (1 + PART) + more:
                self._findings.never(f"{what} grow: {before:g}, and at the end {after:g}")

    def lines(self) -> list[tuple[str, str]]:
        """What it was: the median of each fifth of the time, and the most."""
        fifth = max(1, len(self.memory) // 5)
        return [
            (
                what,
                " / ".join(
                    f"{statistics.median(values[at * fifth : (at + 1) * fifth]):g}"
                    for at in range(5)
                )
                + f" / {max(values)}",
            )
            for what, values in (
                ("KB of memory", self.memory),
                ("open files", self.files),
                ("threads", self.threads),
            )
        ]
