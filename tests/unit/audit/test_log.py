"""What becomes of events that are written to a file, at once or soon after."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from koproxy.audit.appending import AppendedFile, NotWritten
from koproxy.audit.log import RETRY_SECONDS, STOP_SECONDS, BatchedLog, BlockingLog

NAME = "--audit-log-path /a/b"


class File:
    """Takes lines, as long as there is room for them."""

    def __init__(self) -> None:
        self.content = b""
        self.writes = 0
        self.room = 10**9

    def append(self, lines: bytes) -> None:
        self.writes += 1
        if len(lines) <= self.room:
            self.content += lines
            return
        taken = lines.rfind(b"\n", 0, self.room) + 1
        self.content += lines[:taken]
        raise NotWritten(OSError(28, "No space left on device"), taken, self.room)

    def close(self) -> None:
        pass

    @property
    def numbers(self) -> list[int]:
        """Which events are in it."""
        return [json.loads(line)["number"] for line in self.content.splitlines()]


class Thread:
    """Does what it is given, at once or when it is told to."""

    def __init__(self) -> None:
        self.held: list[tuple[Callable[[], None], Deferred[None]]] | None = None

    def __call__(self, work: Callable[[], None]) -> Deferred[None]:
        if self.held is None:
            work()
            return succeed(None)
        done: Deferred[None] = Deferred()
        self.held.append((work, done))
        return done

    def work(self) -> None:
        held, self.held = self.held or [], None
        for work, done in held:
            work()
            done.callback(None)


def event(number: int) -> dict[str, Any]:
    return {"kind": "Event", "number": number}


@pytest.fixture
def file() -> File:
    return File()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def blocking(file: File, clock: Clock, *, strict: bool = False) -> BlockingLog:
    log = BlockingLog(NAME, file, clock, strict=strict)
    log.startService()
    return log


def batched(
    file: File, clock: Clock, thread: Thread, room: int = 100, most: int = 2, wait: float = 5
) -> BatchedLog:
    log = BatchedLog(NAME, file, clock, thread, room=room, most=most, wait=wait)
    log.startService()
    return log


def test_an_event_is_written_when_write_returns(file: File, clock: Clock) -> None:
    log = blocking(file, clock)
    assert log.write({"user": {"username": 'j"ä\n'}, "number": 1})
    assert file.content == '{"user":{"username":"j\\"ä\\n"},"number":1}\n'.encode()
    assert (log.written, log.dropped, log.waiting, log.problem) == (1, 0, 0, None)


def test_half_of_a_surrogate_pair_leaves_no_event_out(file: File, clock: Clock) -> None:
    log = blocking(file, clock)
    assert log.write({"requestURI": "/\udc80", "number": 1})
    assert json.loads(file.content) == {"requestURI": "/\udc80", "number": 1}


@pytest.mark.parametrize("strict", [False, True])
def test_what_is_no_json_is_lost_and_raises_nothing(file: File, clock: Clock, strict: bool) -> None:
    log = blocking(file, clock, strict=strict)
    assert log.write({"number": object()}) is not strict
    assert (file.content, log.dropped) == (b"", 1)


@pytest.mark.parametrize("strict", [False, True])
def test_on_a_full_disk_events_are_lost_and_counted(file: File, clock: Clock, strict: bool) -> None:
    log = blocking(file, clock, strict=strict)
    file.room = 5
    for number in range(4):
        assert log.write(event(number)) is not strict
    assert log.problem is not None
    assert log.problem.startswith(f"{NAME} can't be written (No space left on device)")
    assert (log.written, log.dropped, log.waiting) == (0, 3, 1)
    file.room = 10**9
    assert log.write(event(4))
    assert log.problem is None
    assert (log.written, log.dropped, log.waiting) == (2, 3, 0)
    assert file.numbers == [0, 4]


def test_when_nothing_happens_it_is_found_out_that_there_is_room(file: File, clock: Clock) -> None:
    log = blocking(file, clock)
    file.room = 0
    log.write(event(0))
    clock.advance(RETRY_SECONDS)
    assert log.problem is not None
    file.room = 10**9
    clock.advance(RETRY_SECONDS)
    assert (log.written, file.numbers) == (1, [0])
    assert log.problem is None
    log.stopService()
    assert clock.getDelayedCalls() == []


def test_only_the_late_one_is_written_where_there_is_room_for_no_other(
    file: File, clock: Clock
) -> None:
    log = blocking(file, clock, strict=True)
    file.room = 0
    log.write(event(0))
    file.room = 30
    assert not log.write(event(1))
    assert file.numbers == [0]
    assert (log.written, log.dropped, log.waiting) == (1, 0, 1)


def test_what_is_late_at_the_end_is_lost(file: File, clock: Clock) -> None:
    log = blocking(file, clock)
    file.room = 0
    log.write(event(0))
    log.stopService()
    assert (log.dropped, log.waiting) == (1, 0)


def test_a_real_file_and_its_folder(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "folder" / "audit.log"
    log = BlockingLog(NAME, AppendedFile(path, 0, lambda: path, print), clock, strict=False)
    log.startService()
    log.write(event(0))
    assert log.problem is not None
    path.parent.mkdir()
    clock.advance(RETRY_SECONDS)
    assert log.problem is None
    assert path.read_bytes().count(b"\n") == 1
    log.stopService()


def test_a_batch_is_written_when_it_is_full(file: File, clock: Clock) -> None:
    log = batched(file, clock, Thread())
    assert log.write(event(0))
    assert file.content == b""
    assert log.waiting == 1
    assert log.write(event(1))
    assert (file.numbers, file.writes) == ([0, 1], 1)
    assert (log.written, log.waiting) == (2, 0)
    assert clock.getDelayedCalls() == []


def test_a_batch_is_written_when_it_has_waited(file: File, clock: Clock) -> None:
    log = batched(file, clock, Thread())
    log.write(event(0))
    clock.advance(4.9)
    assert file.content == b""
    clock.advance(0.1)
    assert file.numbers == [0]
    assert clock.getDelayedCalls() == []
    assert log.written == 1


def test_while_a_thread_writes_others_wait_and_what_overflows_is_lost(
    file: File, clock: Clock
) -> None:
    thread = Thread()
    thread.held = []
    log = batched(file, clock, thread, room=7)
    for number in range(10):
        assert log.write(event(number))
    assert (log.waiting, log.dropped) == (7, 3)
    thread.work()
    assert file.numbers == [0, 1, 2, 3, 4, 5, 6]
    assert file.writes == 4  # at most two at a time
    assert (log.written, log.waiting) == (7, 0)


def test_a_batch_that_can_not_be_written_is_tried_until_it_is(file: File, clock: Clock) -> None:
    log = batched(file, clock, Thread(), room=4)
    file.room = 30
    for number in range(6):
        log.write(event(number))
    assert file.numbers == [0]
    assert log.problem is not None
    clock.advance(RETRY_SECONDS)
    assert file.numbers == [0, 1, 2]
    file.room = 10**9
    log.look()
    assert file.numbers == [0, 1, 2, 3]
    assert (log.written, log.dropped) == (4, 2)
    assert log.problem is None


def test_at_the_end_all_that_waits_is_written(file: File, clock: Clock) -> None:
    thread = Thread()
    thread.held = []
    log = batched(file, clock, thread)
    for number in range(5):
        log.write(event(number))
    ended: list[None] = []
    log.stopService().addCallback(ended.append)
    assert not ended
    thread.work()
    assert ended
    assert file.numbers == [0, 1, 2, 3, 4]
    assert clock.getDelayedCalls() == []
    log.write(event(5))
    assert (log.written, log.dropped) == (5, 1)


def test_at_the_end_a_full_disk_is_waited_for_no_longer(file: File, clock: Clock) -> None:
    log = batched(file, clock, Thread())
    file.room = 30
    for number in range(5):
        log.write(event(number))
    ended: list[None] = []
    log.stopService().addCallback(ended.append)
    assert ended
    assert (log.written, log.dropped, log.waiting) == (len(file.numbers), 5 - log.written, 0)
    assert clock.getDelayedCalls() == []


def test_at_the_end_a_disk_that_hangs_is_not_waited_for(file: File, clock: Clock) -> None:
    thread = Thread()
    thread.held = []
    log = batched(file, clock, thread)
    for number in range(5):
        log.write(event(number))
    ended: list[None] = []
    log.stopService().addCallback(ended.append)
    clock.advance(STOP_SECONDS)
    assert ended
    assert (log.dropped, log.waiting) == (5, 0)
    thread.work()
