"""What a test breaks on purpose: which requests, how, and how often.

Pure: a fault is checked and chosen here and carried out by the server. It knows no path's meaning.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from koproxy_harness.errors import HarnessError
from koproxy_harness.serving.bodiless import BODILESS
from koproxy_harness.serving.parsing import Headers

Body = bytes | str | dict[str, Any] | list[Any] | None
FieldsGiven = Mapping[str, str] | Iterable[tuple[str, str]]

_WORD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # a token of RFC 9110, section 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# In a pattern `?` is any one character; these are meant as the query that they look like.
_QUERY = re.compile(r"\?[^/]*=|\?(watch|follow)$")


@dataclass(slots=True)
class Fault:
    """One way to fail, and to whom it happens.

    After `delay` seconds the answer has this `status`, `body` (a text is sent as UTF-8, a dict or
    a list as JSON) and `headers`; with the status 200 and no body it is the right answer, with
    these headers in the place of its own. A body is called `application/json` unless `headers`
    name another `Content-Type`. `reset` breaks the connection before the answer; `after` breaks
    it (a reset, or a plain end) once so many bytes of the answer's body have been sent. `raw` are
    bytes in place of an answer, and the end of the connection.

    It happens to every `every`th request for one of `paths` (patterns as in `fnmatch`) by
    `method`, and with this `verb` where requests have one, `times` times (None: always), for
    `seconds` from `begun` on (None: with no end).
    Raises `HarnessError` for what makes no sense, alone or together.
    """

    paths: tuple[str, ...]
    status: int = 500
    delay: float = 0.0
    reset: bool = False
    body: Body = None
    times: int | None = None
    headers: FieldsGiven = ()
    method: str = "*"
    verb: str = "*"
    every: int = 1
    after: int | None = None
    raw: bytes | str | None = None
    seconds: float | None = None
    begun: float = 0.0
    content: bytes | None = field(init=False)
    fields: Headers = field(init=False)
    instead: bytes | None = field(init=False)
    _met: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.content, self.fields = _content(self.body), _fields(self.headers)
        self.instead = self.raw.encode() if isinstance(self.raw, str) else self.raw
        self.method = _method(self.method)
        for path in self.paths:
            see_pattern(path)
        if not isinstance(self.instead, bytes | None):
            raise HarnessError(f"raw of a fault is bytes or a text, not {self.raw!r}")
        if type(self.reset) is not bool:
            raise HarnessError(f"reset of a fault is True or False, not {self.reset!r}")
        _see_number("status", self.status, 200, "a whole number from 200 to 999", most=999)
        for name, least in (("times", 1), ("every", 1), ("after", 0)):
            if getattr(self, name) is not None or name == "every":
                _see_number(name, getattr(self, name), least, f"a whole number from {least} on")
        _see_number("delay", self.delay, 0, "a number of seconds, 0 or more", whole=False)
        if self.seconds is not None:
            _see_number("seconds", self.seconds, 0, "a number above 0", whole=False, above=True)
        self._see_together()

    @property
    def answers(self) -> bool:
        """Whether the fault has an answer of its own; without, the right one is given."""
        return self.status != 200 or self.content is not None

    def with_type(self, kind: str) -> Headers:
        """Give its headers, with the body's media type where they name none."""
        if any(name.lower() == "content-type" for name, _ in self.fields):
            return self.fields
        return (*self.fields, ("Content-Type", kind))

    def happens(self, method: str, path: str, now: float, verb: str = "") -> bool:
        """Whether it happens to this request, which is counted."""
        if self.spent(now) or not self._meant(method, path, verb):
            return False
        self._met += 1
        if self._met % self.every:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def spent(self, now: float) -> bool:
        """Whether it can happen no more."""
        return self.times == 0 or (self.seconds is not None and now >= self.begun + self.seconds)

    def _meant(self, method: str, path: str, verb: str) -> bool:
        return (
            self.method in ("*", method)
            and self.verb in ("*", verb)
            and any(fnmatchcase(path, pattern) for pattern in self.paths)
        )

    def _see_together(self) -> None:
        if self.status in BODILESS and self.content is not None:
            raise HarnessError(f"an answer {self.status} has no body: leave body out")
        answer = {
            "status": self.status != 500,
            "body": self.content is not None,
            "headers": bool(self.fields),
        }
        if self.instead is not None:
            others = {**answer, "reset": self.reset, "after": self.after is not None}
            self._alone("raw, the bytes instead of an answer,", others)
        elif self.reset and self.after is None:
            kept = {name: there for name, there in answer.items() if name != "status"}
            self._alone("reset without after, which comes before an answer,", kept)

    def _alone(self, what: str, others: Mapping[str, bool]) -> None:
        given = [name for name, there in others.items() if there]
        if given:
            raise HarnessError(f"{what} can't go with {' and '.join(given)}: leave one out")


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

    def take(self, method: str, path: str, now: float, verb: str = "") -> Fault | None:
        """Give the fault for a request, and count it; `now` is in seconds."""
        self._faults = [fault for fault in self._faults if not fault.spent(now)]
        for fault in self._faults:
            if fault.happens(method, path, now, verb):
                return fault
        return None


