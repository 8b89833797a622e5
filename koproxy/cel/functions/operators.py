"""Arithmetic, order and size: the operators that look at all of what they are given. Pure.

Overloads stand in cel-go's order, which counts (`declarations`).

https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions
"""

import math
from collections.abc import Callable
from typing import Any

from koproxy.cel.overloads import Overload
from koproxy.cel.values import CelError, Duration, GoStrings, Timestamp, UInt

INT_OVERFLOW = "integer overflow"
UINT_OVERFLOW = "unsigned integer overflow"
_COPIED_IN_A_STEP = 50  # items of a list
_DIVIDED = "division by zero"
_MODULUS = "modulus by zero"
_FIRST = -62135596800 * 10**9  # 0001-01-01T00:00:00Z
_LAST = 253402300799 * 10**9 + 999_999_999  # 9999-12-31T23:59:59.999999999Z

Number = int | float


def int_of(number: int) -> int:
    """Give an int if it has 64 bits; raises ``CelError``."""
    if not -(1 << 63) <= number < 1 << 63:
        raise CelError(INT_OVERFLOW)
    return number


def uint_of(number: int) -> UInt:
    """Give an unsigned int if it has 64 bits; raises ``CelError``."""
    if not 0 <= number < 1 << 64:
        raise CelError(UINT_OVERFLOW)
    return UInt(number)


def duration_of(nanoseconds: int) -> Duration:
    """Give a duration if it has 64 bits; raises ``CelError``."""
    return Duration(int_of(nanoseconds))


def timestamp_of(nanoseconds: int, offset: int = 0) -> Timestamp:
    """Give a point in time if it is in the years 1 to 9999; raises ``CelError``."""
    if not _FIRST <= nanoseconds <= _LAST:
        raise CelError("timestamp overflow")
    return Timestamp(nanoseconds, offset)


def _quotient(one: int, other: int) -> int:
    if other == 0:
        raise CelError(_DIVIDED)
    found = abs(one) // abs(other)
    return found if (one < 0) is (other < 0) else -found


def _remainder(one: int, other: int) -> int:
    if other == 0:
        raise CelError(_MODULUS)
    if other == -1 and one == -(1 << 63):
        raise CelError(INT_OVERFLOW)
    return int(math.copysign(1, one)) * (abs(one) % abs(other))


def _of_doubles(one: float, other: float) -> float:
    if other == 0:
        return math.nan if one == 0 or math.isnan(one) else _infinity(one, other)
    return one / other


def _infinity(one: float, other: float) -> float:
    return math.copysign(math.inf, math.copysign(1, one) * math.copysign(1, other))


_Calculation = Callable[[Any, Any], Any]


def _int(name: str, found: _Calculation) -> Overload:
    return Overload(f"{name}(int, int) -> int", lambda one, other: int_of(found(one, other)), True)


def _uint(name: str, found: _Calculation) -> Overload:
    return Overload(
        f"{name}(uint, uint) -> uint",
        lambda one, other: uint_of(found(int(one), int(other))),
        known=True,
    )


def _double(name: str, found: _Calculation) -> Overload:
    return Overload(f"{name}(double, double) -> double", found, known=True)


def _sum(one: Any, other: Any) -> Any:
    return one.nanoseconds + other.nanoseconds


def _difference(one: Any, other: Any) -> Any:
    return one.nanoseconds - other.nanoseconds


def _joined(one: Any, other: Any) -> Any:
    """Join two lists; where one is empty, cel-go gives the other, and how Go keeps it stays."""
    if isinstance(one, GoStrings) and not other:
        return one
    if isinstance(other, GoStrings) and not one:
        return other
    return [*one, *other]


def _copied(one: Any, other: Any) -> int:
    return (len(one) + len(other)) // _COPIED_IN_A_STEP


def _plus(one: Any, other: Any) -> Any:
    return one + other


def _minus(one: Any, other: Any) -> Any:
    return one - other


def _times(one: Any, other: Any) -> Any:
    return one * other


