"""What a test breaks on purpose: which requests, how, and how often.

Pure: a fault is chosen here and carried out by the server.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from koproxy_harness.serving.parsing import Headers


@dataclass(slots=True)
class Fault:
    """One way to fail. `left` counts down to nothing; None is for ever."""

    paths: tuple[str, ...]  # patterns as in `fnmatch`
    status: int
    delay: float  # seconds
    reset: bool
    body: bytes | None
    headers: Headers
    left: int | None

    @property
    def only_late(self) -> bool:
        """Whether the right answer is given, only later."""
        return self.status == 200 and self.body is None and not self.reset


class Faults:
    """The faults of one server, the newest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Fail so from now on."""
        self._faults.insert(0, fault)

    def clear(self) -> None:
        """Fail no more."""
        self._faults.clear()

    def take(self, path: str) -> Fault | None:
        """Give the fault for a request to `path`, and count it."""
        for fault in self._faults:
            if any(fnmatchcase(path, pattern) for pattern in fault.paths):
                if fault.left is not None:
                    fault.left -= 1
                    if fault.left <= 0:
                        self._faults.remove(fault)
                return fault
        return None
