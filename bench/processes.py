"""Programs as child processes, each tied to a core, with their CPU time, memory and an end.

Only what was started here is ever ended. The kernel's figures come from /proc and its clocks.
"""

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from bench.errors import NoFigure

T = TypeVar("T")

START_SECONDS = 30.0
STOP_SECONDS = 5.0
_PSS = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Start what is started inside on this core alone, and whatever that starts too."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class Program:
    """A running program, the leader of a session that its children stay in."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def until(self, condition: Callable[[], T | None], what: str) -> T:
        """Ask ``condition`` until it gives something, and return that.

        Raises:
            NoFigure: the program ended, or START_SECONDS passed; the sentence ends with the last
                lines that it printed.
        """
        deadline = time.monotonic() + START_SECONDS
        while True:
            found = condition()
            if found is not None:
                return found
            if self.process.poll() is not None:
                ended = f"it ended with status {self.process.returncode}"
            elif time.monotonic() > deadline:
                ended = f"{START_SECONDS:g} s passed"
            else:
                time.sleep(0.05)  # other programs don't say when they are ready
                continue
            raise NoFigure(f"{self.name}: {ended} before {what}\n{self.last_lines()}")

    def port(self, line: str) -> int:
        """Wait for the line that it prints with a port; ``line`` is a pattern with the port as 1.

        Raises:
            NoFigure: it didn't print it.
        """
        pattern = re.compile(line, re.MULTILINE)
        found = self.until(lambda: pattern.search(self.log.read_text()), "it said where it serves")
        return int(found[1])

    def cpu(self) -> dict[int, float]:
        """CPU seconds of each of its processes so far, in user mode and in the kernel, by pid."""
        spent = {}
        for pid in self._pids():
            with contextlib.suppress(OSError):  # it ended meanwhile
                spent[pid] = time.clock_gettime(_cpu_clock(pid))
        return spent

    def memory(self) -> int:
        """KB of memory of all its processes, shared pages by the share that is theirs (PSS)."""
        total = 0
        for pid in self._pids():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
                total += int(found[1]) if found else 0
        return total

    def _pids(self) -> list[int]:
        """The processes of its session (proc_pid_stat(5))."""
        pids = []
        for entry in os.listdir("/proc"):
            if not entry.isdecimal():
                continue
            try:
                stat = Path("/proc", entry, "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
            if int(stat.rpartition(")")[2].split()[3]) == self.process.pid:
                pids.append(int(entry))
        return pids

    def stop(self) -> None:
        """End it, and return when it is gone."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_lines(self) -> str:
        """The end of what it has printed, indented."""
        lines = self.log.read_text(errors="replace").splitlines()[-10:]
        return "\n".join(f"    {line}" for line in lines)


class Programs:
    """Starts programs in a folder, and ends them all when its ``with`` ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[Program] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for program in reversed(self._started):
            program.stop()

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        core: int,
        environment: Mapping[str, str] | None = None,
    ) -> Program:
        """Start a program on one core; what it prints goes to NAME.log in the folder.

        ``environment`` comes on top of this process's own.
        """
        log = self.folder / f"{name}.log"
        with log.open("wb") as output, on_core(core):
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=os.environ | (environment or {}),
                start_new_session=True,
            )
        program = Program(name, process, log)
        self._started.append(program)
        return program

    def stop(self, program: Program) -> None:
        """End one before the others."""
        program.stop()
        self._started.remove(program)


def _cpu_clock(pid: int) -> int:
    """The clock of a process's CPU time, all threads, in ns; what clock_getcpuclockid(3) gives."""
    return (~pid << 3) | 2
