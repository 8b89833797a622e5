"""Servers as child processes: started, waited for, written down, and ended to the last one.

Only processes that are in the record are ever ended, and only while they still are what was
started: a process id is compared together with its start time.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

Answer = TypeVar("Answer")

RECORD = "processes.json"
GRACE_SECONDS = 15.0


class ServerFailed(Exception):
    """A server ended or did not get ready; the text says which and quotes the end of its log."""


def wait_until(
    condition: Callable[[], Answer | None],
    what: str,
    *,
    seconds: float = 60.0,
    server: Server | None = None,
) -> Answer:
    """Ask `condition` again and again until it answers with something true, and return that.

    For what other programs do without telling: this is the only place that polls. `server` is the
    process that has to be alive meanwhile. Raises `ServerFailed` after `seconds`, or as soon as
    `server` has ended.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if server is not None and server.process.poll() is not None:
            raise ServerFailed(
                f"{server.name} ended with status {server.process.returncode} before {what}:\n"
                f"{server.log_tail()}"
            )
        if time.monotonic() > deadline:
            tail = f":\n{server.log_tail()}" if server is not None else ""
            raise ServerFailed(f"gave up after {seconds:g} s: {what}{tail}")
        time.sleep(0.05)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nothing listens on, below the range of outgoing connections."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass
class Server:
    """One running child process and the file with what it prints."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that the server has printed."""
        text = self.log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(f"    {line}" for line in text)

    def stop(self, *, kill: bool = False) -> None:
        """End the process and wait until it is gone; one that ignores SIGTERM is killed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Processes:
    """The processes of one cluster; their logs and the record of them are in `directory`."""

    directory: Path
    servers: list[Server] = field(default_factory=list)
    logged: set[str] = field(default_factory=set)

    def start(
        self, name: str, argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None
    ) -> Server:
        """Start a server in `directory`; what it prints goes to `logs/NAME.log` there.

        Raises OSError if the program cannot be started.
        """
        log = self.directory / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab" if name in self.logged else "wb") as output:
            process = subprocess.Popen(
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env={"PATH": os.environ["PATH"], "HOME": str(self.directory), **(env or {})},
                start_new_session=True,
            )
        self.logged.add(name)
        server = Server(name, process, log)
        self.servers = [other for other in self.servers if other.process.poll() is None]
        self.servers.append(server)
        self._write_record()
        return server

    def stop(self) -> None:
        """End all processes, the youngest first, and forget the record."""
        for server in reversed(self.servers):
            server.stop()
        self.servers.clear()
        (self.directory / RECORD).unlink(missing_ok=True)

    def _write_record(self) -> None:
        record = [
            {"name": server.name, "pid": server.process.pid, "started": started}
            for server in self.servers
            if (started := _start_time(server.process.pid)) is not None
        ]
        temporary = self.directory / f"{RECORD}.new"
        temporary.write_text(json.dumps(record, indent=2) + "\n")
        temporary.replace(self.directory / RECORD)


def stop_recorded(directory: Path) -> list[str]:
    """End the processes that another run has left in `directory`'s record; returns their names."""
    record = directory / RECORD
    if not record.exists():
        return []
    ended = []
    for entry in reversed(json.loads(record.read_text())):
        if _start_time(entry["pid"]) == entry["started"]:
            _end(entry["pid"])
            ended.append(entry["name"])
    record.unlink()
    return ended


def _end(pid: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            signal.pidfd_send_signal(handle, number)
            if select.select([handle], [], [], GRACE_SECONDS)[0]:
                return
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def _start_time(pid: int) -> int | None:
    """Clock ticks from boot to the start of a process (field 22 of proc_pid_stat(5))."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[19])
