"""Points in time and spans of time: read, written, and taken apart. Pure; no clock is read.

What Go's ``time`` takes for RFC 3339 and for a duration is taken here. What a zone's name stands
for is what the time zone database says.
https://github.com/google/cel-spec/blob/master/doc/langdef.md#abstract-types
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from koproxy.cel.functions.operators import timestamp_of
from koproxy.cel.overloads import Overload
from koproxy.cel.values import CelError, Duration, Timestamp

_SECOND = 10**9
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "\u00b5s": 10**3,
    "\u03bcs": 10**3,
    "ms": 10**6,
    "s": _SECOND,
    "m": _MINUTE,
    "h": _HOUR,
}
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]+)")
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_FOUR_CENTURIES = 146097 * 86400
_EARLY = -62135510400 * _SECOND  # the second day of the year 1
_UTC = frozenset(["", "UTC", "Local"])
_FINDING = 50  # steps
_WHOLE = re.compile("[+-]?[0-9]{1,18}")


def read_duration(text: str) -> Duration:
    """Read ``1h30m`` and its like; raises ``CelError``."""
    wrong = CelError("type conversion error from 'string' to 'google.protobuf.Duration'")
    minus = text.startswith("-")
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return Duration(0)
    total = at = 0
    while at < len(rest):
        part = _PART.match(rest, at)
        if part is None or part[3] not in _UNITS or not (part[1] or part[2]):
            raise wrong
        unit = _UNITS[part[3]]
        digits = part[1].lstrip("0")
        if len(digits) > 19:
            raise wrong
        total += int(digits or "0") * unit + _fraction(part[2] or "", unit)
        if total > 1 << 63:
            raise wrong
        at = part.end()
    if not rest or (total == 1 << 63 and not minus):
        raise wrong
    return Duration(-total if minus else total)


def _fraction(digits: str, unit: int) -> int:
    """What digits behind a point are of a unit, cut as Go cuts it: by a double."""
    number, scale = 0, 1.0
    for digit in digits:
        longer = number * 10 + int(digit)
        if number > ((1 << 63) - 1) // 10 or longer > 1 << 63:
            break
        number, scale = longer, scale * 10
    return int(float(number) * (unit / scale))


def duration_text(value: Duration) -> str:
    """Write a duration in seconds: ``5400s``."""
    return f"{_fixed(_in(value, _SECOND))}s"


def _fixed(number: float) -> str:
    text = f"{Decimal(repr(number)):f}"
    return text.removesuffix(".0")


def _in(value: Duration, unit: int) -> float:
    """Give a duration in a unit as Go does: a whole and a fraction, both cut towards zero."""
    whole = abs(value.nanoseconds) // unit
    found = float(whole) + float(abs(value.nanoseconds) % unit) / float(unit)
    return math.copysign(found, value.nanoseconds) if value.nanoseconds else 0.0


def read_timestamp(text: str) -> Timestamp:
    """Read a time of RFC 3339; raises ``CelError``."""
    wrong = CelError("type conversion error from 'string' to 'google.protobuf.Timestamp'")
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise wrong
    year, month, day, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    offset = 0
    if match[8]:
        hours, minutes = int(match[9]), int(match[10])
        if hours > 24 or minutes > 60:
            raise wrong
        offset = (hours * 60 + minutes) * (-60 if match[8] == "-" else 60)
    try:
        moved = 400 if year < 400 else 0
        found = datetime(year + moved, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise wrong from None
    seconds = (found - _EPOCH) // timedelta(seconds=1) - moved // 400 * _FOUR_CENTURIES - offset
    fraction = int((match[7] or "")[:9].ljust(9, "0"))
    return timestamp_of(seconds * _SECOND + fraction, offset)


def timestamp_text(value: Timestamp) -> str:
    """Write a time as RFC 3339 has it, in the zone in which it was written; raises ``CelError``."""
    # Behind UTC the year 1 begins in a year 0, which Python hasn't: 400 years are always as long.
    moved = 400 if value.offset < 0 and value.nanoseconds < _EARLY else 0
    late = Timestamp(value.nanoseconds + moved // 400 * _FOUR_CENTURIES * _SECOND)
    local = _moment(late, timedelta(seconds=value.offset))
    fraction = f".{value.nanoseconds % _SECOND:09d}".rstrip("0").removesuffix(".")
    if not value.offset:
        zone = "Z"
    else:
        minutes = abs(value.offset) // 60
        zone = f"{'-' if value.offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{local.year - moved:04d}-{local:%m-%dT%H:%M:%S}{fraction}{zone}"


def _moment(value: Timestamp, offset: timedelta) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=value.nanoseconds // _SECOND) + offset
    except OverflowError:
        raise CelError("timestamp overflow") from None


def _offset(value: Timestamp, zone: str) -> timedelta:
    """Give how far a zone, by its name or as ``+01:00``, is ahead of UTC at a time."""
    if ":" not in zone:
        return _ahead(_named(zone), _moment(value, timedelta()))
    hours, _, minutes = zone.partition(":")
    if _WHOLE.fullmatch(hours) is None or _WHOLE.fullmatch(minutes) is None:
        raise CelError(f'strconv.Atoi: parsing "{zone}": invalid syntax')
    sign = -1 if zone.startswith("-") else 1
    try:
        return timedelta(minutes=int(hours) * 60 + sign * int(minutes))
    except OverflowError:
        raise CelError("timestamp overflow") from None


def _ahead(zone: tzinfo, moment: datetime) -> timedelta:
    try:
        return moment.astimezone(zone).utcoffset() or timedelta()
    except OverflowError:
        raise CelError("timestamp overflow") from None


def _named(name: str) -> tzinfo:
    if name in _UTC:
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise CelError(f"unknown time zone {name}") from None


def _finding(_: Timestamp, zone: str) -> int:
    """What finding a zone costs: for a name that isn't known, files are looked for."""
    return 0 if ":" in zone or zone in _UTC else _FINDING


