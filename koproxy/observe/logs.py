"""What koproxy says while it runs: a line an event, on standard error or in twistd's log.

A line is time, level, ``koproxy:`` and a sentence; one of several workers is ``koproxy[PID]:``.
Libraries are heard from warnings on. What goes wrong for many requests at once is said once in a
while, with how often.
"""

import os
import sys
from collections import OrderedDict
from typing import IO

from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    eventAsText,
    formatEvent,
    formatTime,
    globalLogBeginner,
)
from zope.interface import implementer

DEBUG_VERBOSITY = 4
QUIET_SECONDS = 10.0
"""From a warning until the same is said again."""

_MOST_KEPT = 64


def _line(event: LogEvent, name: str) -> str:
    time = formatTime(event["log_time"], "%Y-%m-%dT%H:%M:%S%z")
    level = event.get("log_level", LogLevel.info).name
    text = eventAsText(event, includeTimestamp=False, includeSystem=False)
    return f"{time} {level} {name}: {text.rstrip()}\n"


@implementer(ILogObserver)
class _Sparing:
    """Says a warning once in a while; whether it is the same is told by its words."""

    def __init__(self, say: ILogObserver) -> None:
        self._say = say
        self._said: OrderedDict[str, tuple[float, int]] = OrderedDict()  # when, and how often since

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_level") is not LogLevel.warn or "log_failure" in event:
            self._say(event)
            return
        words, now = formatEvent(event), event["log_time"]
        last, unsaid = self._said.get(words, (float("-inf"), 0))
        if 0 <= now - last < QUIET_SECONDS:
            self._said[words] = (last, unsaid + 1)
            return
        self._said[words] = (now, 0)
        self._said.move_to_end(words)
        if len(self._said) > _MOST_KEPT:
            self._said.popitem(last=False)
        if unsaid:
            words = f"{words} ({unsaid} times more since this was last said)"
        self._say({**event, "log_format": "{words}", "words": words})


def observer(out: IO[str], verbosity: int, name: str = "koproxy") -> ILogObserver:
    """A log observer that writes lines to ``out``; ``verbosity`` is the ``-v`` flag's number."""
    levels = LogLevelFilterPredicate(defaultLogLevel=LogLevel.warn)
    own = LogLevel.debug if verbosity >= DEBUG_VERBOSITY else LogLevel.info
    levels.setLogLevelForNamespace("koproxy", own)
    lines = FileLogObserver(out, lambda event: _line(event, name))
    return FilteringLogObserver(_Sparing(lines), [levels])


def begin(verbosity: int, *, worker: bool = False) -> None:
    """Log to standard error from now on; a ``worker`` among others says which one it is."""
    name = f"koproxy[{os.getpid()}]" if worker else "koproxy"
    out = observer(sys.stderr, verbosity, name)
    globalLogBeginner.beginLoggingTo([out], redirectStandardIO=False)
