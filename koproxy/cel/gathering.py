"""What the macros' comprehensions go through, and what they gather. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from koproxy.cel.claims import Root
from koproxy.cel.functions.optionals import insert
from koproxy.cel.tree import Call, Comprehension, Identifier, ListLiteral, MapLiteral, Node
from koproxy.cel.values import no_overload

_ADDS = {"_+_": ListLiteral, "cel.@mapInsert": MapLiteral}
"""What adds to what is gathered, and what the gathering begins with."""


@dataclass(frozen=True, slots=True)
class Adding:
    """A step that adds to a list or a map, if there is a condition and it holds.

    Nothing else has the list or the map: an expression can't name what a macro gathers. So it is
    added to in place, and many items take no longer each than a few.
    """

    gathered: Identifier
    condition: Node | None
    added: tuple[Node, ...]


def adding(node: Comprehension) -> Adding | None:
    """Give the step of a comprehension if it is one that adds."""
    match node.step:
        case Call(function="_?_:_", arguments=(condition, Call() as step, Identifier(name=name))):
            return _adding(node, condition, step) if name == node.accumulator else None
        case Call() as step:
            return _adding(node, None, step)
    return None


def _adding(node: Comprehension, condition: Node | None, step: Call) -> Adding | None:
    begins_with = _ADDS.get(step.function)
    if begins_with is None or not isinstance(node.initial, begins_with) or step.target is not None:
        return None
    match step.arguments:
        case (Identifier(name=name) as gathered, *added) if name == node.accumulator:
            return Adding(gathered, condition, tuple(added)) if name.startswith("@") else None
    return None


def add(gathered: Any, added: Sequence[Any]) -> None:
    """Add a list to a list, or an entry or a map to a map; raises ``CelError``."""
    match gathered, added:
        case list(), [list() as other]:
            gathered += other
        case dict(), [dict() as other]:
            insert(gathered, other)
        case dict(), [key, value]:
            insert(gathered, {key: value})
        case _:
            raise no_overload()


def items(through: Any, *, two: bool) -> Iterator[Sequence[Any]]:
    """Give what a comprehension's variables are, one item after the other."""
    match through:
        case Root():
            values = through.values()
            yield from zip(values, values, strict=True)
        case dict():
            yield from through.items()
        case list():
            yield from enumerate(through) if two else ((each, None) for each in through)
        case _:
            raise no_overload()