Part = Callable[[datetime, int], int]
"""What is asked of a moment and its nanoseconds."""


def _getter(name: str, part: Part) -> tuple[Overload, Overload]:
    def of(value: Timestamp, zone: str = "UTC") -> int:
        moment = _moment(value, _offset(value, zone))
        return part(moment, value.nanoseconds % _SECOND)

    return (
        Overload(f"timestamp.{name}() -> int", of, known=True),
        Overload(f"timestamp.{name}(string) -> int", of, known=True, cost=_finding),
    )


def _span(name: str, unit: int) -> Overload:
    return Overload(f"duration.{name}() -> int", lambda value: int(_in(value, unit)), known=True)


OVERLOADS = (
    *_getter("getFullYear", lambda moment, _: moment.year),
    *_getter("getMonth", lambda moment, _: moment.month - 1),
    *_getter("getDayOfYear", lambda moment, _: moment.timetuple().tm_yday - 1),
    *_getter("getDayOfMonth", lambda moment, _: moment.day - 1),
    *_getter("getDate", lambda moment, _: moment.day),
    *_getter("getDayOfWeek", lambda moment, _: moment.isoweekday() % 7),
    *_getter("getHours", lambda moment, _: moment.hour),
    *_getter("getMinutes", lambda moment, _: moment.minute),
    *_getter("getSeconds", lambda moment, _: moment.second),
    *_getter("getMilliseconds", lambda _, nanoseconds: nanoseconds // 10**6),
    _span("getHours", _HOUR),
    _span("getMinutes", _MINUTE),
    _span("getSeconds", _SECOND),
    Overload(
        "duration.getMilliseconds() -> int",
        lambda value: int(math.copysign(abs(value.nanoseconds) // 10**6, value.nanoseconds)),
        known=True,
    ),
)