def see_pattern(path: object) -> None:
    """See that a pattern can match a path; raises `HarnessError`."""
    if not isinstance(path, str) or path[:1] not in ("/", "*", "?", "["):
        raise HarnessError(
            f"{path!r} is the path of no request: a pattern begins with / or *, as in "
            "'/api/v1/pods' or '*/pods'"
        )
    if _QUERY.search(path) or "#" in path:
        raise HarnessError(
            f"{path!r} matches no request: paths are looked at without what follows them (the "
            "query); leave it out, and in a pattern ? is any one character"
        )


def _method(method: object) -> str:
    if not isinstance(method, str) or not _WORD.fullmatch(method):
        raise HarnessError(f"{method!r} is no method: take one, as in 'GET', or '*' for all")
    return method.upper()


def _see_number(
    name: str,
    value: object,
    least: float,
    wanted: str,
    *,
    most: float = math.inf,
    whole: bool = True,
    above: bool = False,
) -> None:
    right = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if right and isinstance(value, int | float):
        right = math.isfinite(value) and least <= value <= most and not (above and value == least)
    if not right:
        raise HarnessError(f"{name} of a fault is {wanted}, not {value!r}")


def _content(body: Body) -> bytes | None:
    match body:
        case None | bytes():
            return body
        case str():
            return body.encode()
        case dict() | list():
            try:
                return json.dumps(body).encode()
            except (TypeError, ValueError) as wrong:
                raise HarnessError(f"body of a fault can't be sent as JSON: {wrong}") from None
    raise HarnessError(
        f"body of a fault is bytes, a text, or a dict or list to send as JSON, not {body!r}"
    )


def _fields(headers: FieldsGiven) -> Headers:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    if isinstance(pairs, str | bytes) or not isinstance(pairs, Iterable):
        raise _wrong_fields(headers)
    found = []
    for pair in pairs:
        parts = tuple(pair) if isinstance(pair, Iterable) and not isinstance(pair, str) else ()
        if len(parts) != 2 or not all(isinstance(part, str) for part in parts):
            raise _wrong_fields(headers)
        name, value = parts
        if not _WORD.fullmatch(name) or not _VALUE.fullmatch(value):
            raise HarnessError(
                f"{name!r}: {value!r} is no header: a name is letters, digits and -, a value is "
                "one line of Latin-1; take raw to send what HTTP doesn't know"
            )
        found.append((name, value))
    return tuple(found)


def _wrong_fields(headers: object) -> HarnessError:
    return HarnessError(
        f"headers of a fault are texts by their names, as in {{'Retry-After': '1'}}, not "
        f"{headers!r}"
    )
