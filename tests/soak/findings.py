"""What was seen: counts, and what must never be.

An error is one that a client would expect, or not. Expected are, while the API server is away and
for a moment after: 403, 500, 502, 503, 504 and 429, cut answers and refused watches; while Dex is
away, and until its people have logged in anew: 401 and 503 for these people; for a moment after
the issuer has a new key, with which it signs at once: 401, for koproxy asks for keys once a second.
With anything else the soak has failed.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator

MOMENT = 3.0  # seconds after a server is back in which its clients may still feel it
MOST_KEPT = 40


class Away:
    """When a server was away."""

    def __init__(self) -> None:
        self._times: list[list[float]] = []

    @contextlib.contextmanager
    def gone(self) -> Iterator[None]:
        """Call it away for the time of the block, and a moment longer."""
        period = [time.monotonic(), float("inf")]
        self._times.append(period)
        try:
            yield
        finally:
            period[1] = time.monotonic() + MOMENT

    def since(self, begun: float) -> bool:
        """Whether it was away at any time since then."""
        return any(end >= begun for _, end in self._times)


class Findings:
    """Shared by all threads."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.ending = threading.Event()
        self.api = Away()
        self.dex = Away()
        self.keys = Away()
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._good = self._began
        self.longest_pause = 0.0

    def count(self, what: str, number: int = 1) -> None:
        """One more of these."""
        with self._lock:
            self.counts[what] += number

    def good(self) -> None:
        """A good answer has come; how long there was none is kept."""
        now = time.monotonic()
        with self._lock:
            if not self.api.since(self._good):
                self.longest_pause = max(self.longest_pause, now - self._good)
            self._good = now

    def never(self, sentence: str) -> None:
        """Something that must never be; the soak goes on, to see what else there is."""
        with self._lock:
            self.counts["must never be"] += 1
            if len(self.wrong) < MOST_KEPT:
                self.wrong.append(f"after {time.monotonic() - self._began:.1f} s: {sentence}")
