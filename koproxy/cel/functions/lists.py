"""What lists can do: Kubernetes' own functions, cel-go's lists and sets. Pure.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library
"""

from collections.abc import Callable
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from koproxy.cel.functions.equality import contains, equal, looked_through
from koproxy.cel.functions.operators import ORDERED, duration_of, int_of, order, uint_of
from koproxy.cel.overloads import Overload, Type, read_type
from koproxy.cel.values import CelError, Duration, UInt, no_overload
from koproxy.cel.weight import are_texts, weight

_ORDERED = tuple(map(read_type, ORDERED))
_SUMS: dict[Type, tuple[Callable[[Any, Any], Any], Any]] = {
    read_type("int"): (lambda one, other: int_of(one + other), 0),
    read_type("uint"): (lambda one, other: uint_of(int(one) + int(other)), UInt(0)),
    read_type("double"): (lambda one, other: one + other, 0.0),
    read_type("duration"): (
        lambda one, other: duration_of(one.nanoseconds + other.nanoseconds),
        Duration(0),
    ),
}
_TEXT = read_type("string")
_NUMBERS = frozenset(map(read_type, ("int", "uint", "double")))
_ENCODED_IN_A_STEP = 500  # characters
_HASHED_IN_A_STEP = 1000  # characters
_COPIED_IN_A_STEP = 20  # items
_SAME_TYPE = "list elements must have the same type"


def _ordered(values: list[Any]) -> int:
    """The steps of comparing each item with another one; strings are encoded for it."""
    return 2 * weight(values, _ENCODED_IN_A_STEP)


def _sorted(values: list[Any], *_: Any) -> int:
    return weight(values, _ENCODED_IN_A_STEP)


