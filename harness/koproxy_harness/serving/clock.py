"""The time that a server goes by, which a test may set and move.

Nothing waits by it: it is what is written into tokens and objects, and what they are judged by.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TypeGuard

from koproxy_harness.errors import HarnessError

_MOST = 2**53  # seconds; whole numbers beyond are not exact any more


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
        """Put it to a Unix time, or to a datetime (without a zone: in UTC).

        Raises `HarnessError` for anything else.
        """
        if isinstance(when, datetime):
            when = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
        if not is_seconds(when):
            raise HarnessError(f"a clock is set to a Unix time or a datetime, not to {when!r}")
        self._ahead = when - time.time()

    def move(self, seconds: float) -> None:
        """Put it forward, or back with a number below zero; raises `HarnessError` for none."""
        if not is_seconds(seconds):
            raise HarnessError(f"a clock is moved by a number of seconds, not by {seconds!r}")
        self._ahead += seconds

    def reset(self) -> None:
        """Put it back to the machine's time."""
        self._ahead = 0.0


def is_seconds(value: object) -> TypeGuard[float]:
    """Whether this is a number of seconds that can be reckoned with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST
