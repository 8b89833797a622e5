"""Lines come whole to the end of the file that a path names, whatever happens to it meanwhile."""

import contextlib
import fcntl
import os
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from koproxy.audit.appending import AppendedFile, NotWritten, Stream


class Aside:
    """Where files are put, and what is said of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str | None] = []
        self.files: list[Path] = []

    def __call__(self) -> Path:
        self.files.append(self.folder / f"aside-{len(self.files)}")
        return self.files[-1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


def appended(path: Path, largest: int = 0, aside: Aside | None = None) -> AppendedFile:
    aside = aside or Aside(path.parent)
    return AppendedFile(path, largest, aside, aside.said.append)


@contextlib.contextmanager
def full_at(size: int) -> Iterator[None]:
    """Let no file get larger, as on a full disk: the last write is cut short."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_new_file_is_for_its_owner_alone(path: Path) -> None:
    file = appended(path)
    file.append(b"one\n")
    file.append(b"two\n")
    file.close()
    assert path.read_bytes() == b"one\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_there_stays(path: Path) -> None:
    path.write_bytes(b"before\n")
    appended(path).append(b"one\n")
    assert path.read_bytes() == b"before\none\n"


def test_somebody_elses_half_line_is_ended_first(path: Path) -> None:
    path.write_bytes(b'{"half":')
    file = appended(path)
    file.append(b"one\n")
    with path.open("ab") as other:
        other.write(b"ha")
    file.append(b"two\n")
    assert path.read_bytes() == b'{"half":\none\nha\ntwo\n'


def test_on_a_full_disk_what_was_cut_short_is_ended_first(path: Path) -> None:
    file = appended(path)
    file.append(b"one\n")
    with full_at(6):
        with pytest.raises(NotWritten, match="File too large") as caught:
            file.append(b"two\n")
        assert caught.value.taken == 0
        with pytest.raises(NotWritten):
            file.append(b"three\n")
    file.append(b"four\n")
    assert path.read_bytes() == b"one\ntw\nfour\n"


def test_of_several_lines_those_that_were_written_are_known(path: Path) -> None:
    file = appended(path)
    with full_at(10), pytest.raises(NotWritten) as caught:
        file.append(b"one\ntwo\nthree\n")
    assert caught.value.taken == len(b"one\ntwo\n")
    assert caught.value.cut_short
    file.append(b"three\n")
    assert path.read_bytes() == b"one\ntwo\nth\nthree\n"


def test_a_file_that_was_moved_away_is_followed_by_a_new_one(path: Path) -> None:
    file = appended(path)
    file.append(b"one\n")
    moved = path.rename(path.with_suffix(".1"))
    file.append(b"two\n")
    assert (moved.read_bytes(), path.read_bytes()) == (b"one\n", b"two\n")


def test_a_file_that_was_emptied_is_gone_on_with(path: Path) -> None:
    file = appended(path)
    file.append(b"one\n")
    os.truncate(path, 0)
    file.append(b"two\n")
    assert path.read_bytes() == b"two\n"


def test_a_folder_that_is_gone_is_said_and_taken_again_when_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = appended(folder / "audit.log")
    file.append(b"one\n")
    away = folder.rename(tmp_path / "away")
    with pytest.raises(NotWritten, match="No such file or directory"):
        file.append(b"two\n")
    away.rename(folder)
    file.append(b"three\n")
    assert (folder / "audit.log").read_bytes() == b"one\nthree\n"


def test_it_is_put_aside_before_it_is_too_large(path: Path, tmp_path: Path) -> None:
    aside = Aside(tmp_path)
    file = appended(path, 10, aside)
    path.touch()
    path.chmod(0o640)
    for line in (b"123\n", b"56789\n", b"abc\n", b"one that is too large by itself\n", b"x\n"):
        file.append(line)
    assert [each.read_bytes() for each in aside.files] == [
        b"123\n56789\n",
        b"abc\n",
        b"one that is too large by itself\n",
    ]
    assert path.read_bytes() == b"x\n"
    assert aside.said == [None, None, None]
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_can_not_be_put_aside_grows(path: Path, tmp_path: Path) -> None:
    aside = Aside(tmp_path / "nowhere")
    file = appended(path, 4, aside)
    file.append(b"one\n")
    file.append(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
    assert aside.said == ["No such file or directory"]


def test_what_a_link_leads_to_is_not_put_aside(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    path.symlink_to(target)
    file = appended(path, 4)
    file.append(b"one\n")
    file.append(b"two\n")
    assert target.read_bytes() == b"one\ntwo\n"
    assert path.is_symlink()


def test_others_wait_for_whoever_writes(path: Path) -> None:
    file = appended(path)
    file.append(b"one\n")
    with path.open("ab", buffering=0) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        writing = threading.Thread(target=file.append, args=(b"two\n",))
        writing.start()
        other.write(b"between\n")
        fcntl.flock(other, fcntl.LOCK_UN)
        writing.join()
    assert path.read_bytes() == b"one\nbetween\ntwo\n"


def test_a_stream_gets_whole_lines_though_it_takes_them_slowly() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    line = b"x" * 300_000 + b"\n"
    found: list[bytes] = []

    def read() -> None:
        with open(reading, "rb") as stream:
            found.append(stream.read())

    reader = threading.Thread(target=read)
    reader.start()
    Stream(writing).append(line)
    os.close(writing)
    reader.join()
    assert found == [line]


def test_a_stream_that_nobody_reads_any_more_is_said() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(NotWritten, match="Broken pipe"):
        Stream(writing).append(b"one\n")
    os.close(writing)


def test_what_was_cut_short_in_a_stream_is_ended_first(tmp_path: Path) -> None:
    with (tmp_path / "output").open("wb", buffering=0) as output:
        stream = Stream(output.fileno())
        with full_at(6), pytest.raises(NotWritten):
            stream.append(b"one\ntwo\n")
        with full_at(6), pytest.raises(NotWritten):
            stream.append(b"three\n")
        stream.append(b"four\n")
    assert (tmp_path / "output").read_bytes() == b"one\ntw\nfour\n"


def test_threads_that_share_a_stream_write_whole_lines() -> None:
    reading, writing = os.pipe()
    stream, lines = Stream(writing), 20
    texts = [bytes([letter]) * 300_000 + b"\n" for letter in b"ab"]

    def write(text: bytes) -> None:
        for _ in range(lines):
            stream.append(text)

    writers = [threading.Thread(target=write, args=(text,)) for text in texts]
    for each in writers:
        each.start()
    with os.fdopen(reading, "rb") as read:
        found = [read.readline() for _ in range(lines * len(texts))]
    for each in writers:
        each.join()
    os.close(writing)
    assert sorted(found) == sorted(texts * lines)


def test_who_holds_a_file_that_was_moved_away_keeps_nobody_waiting(path: Path) -> None:
    file = appended(path)
    file.append(b"one\n")
    moved = path.rename(path.with_name("moved"))
    with moved.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        writer = threading.Thread(target=file.append, args=(b"two\n",), daemon=True)
        writer.start()
        writer.join(10)
        waits = writer.is_alive()
    assert not waits
    assert path.read_bytes() == b"two\n"