_ARITHMETIC = (
    Overload("!_(bool) -> bool", lambda one: not one, known=True),
    Overload("-_(double) -> double", lambda one: -one, known=True),
    Overload("-_(int) -> int", lambda one: int_of(-one), known=True),
    Overload("_+_(bytes, bytes) -> bytes", _plus, known=True),
    _double("_+_", _plus),
    Overload(
        "_+_(duration, duration) -> duration",
        lambda one, other: duration_of(_sum(one, other)),
        known=True,
    ),
    Overload(
        "_+_(duration, timestamp) -> timestamp",
        lambda one, other: timestamp_of(_sum(one, other), other.offset),
        known=True,
    ),
    Overload(
        "_+_(timestamp, duration) -> timestamp",
        lambda one, other: timestamp_of(_sum(one, other), one.offset),
        known=True,
    ),
    _int("_+_", _plus),
    Overload("_+_(list<A>, list<A>) -> list<A>", _joined, known=True, cost=_copied),
    Overload("_+_(string, string) -> string", _plus, known=True),
    _uint("_+_", _plus),
    _double("_-_", _minus),
    Overload(
        "_-_(duration, duration) -> duration",
        lambda one, other: duration_of(_difference(one, other)),
        known=True,
    ),
    _int("_-_", _minus),
    Overload(
        "_-_(timestamp, duration) -> timestamp",
        lambda one, other: timestamp_of(_difference(one, other), one.offset),
        known=True,
    ),
    Overload(
        "_-_(timestamp, timestamp) -> duration",
        lambda one, other: duration_of(_difference(one, other)),
        known=True,
    ),
    _uint("_-_", _minus),
    _double("_*_", _times),
    _int("_*_", _times),
    _uint("_*_", _times),
    _double("_/_", _of_doubles),
    _int("_/_", _quotient),
    _uint("_/_", _quotient),
    _int("_%_", _remainder),
    _uint("_%_", _remainder),
)


def _comparable(value: Any) -> Any:
    return value.nanoseconds if isinstance(value, Duration | Timestamp) else value


def order(one: Any, other: Any) -> int | None:
    """Say which of two comparable values is less: below 0, 0, above 0; None if neither can be.

    An int beside a double is compared as a double.
    """
    one, other = _comparable(one), _comparable(other)
    if isinstance(one, float) or isinstance(other, float):
        one, other = float(one), float(other)
        if math.isnan(one) or math.isnan(other):
            return None
    if isinstance(one, str):
        one, other = one.encode(errors="surrogatepass"), other.encode(errors="surrogatepass")
    return int(one > other) - int(one < other)


ORDERED = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")
"""The types of which one value is less than another, as Kubernetes' lists have them."""

_COMPARED = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")
_NUMBERS = {
    "int": ("int", "double", "uint"),
    "uint": ("uint", "double", "int"),
    "double": ("double", "int", "uint"),
}
_HOLDS: dict[str, Callable[[int], bool]] = {
    "_<_": lambda found: found < 0,
    "_<=_": lambda found: found <= 0,
    "_>_": lambda found: found > 0,
    "_>=_": lambda found: found >= 0,
}


def _comparing(holds: Callable[[int], bool]) -> Callable[[Any, Any], bool]:
    def compare(one: Any, other: Any) -> bool:
        found = order(one, other)
        return found is not None and holds(found)

    return compare


_ORDER = tuple(
    [
        Overload(f"{name}({one}, {other}) -> bool", _comparing(holds), known=one == other)
        for name, holds in _HOLDS.items()
        for one in _COMPARED
        for other in _NUMBERS.get(one, (one,))
    ]
)


def _sizes(type_: str, of: Callable[[Any], int]) -> tuple[Overload, ...]:
    return (
        Overload(f"size({type_}) -> int", of, known=True),
        Overload(f"{type_}.size() -> int", of, known=True),
    )


_SIZES = (
    *_sizes("bytes", len),
    *_sizes("list<A>", len),
    *_sizes("map<A, B>", len),
    *_sizes("string", len),
)

OVERLOADS = (*_ARITHMETIC, *_ORDER, *_SIZES)
