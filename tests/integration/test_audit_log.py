"""Several processes write one audit log, put it aside, and are killed: each event is there once."""

import fcntl
import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from koproxy.audit.backups import Backups

SECONDS = 60
EVENTS = 3000
# Says of each event that it was written, as soon as that is so.
WRITER = """
import sys, threading
from datetime import UTC, datetime
from pathlib import Path
from twisted.internet.task import Clock
from koproxy.audit.appending import AppendedFile
from koproxy.audit.backups import Backups
from koproxy.audit.log import BlockingLog

name, path, number, largest = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
backups = Backups(path, number=0, days=0, compress=True)

def tidy(problem):
    assert problem is None, problem
    threading.Thread(target=backups.tidy, args=(datetime.now(UTC),)).start()

file = AppendedFile(path, largest, lambda: backups.free(datetime.now(UTC)), tidy)
log = BlockingLog("the log", file, Clock(), strict=True)
print("ready", flush=True)
input()
for event in range(number):
    assert log.write({"writer": name, "number": event, "filling": "x" * (event % 300)})
    print(event, flush=True)
"""

# The same, on standard output.
PIPED = """
import sys
from twisted.internet.task import Clock
from koproxy.audit.appending import Stream
from koproxy.audit.log import BlockingLog

log = BlockingLog("the log", Stream(1), Clock(), strict=True)
for event in range(int(sys.argv[2])):
    filling = "x" * (event * 7 % 9000)  # more than a pipe takes in one piece
    assert log.write({"writer": sys.argv[1], "number": event, "filling": filling})
"""


def start(path: Path, name: str, number: int, largest: int) -> subprocess.Popen[str]:
    """A writer that has its file and waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, name, str(path), str(number), str(largest)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(processes: Sequence[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()


def found(folder: Path) -> Counter[tuple[str, int]]:
    """Each event in any of the files, and how often; half a line may be there, and is none."""
    events: Counter[tuple[str, int]] = Counter()
    for file in folder.iterdir():
        content = file.read_bytes()
        if file.suffix == ".gz":
            content = gzip.decompress(content)
        for line in content.split(b"\n"):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            events[event["writer"], event["number"]] += 1
    return events


@pytest.mark.parametrize("largest", [0, 3000])
def test_what_several_write_and_put_aside_at_once_is_there_once(
    tmp_path: Path, largest: int
) -> None:
    processes = [start(tmp_path / "audit.log", name, EVENTS, largest) for name in "ab"]
    go(processes)
    for process in processes:
        process.communicate(timeout=SECONDS)
        assert process.returncode == 0
    assert found(tmp_path) == {(name, number): 1 for name in "ab" for number in range(EVENTS)}
    files = len(list(tmp_path.iterdir()))
    assert files == 1 if largest == 0 else files > 100


@pytest.mark.parametrize("largest", [0, 3000])
def test_whoever_is_killed_leaves_every_event_that_was_written(
    tmp_path: Path, largest: int
) -> None:
    killed = start(tmp_path / "audit.log", "killed", 10**9, largest)
    other = start(tmp_path / "audit.log", "other", EVENTS, largest)
    go([killed, other])
    assert killed.stdout is not None
    for _ in range(EVENTS):
        said = killed.stdout.readline()
    killed.kill()
    said = (said + killed.stdout.read()).rpartition("\n")[0]
    killed.communicate(timeout=SECONDS)
    last = int(said.rpartition("\n")[2])
    other.communicate(timeout=SECONDS)
    assert other.returncode == 0
    # Ends what it was doing to the files beside.
    Backups(tmp_path / "audit.log", number=0, days=0, compress=True).tidy(datetime.now(UTC))
    events = found(tmp_path)
    # One more may be there, which it had no time to tell of.
    events.pop(("killed", last + 1), None)
    expected = {("killed", number): 1 for number in range(last + 1)}
    assert events == expected | {("other", number): 1 for number in range(EVENTS)}


def test_on_one_pipe_several_write_whole_lines() -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    processes = [
        subprocess.Popen([sys.executable, "-c", PIPED, name, str(EVENTS)], stdout=writing)
        for name in "ab"
    ]
    os.close(writing)
    with open(reading, "rb") as lines:
        events = [json.loads(line) for line in lines]
    assert [process.wait(SECONDS) for process in processes] == [0, 0]
    found = Counter((event["writer"], event["number"]) for event in events)
    assert found == {(name, number): 1 for name in "ab" for number in range(EVENTS)}
