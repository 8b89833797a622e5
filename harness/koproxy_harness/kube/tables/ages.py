"""How long ago, in the few characters of a table's cell. Pure: the time is given."""

from __future__ import annotations

import re
from datetime import datetime

MINUTE, HOUR, DAY = 60, 3600, 86400
YEAR = 365 * DAY
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def duration(seconds: float) -> str:
    """Say a duration in seconds as Kubernetes' tables do: with one unit, or two where short."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 2 * MINUTE:
        return f"{max(whole, 0)}s"
    for unit, letter, smaller, small, both, end in (
        (MINUTE, "m", 1, "s", 10 * MINUTE, 3 * HOUR),
        (HOUR, "h", MINUTE, "m", 8 * HOUR, 2 * DAY),
        (DAY, "d", HOUR, "h", 8 * DAY, 2 * YEAR),
        (YEAR, "y", DAY, "d", 8 * YEAR, None),
    ):
        if end is None or whole < end:
            rest = whole % unit // smaller
            more = f"{rest}{small}" if rest and whole < both else ""
            return f"{whole // unit}{letter}{more}"
    raise AssertionError


def moment(text: str) -> float:
    """Read a time of an object as seconds since the epoch; raises `ValueError` for what is none."""
    if _TIME.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no time as RFC 3339 writes it")
    return datetime.fromisoformat(text).timestamp()


def age(text: str | None, now: float) -> str:
    """How long ago this time of an object was at `now`, in seconds since the epoch."""
    return duration(now - moment(text)) if text else "<unknown>"