def _copied(*lists: Any) -> int:
    return sum([len(each) // _COPIED_IN_A_STEP for each in lists if isinstance(each, list)])


def _squared(values: list[Any]) -> int:
    if are_texts(values):
        return _hashed(values)
    return len(values) * weight(values)


def _product(one: list[Any], other: list[Any]) -> int:
    if are_texts(one) and are_texts(other):
        return _hashed(one) + _hashed(other)
    return min(len(one) * weight(other), len(other) * weight(one))


def _both_ways(one: list[Any], other: list[Any]) -> int:
    return 2 * _product(one, other)


def _hashed(texts: list[Any]) -> int:
    return sum(map(len, texts)) // _HASHED_IN_A_STEP + len(texts) // _COPIED_IN_A_STEP


# Kubernetes'


def _compared(one: Any, other: Any) -> int | None:
    """Compare two items; None where neither is less, as with those of different types.

    Raises ``CelError`` for what nothing can be compared with.
    """
    types = [next((type_ for type_ in _ORDERED if type_.fits(each)), None) for each in (one, other)]
    if None in types:
        raise no_overload()
    if types[0] is types[1] or _NUMBERS.issuperset(types):
        return order(one, other)
    return None


def _is_sorted(values: list[Any]) -> bool:
    if len(values) == 1:
        _compared(values[0], values[0])
    return all((_compared(one, other) or 0) <= 0 for one, other in pairwise(values))


def _most(name: str, wanted: int) -> Callable[[list[Any]], Any]:
    def most(values: list[Any]) -> Any:
        if not values:
            raise CelError(f"{name} called on empty list")
        found = values[0]
        _compared(found, found)
        for each in values[1:]:
            if _compared(found, each) == wanted:
                found = each
        return found

    return most


def _sum(values: list[Any]) -> Any:
    """Add up, beginning with nothing of the type of the first item."""
    if not values:
        return 0
    for type_, (add, nothing) in _SUMS.items():
        if type_.fits(values[0]):
            total = nothing
            for each in values:
                if not type_.fits(each):
                    raise no_overload()
                total = add(total, each)
            return total
    raise no_overload()


def _index_of(values: list[Any], wanted: Any) -> int:
    return next((at for at, each in enumerate(values) if equal(each, wanted)), -1)


def _last_index_of(values: list[Any], wanted: Any) -> int:
    from_end = _index_of(values[::-1], wanted)
    return -1 if from_end < 0 else len(values) - 1 - from_end


# cel-go's


def _slice(values: list[Any], start: int, end: int) -> list[Any]:
    if start < 0 or end < 0:
        raise CelError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        raise CelError(
            f"cannot slice({start}, {end}), start index must be less than or equal to end index"
        )
    if end > len(values):
        raise CelError(f"cannot slice({start}, {end}), list is length {len(values)}")
    return values[start:end]


def _flatten(values: list[Any], depth: int = 1) -> list[Any]:
    if depth < 0:
        raise CelError("level must be non-negative")
    flat: list[Any] = []
    for each in values:
        flat += _flatten(each, depth - 1) if depth and isinstance(each, list) else [each]
    return flat


def _distinct(values: list[Any]) -> list[Any]:
    if values and are_texts(values):
        return list(dict.fromkeys(values))
    found: list[Any] = []
    for each in values:
        if not any(equal(each, other) for other in found):
            found.append(each)
    return found if values else values


def _sort(values: list[Any]) -> list[Any]:
    return _sort_by(values, values)


def _sort_by(values: list[Any], keys: list[Any]) -> list[Any]:
    if len(values) != len(keys):
        raise CelError(
            "@sortByAssociatedKeys() expected a list of the same size as the associated keys list,"
            f" but got {len(values)} and {len(keys)} elements respectively"
        )
    if not values:
        return values
    type_ = next((each for each in _ORDERED if each.fits(keys[0])), None)
    if type_ is None:
        raise CelError("list elements must be comparable")
    if not all(map(type_.fits, keys)):
        raise CelError(_SAME_TYPE)

    if type_ == _TEXT:
        keys = [each.encode(errors="surrogatepass") for each in keys]

    def compare(one: int, other: int) -> int:
        return order(keys[one], keys[other]) or 0

    return [values[at] for at in sorted(range(len(values)), key=cmp_to_key(compare))]


# Sets


def _within(values: list[Any], wanted: list[Any]) -> bool:
    if are_texts(values) and are_texts(wanted):
        return set(values).issuperset(wanted)
    return all(contains(values, each) for each in wanted)


def _equivalent(one: list[Any], other: list[Any]) -> bool:
    return _within(one, other) and _within(other, one)


def _intersects(one: list[Any], other: list[Any]) -> bool:
    if are_texts(one) and are_texts(other):
        return not set(one).isdisjoint(other)
    return any(contains(other, each) for each in one)


OVERLOADS = (
    *(
        Overload(f"list<{type_}>.{name}() -> {result or type_}", function, cost=_ordered)
        for name, result, function in (
            ("isSorted", "bool", _is_sorted),
            ("min", "", _most("min", 1)),
            ("max", "", _most("max", -1)),
        )
        for type_ in ORDERED
    ),
    *(Overload(f"list<{type_.name}>.sum() -> {type_.name}", _sum, cost=len) for type_ in _SUMS),
    Overload("list<A>.indexOf(A) -> int", _index_of, cost=looked_through),
    Overload("list<A>.lastIndexOf(A) -> int", _last_index_of, cost=looked_through),
    Overload("list<A>.slice(int, int) -> list<A>", _slice, known=True, cost=_copied),
    Overload(
        "list<list<A>>.flatten() -> list<A>",
        _flatten,
        known=True,
        cost=lambda values, *_: weight(values),
    ),
    Overload(
        "list<dyn>.flatten(int) -> list<dyn>",
        _flatten,
        known=True,
        cost=lambda values, *_: weight(values),
    ),
    Overload("list<A>.distinct() -> list<A>", _distinct, known=True, cost=_squared),
    Overload("list<A>.reverse() -> list<A>", lambda values: values[::-1], known=True, cost=_copied),
    Overload("list<A>.sort() -> list<A>", _sort, known=True, cost=_sorted),
    Overload(
        "list<A>.@sortByAssociatedKeys(list<B>) -> list<A>",
        _sort_by,
        known=True,
        cost=lambda _, keys: _sorted(keys),
    ),
    Overload(
        "lists.range(int) -> list<int>",
        lambda count: list(range(count)),
        known=True,
        cost=lambda count: max(int_of(count), 0) // 10,
    ),
    Overload("sets.contains(list<A>, list<A>) -> bool", _within, known=True, cost=_product),
    Overload("sets.equivalent(list<A>, list<A>) -> bool", _equivalent, known=True, cost=_both_ways),
    Overload("sets.intersects(list<A>, list<A>) -> bool", _intersects, known=True, cost=_product),
)
