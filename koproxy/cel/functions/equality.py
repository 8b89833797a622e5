"""When two values are the same, as cel-go decides it. Pure."""

from typing import Any

from koproxy.cel.claims import Root
from koproxy.cel.overloads import Overload
from koproxy.cel.values import CelError, Optional, no_overload
from koproxy.cel.weight import are_texts, compared, weight

_FOUND_IN_A_STEP = 50  # strings


def equal(one: Any, other: Any) -> bool:
    """Say whether two values are the same; raises ``CelError`` where that can't be asked.

    Numbers of different types are compared, other values of different types differ.
    """
    match one:
        case None:
            return other is None
        case bool():
            return one is other
        case int() | float():
            return _same_number(one, other)
        case list():
            return (
                isinstance(other, list)
                and len(one) == len(other)
                and all(equal(*pair) for pair in zip(one, other, strict=True))
            )
        case dict():
            return _same_map(one, other)
        case Optional():
            return isinstance(other, Optional) and _same_optional(one, other)
        case Root():
            if other is not None and not isinstance(other, Root):
                raise no_overload()
            return one is other
    if type(one) is not type(other):
        if hasattr(one, "type_name") and other is not None:
            raise no_overload()
        return False
    if getattr(other, "by_reference", False):
        raise no_overload()
    return bool(one == other)


def contains(values: list[Any], wanted: Any) -> bool:
    """Say whether a value is in a list."""
    if isinstance(wanted, str) and are_texts(values):
        return wanted in values
    return any(equal(each, wanted) for each in values)


def looked_through(values: list[Any], wanted: Any) -> int:
    """Give the steps that it may take to find a value in a list."""
    if isinstance(wanted, str) and are_texts(values):
        return len(values) // _FOUND_IN_A_STEP
    return min(weight(values), len(values) * weight(wanted))


def key_of(key: Any) -> Any:
    """Give a key as maps have it: a double that is whole is an int; None for what is no key."""
    if isinstance(key, float):
        return int(key) if key.is_integer() else None
    return key if isinstance(key, bool | int | str) else None


def has_key(holder: dict[Any, Any], key: Any) -> bool:
    """Say whether a map has a key; Python takes true for 1, and here they differ."""
    found = key_of(key)
    if found is None or found not in holder:
        return False
    return isinstance(found, bool) is isinstance(next(iter(holder)), bool)


def _same_number(one: float, other: Any) -> bool:
    if isinstance(other, bool) or not isinstance(other, int | float):
        return False
    if isinstance(one, float) or isinstance(other, float):
        return float(one) == float(other)
    return one == other


def _same_map(one: dict[Any, Any], other: Any) -> bool:
    if not isinstance(other, dict) or len(one) != len(other):
        return False
    return all(has_key(other, key) and equal(value, other[key]) for key, value in one.items())


def _same_optional(one: Optional, other: Optional) -> bool:
    if not one.present or not other.present:
        return one.present is other.present
    return equal(one.value, other.value)


def _differ(one: Any, other: Any) -> bool:
    """What can't be compared isn't the same."""
    try:
        return not equal(one, other)
    except CelError:
        return True


OVERLOADS = (
    Overload("_==_(A, A) -> bool", equal, known=True, cost=compared),
    Overload("_!=_(A, A) -> bool", _differ, known=True, cost=compared),
    Overload(
        "@in(A, list<A>) -> bool",
        lambda one, among: contains(among, one),
        known=True,
        cost=lambda one, among: looked_through(among, one),
    ),
    Overload("@in(A, map<A, B>) -> bool", lambda one, among: has_key(among, one), known=True),
)
