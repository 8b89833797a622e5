"""From the flags to the access log.

The file only grows: whoever puts it aside from outside, as logrotate does, has the next line go to
a new one.
"""

from pathlib import Path

from twisted.internet.interfaces import IReactorThreads, IReactorTime
from twisted.internet.threads import deferToThreadPool

from koproxy.audit.appending import STANDARD_OUTPUT, AppendedFile, Appending, NotWritten
from koproxy.audit.log import BatchedLog
from koproxy.errors import ConfigurationError
from koproxy.observe.access_log import AccessLog
from koproxy.settings import Settings

ROOM, DUE, SECONDS = 100_000, 5000, 0.2
"""Lines that may wait for the disk; how many of them, or how old a one, have them written."""


def check_access_log(settings: Settings) -> None:
    """See that its flags can work; raises ConfigurationError."""
    sample = settings.access_log_sample_rate
    if not 0 <= sample <= 1:
        raise ConfigurationError(f"--access-log-sample-rate {sample:g} is not from 0 to 1")


def make_access_log(
    settings: Settings, clock: IReactorTime, threads: IReactorThreads
) -> tuple[AccessLog, BatchedLog] | None:
    """Make what tells, and the service that writes; None without ``--access-log-path``.

    Raises ConfigurationError.
    """
    check_access_log(settings)
    path, sample = settings.access_log_path, settings.access_log_sample_rate
    if not path:
        return None
    log = BatchedLog(
        f"--access-log-path {path}",
        _file(path),
        clock,
        lambda work: deferToThreadPool(threads, threads.getThreadPool(), work),
        room=ROOM,
        most=DUE,
        wait=SECONDS,
    )
    return AccessLog(log, sample), log


def _file(path: str) -> Appending:
    if path == "-":
        return STANDARD_OUTPUT
    place = Path(path).absolute()
    file = AppendedFile(place, 0, lambda: place, lambda _: None)
    try:
        file.append(b"")
    except NotWritten as problem:
        raise ConfigurationError(
            f"--access-log-path {path} can't be written ({problem}): give a file in a folder that "
            "koproxy may write to"
        ) from None
    return file
