"""Values that may not be there, and what macros build maps with. Pure.

https://pkg.go.dev/github.com/google/cel-go/cel#OptionalTypes
"""

from typing import Any

from koproxy.cel.functions.equality import has_key
from koproxy.cel.overloads import Overload
from koproxy.cel.values import NONE, CelError, Duration, Optional, Timestamp, no_overload

_ZERO_TIME = -62135596800 * 10**9  # the year 1


def _is_zero(value: Any) -> bool:
    match value:
        case None:
            return True
        case bool() | int() | float() | str() | bytes() | list() | dict():
            return not value
        case Duration():
            return value.nanoseconds == 0
        case Timestamp():
            return value.nanoseconds == _ZERO_TIME
        case Optional():
            return not value.present
    return False


def _value(given: Optional) -> Any:
    if not given.present:
        raise CelError("optional.none() dereference")
    return given.value


def _end(values: list[Any], at: int) -> Optional:
    return Optional(True, values[at]) if values else NONE


def _present(values: list[Any]) -> list[Any]:
    if not all(isinstance(each, Optional) for each in values):
        raise no_overload()
    return [each.value for each in values if each.present]


def _insert(holder: dict[Any, Any], key: Any, value: Any) -> dict[Any, Any]:
    if has_key(holder, key):
        raise CelError(f"insert failed: key {key} already exists")
    return {**holder, key: value}


def _insert_all(holder: dict[Any, Any], others: dict[Any, Any]) -> dict[Any, Any]:
    for key, value in others.items():
        holder = _insert(holder, key, value)
    return holder


OVERLOADS = (
    Overload("optional.of(A) -> optional_type<A>", lambda value: Optional(True, value), known=True),
    Overload("optional.none() -> optional_type<A>", lambda: NONE, known=True),
    Overload(
        "optional.ofNonZeroValue(A) -> optional_type<A>",
        lambda value: NONE if _is_zero(value) else Optional(True, value),
        known=True,
    ),
    Overload("optional_type<A>.hasValue() -> bool", lambda given: given.present, known=True),
    Overload("optional_type<A>.value() -> A", _value, known=True),
    Overload("list<A>.first() -> optional_type<A>", lambda values: _end(values, 0), known=True),
    Overload("list<A>.last() -> optional_type<A>", lambda values: _end(values, -1), known=True),
    Overload("list<optional_type<A>>.unwrapOpt() -> list<A>", _present, cost=len),
    Overload("optional.unwrap(list<optional_type<A>>) -> list<A>", _present, cost=len),
    Overload("cel.@mapInsert(map<A, B>, A, B) -> map<A, B>", _insert, known=True),
    Overload("cel.@mapInsert(map<A, B>, map<A, B>) -> map<A, B>", _insert_all, known=True),
)
