"""The time that a server goes by, which a test may set and move.

Nothing waits by it: it is what is written into tokens and objects, and what they are judged by.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """A clock that runs on from wherever it is put; at first it is the machine's."""

    def __init__(self) -> None:
        self._ahead = 0.0  # seconds, of the machine's time

    def now(self) -> float:
        """Give its time, in seconds since 1970 (Unix time)."""
        return time.time() + self._ahead

    @property
    def text(self) -> str:
        """Its time as Kubernetes writes it: RFC 3339, in UTC, to the second."""
        return f"{datetime.fromtimestamp(self.now(), UTC):%Y-%m-%dT%H:%M:%SZ}"

    def set(self, when: float | datetime) -> None:
        """Put it to a Unix time, or to a datetime (without a zone: in UTC)."""
        if isinstance(when, datetime):
            when = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
        self._ahead = when - time.time()

    def move(self, seconds: float) -> None:
        """Put it forward, or back with a number below zero."""
        self._ahead += seconds

    def reset(self) -> None:
        """Put it back to the machine's time."""
        self._ahead = 0.0
