"""Audit files that were put aside: how they are named, and how long they are kept.

``audit.log`` becomes ``audit-2026-11-23T10-00-00.000.log``, in UTC, as kube-apiserver names them
(by its library lumberjack), so that what collects those collects these. Nothing here is on the way
of an event: whoever puts a file aside has the others tidied by a thread.
"""

import contextlib
import fcntl
import gzip
import os
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

_FORMAT = "%Y-%m-%dT%H-%M-%S.%f"
_COMPRESSED = ".gz"
_UNFINISHED = ".part"
_TICK = timedelta(milliseconds=1)
_LONGEST = 365_000  # days: longer ago than there has been a koproxy


class Backups:
    """The files that were put aside beside one file."""

    def __init__(self, path: Path, *, number: int, days: int, compress: bool) -> None:
        """Keep so many files, for so many days; 0 is without a limit."""
        self._folder = path.parent
        self._before, self._after = f"{path.stem}-", path.suffix
        self._number = number
        self._days = days
        self._compress = compress

    def free(self, now: datetime) -> Path:
        """A name that no file has, for one that is put aside now (an aware datetime)."""
        while True:
            stamp = now.astimezone(UTC).strftime(_FORMAT)[:-3]
            path = self._folder / f"{self._before}{stamp}{self._after}"
            compressed = path.with_name(path.name + _COMPRESSED)
            if not os.path.lexists(path) and not os.path.lexists(compressed):
                return path
            now += _TICK

    def tidy(self, now: datetime) -> None:
        """Remove what is too old or too many, and compress the rest if that is wanted.

        Several processes may do so at a time.

        Raises:
            OSError: a file can't be removed or compressed.
        """
        found = self._found()
        times = sorted(set(found.values()), reverse=True)
        if self._number:
            del times[self._number :]
        kept = set(times)
        oldest = now - timedelta(days=min(self._days, _LONGEST)) if self._days else None
        for path, time in found.items():
            if time not in kept or (oldest is not None and time < oldest):
                path.unlink(missing_ok=True)
            elif self._compress and path.suffix != _COMPRESSED:
                _compress(path)

    def _found(self) -> dict[Path, datetime]:
        """The files put aside, and when that was."""
        found = {}
        for path in self._folder.iterdir():
            name = path.name.removesuffix(_COMPRESSED)
            if not name.startswith(self._before) or not name.endswith(self._after):
                continue
            stamp = name[len(self._before) : len(name) - len(self._after)]
            with contextlib.suppress(ValueError):  # somebody else's file
                time = datetime.strptime(stamp, _FORMAT).replace(tzinfo=UTC)
                if time.strftime(_FORMAT)[:-3] == stamp:
                    found[path] = time
        return found


def _compress(path: Path) -> None:
    """Put ``path`` into a file of its name and ``.gz``; without effect if another one does so."""
    compressed = path.with_name(path.name + _COMPRESSED)
    unfinished = path.with_name(compressed.name + _UNFINISHED)
    try:
        source = path.open("rb")
    except FileNotFoundError:
        return
    with source:
        try:
            fcntl.flock(source, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        state = os.fstat(source.fileno())
        if state.st_nlink == 0:
            return
        target = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(target, "wb") as raw:
            os.fchmod(target, stat.S_IMODE(state.st_mode))
            with gzip.open(raw, "wb") as packed:
                shutil.copyfileobj(source, packed, 1024 * 1024)
            raw.flush()
            os.fsync(raw.fileno())  # the only copy, once the other is removed
        unfinished.rename(compressed)
        path.unlink()
