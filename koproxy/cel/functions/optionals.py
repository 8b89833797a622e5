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


def insert(holder: dict[Any, Any], others: dict[Any, Any]) -> None:
    """Put what is in a map into another one; raises ``CelError`` for a key that it has."""
    for key in others:
        if has_key(holder, key):
            raise CelError(f"insert failed: key {key} already exists")
    holder.update(others)


def _inserted(holder: dict[Any, Any], others: dict[Any, Any]) -> dict[Any, Any]:
    made = {**holder}
    insert(made, others)
    return made


def _copied(holder: dict[Any, Any], *others: Any) -> int:
    return sum([len(each) for each in (holder, *others) if isinstance(each, dict)]) // 10


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
    Overload(
        "cel.@mapInsert(map<A, B>, A, B) -> map<A, B>",
        lambda holder, key, value: _inserted(holder, {key: value}),
        known=True,
        cost=_copied,
    ),
    Overload(
        "cel.@mapInsert(map<A, B>, map<A, B>) -> map<A, B>",
        _inserted,
        known=True,
        cost=_copied,
    ),
)
