"""What a test breaks on purpose: which requests, how, and how often.

Pure: a fault is chosen here and carried out by the server. It knows no path's meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from koproxy_harness.errors import HarnessError
from koproxy_harness.serving.exchange import BODILESS
from koproxy_harness.serving.parsing import Headers


@dataclass(slots=True)
class Fault:
    """One way to fail, and to whom it happens.

    After `delay` seconds the answer has this `status`, `body` and `headers`; with the status 200
    and no body it is the right answer, with these headers in the place of its own. A body is
    called `application/json` unless `headers` name another `Content-Type`. `reset` breaks the
    connection before the answer; `after` breaks it (a reset, or a plain end) once so many bytes of
    the answer have followed its head. `raw` are bytes in place of an answer, and the end of the
    connection.

    It happens to every `every`th request for one of `paths` (patterns as in `fnmatch`) by
    `method`, `times` times (None: always), until the server's clock of waiting says `until`.
    Raises `HarnessError` for numbers that make no sense.
    """

    paths: tuple[str, ...]
    status: int = 500
    delay: float = 0.0
    reset: bool = False
    body: bytes | None = None
    times: int | None = None
    headers: Headers = ()
    method: str = "*"
    every: int = 1
    after: int | None = None
    raw: bytes | None = None
    until: float | None = None
    _met: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if not 200 <= self.status <= 999:
            raise HarnessError(f"an answer has a status from 200 to 999, not {self.status}")
        if self.status in BODILESS and self.body is not None:
            raise HarnessError(f"an answer {self.status} has no body: leave body out")
        for name, least in (("times", 1), ("every", 1), ("after", 0), ("delay", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise HarnessError(f"{name} of a fault is at least {least}, not {value}")

    @property
    def answers(self) -> bool:
        """Whether the fault has an answer of its own; without, the right one is given."""
        return self.status != 200 or self.body is not None

    def with_type(self, kind: str) -> Headers:
        """Give its headers, with the body's media type where they name none."""
        if any(name.lower() == "content-type" for name, _ in self.headers):
            return self.headers
        return (*self.headers, ("Content-Type", kind))

    def happens(self, method: str, path: str, now: float) -> bool:
        """Whether it happens to this request, which is counted."""
        if self.spent(now) or not self._meant(method, path):
            return False
        self._met += 1
        if self._met % self.every:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def spent(self, now: float) -> bool:
        """Whether it can happen no more."""
        return self.times == 0 or (self.until is not None and now >= self.until)

    def _meant(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and any(
            fnmatchcase(path, pattern) for pattern in self.paths
        )


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

    def take(self, method: str, path: str, now: float) -> Fault | None:
        """Give the fault for a request, and count it; `now` is in seconds."""
        self._faults = [fault for fault in self._faults if not fault.spent(now)]
        for fault in self._faults:
            if fault.happens(method, path, now):
                return fault
        return None
