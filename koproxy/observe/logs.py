"""What koproxy says while it runs: a line an event, on standard error or in twistd's log.

A line is time, level, ``koproxy:`` and a sentence; one of several workers is ``koproxy[PID]:``.
Libraries are heard from warnings on.
"""

import os
import sys
from typing import IO

from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    eventAsText,
    formatTime,
    globalLogBeginner,
)

DEBUG_VERBOSITY = 4


def _line(event: LogEvent, name: str) -> str:
    time = formatTime(event["log_time"], "%Y-%m-%dT%H:%M:%S%z")
    level = event.get("log_level", LogLevel.info).name
    text = eventAsText(event, includeTimestamp=False, includeSystem=False)
    return f"{time} {level} {name}: {text.rstrip()}\n"


def observer(out: IO[str], verbosity: int, name: str = "koproxy") -> ILogObserver:
    """A log observer that writes lines to ``out``; ``verbosity`` is the ``-v`` flag's number."""
    levels = LogLevelFilterPredicate(defaultLogLevel=LogLevel.warn)
    own = LogLevel.debug if verbosity >= DEBUG_VERBOSITY else LogLevel.info
    levels.setLogLevelForNamespace("koproxy", own)
    return FilteringLogObserver(FileLogObserver(out, lambda event: _line(event, name)), [levels])


def begin(verbosity: int, *, worker: bool = False) -> None:
    """Log to standard error from now on; a ``worker`` among others says which one it is."""
    name = f"koproxy[{os.getpid()}]" if worker else "koproxy"
    out = observer(sys.stderr, verbosity, name)
    globalLogBeginner.beginLoggingTo([out], redirectStandardIO=False)
