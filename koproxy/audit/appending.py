"""Whole lines at the end of a file that several processes write to and put aside when it is full.

Whoever writes holds a lock (flock) on the file and has made sure that it is still the one that its
path names; whoever puts it aside holds the same lock. So nobody writes to a file that was put
aside, and a line is in exactly one file. Bytes of an earlier line that was cut short (the disk was
full, the writer was killed) are ended before the next line. What was written is with the kernel:
the end of the process doesn't take it back, that of the machine may.
"""

import contextlib
import errno
import fcntl
import os
import select
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

_ENOUGH = 1000
"""Tries to get hold of the file while others keep putting it aside."""


class NotWritten(Exception):
    """Lines could not be written. ``taken`` bytes of them, whole lines, were.

    ``cut_short`` says that a part of the next one was, too.
    """

    def __init__(self, error: OSError, taken: int = 0, done: int = 0) -> None:
        """Take why, how much was written in whole lines, and how much in all."""
        super().__init__(error.strerror or str(error))
        self.taken = taken
        self.cut_short = done > taken


class Appending(Protocol):
    """What lines are written to."""

    def append(self, lines: bytes) -> None:
        """Write whole lines, each with its end; raises NotWritten."""

    def close(self) -> None:
        """Let go of it; the next ``append`` takes hold of it again."""


class AppendedFile:
    """The file at a path."""

    def __init__(
        self,
        path: Path,
        largest: int,
        aside: Callable[[], Path],
        was_put_aside: Callable[[str | None], None],
    ) -> None:
        """Put the file aside, to where ``aside`` says, before it gets more than ``largest`` bytes.

        With ``largest`` 0 it grows. ``was_put_aside`` is called with None each time that was done,
        and with why, for people, if it can't be: then the file grows too.
        """
        self._path = path
        self._largest = largest
        self._aside = aside
        self._was_put_aside = was_put_aside
        self._descriptor = -1
        self._end = -1  # where our own last line ended

    def append(self, lines: bytes) -> None:
        """Write whole lines, each with its end; raises NotWritten."""
        try:
            state = self._take_hold(len(lines))
        except OSError as error:
            self.close()
            raise NotWritten(error) from None
        try:
            if state.st_size not in (0, self._end) and not self._ends_a_line(state.st_size):
                _write_all(self._descriptor, b"\n")
            self._end = -1
            _write_all(self._descriptor, lines)
            self._end = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise NotWritten(error) from None
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file; the next ``append`` takes hold of it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = self._end = -1

    def _take_hold(self, length: int) -> os.stat_result:
        """Lock the file that the path names now, with room for so many bytes; how it is."""
        like: os.stat_result | None = None
        for _ in range(_ENOUGH):
            if self._descriptor >= 0 and not self._is_at_its_path(os.fstat(self._descriptor)):
                self.close()  # and not locked: whoever compresses it holds the lock for long
            if self._descriptor < 0:
                self._open(like)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            state = os.fstat(self._descriptor)
            if self._is_at_its_path(state):
                if not self._is_full(state, length) or not self._put_aside():
                    return state
                like = state
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            self.close()
        raise OSError(errno.EBUSY, "others keep putting it aside")

    def _open(self, like: os.stat_result | None) -> None:
        """Open the file, which is made if need be; for the owner alone, or ``like`` the last."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY
        self._descriptor = os.open(self._path, flags, 0o600)
        if like is not None:
            with contextlib.suppress(OSError):
                os.fchmod(self._descriptor, stat.S_IMODE(like.st_mode))
                os.fchown(self._descriptor, like.st_uid, like.st_gid)

    def _is_at_its_path(self, state: os.stat_result) -> bool:
        try:
            return os.path.samestat(state, os.stat(self._path))
        except FileNotFoundError:
            return False

    def _is_full(self, state: os.stat_result, length: int) -> bool:
        return 0 < self._largest < state.st_size + length and state.st_size > 0

    def _put_aside(self) -> bool:
        # A link (as /dev/stdout is) is somebody else's, and so is what it leads to.
        if self._path.is_symlink():
            return False
        try:
            self._path.rename(self._aside())
        except OSError as error:
            self._was_put_aside(error.strerror or str(error))
            return False
        self._was_put_aside(None)
        return True

    def _ends_a_line(self, size: int) -> bool:
        return os.pread(self._descriptor, 1, size - 1) == b"\n"


class Stream:
    """What a descriptor leads to, such as standard output. Threads may share it."""

    def __init__(self, descriptor: int) -> None:
        """Take the descriptor; it stays open."""
        self._descriptor = descriptor
        self._cut_short = False
        self._own = threading.Lock()

    def append(self, lines: bytes) -> None:
        """Write whole lines, each with its end; raises NotWritten.

        Workers have the same descriptor, for which only a lock of the process (POSIX) keeps the
        lines of one from those of another; a pipe takes no more than 4096 bytes in one piece. That
        lock keeps no thread from another.
        """
        with self._own:
            self._append(lines)

    def _append(self, lines: bytes) -> None:
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise NotWritten(error) from None
        try:
            if self._cut_short:
                _write_all(self._descriptor, b"\n")
                self._cut_short = False
            _write_all(self._descriptor, lines)
        except NotWritten as problem:
            self._cut_short = self._cut_short or problem.cut_short
            raise
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Do nothing: it is everybody's."""


STANDARD_OUTPUT = Stream(1)
"""For all of a process that write there: each lets the others end their lines."""


def _write_all(descriptor: int, lines: bytes) -> None:
    done = 0
    try:
        while done < len(lines):
            try:
                done += os.write(descriptor, lines[done:])
            except BlockingIOError:  # somebody else has made it so
                select.select([], [descriptor], [])
    except OSError as error:
        raise NotWritten(error, lines.rfind(b"\n", 0, done) + 1, done) from None
