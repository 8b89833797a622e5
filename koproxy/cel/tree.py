"""The nodes of a checked expression. Pure data, as google/cel-spec's ``syntax.proto`` has them.

Macros have become comprehensions and calls already; ``number`` is a node's own in its expression.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal, as ``values`` has it."""

    number: int
    value: Any


@dataclass(frozen=True, slots=True)
class Identifier:
    """A variable, or a type."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """``operand.field``; ``test_only`` is ``has(operand.field)``."""

    number: int
    operand: "Node"
    field: str
    test_only: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator; ``target`` stands before the dot of a member function."""

    number: int
    function: str
    target: "Node | None"
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """``[a, ?b]``; ``optional`` are the places of elements with a question mark."""

    number: int
    elements: tuple["Node", ...]
    optional: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """One of a map's: ``key: value``, or ``?key: value``."""

    number: int
    key: "Node"
    value: "Node"
    optional: bool = False


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """``{key: value}``."""

    number: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Comprehension:
    """A loop over a list or a map that gathers something.

    ``second_variable`` is empty where there is none: then ``variable`` is an item of a list or a
    key of a map, else an index or a key, and the second the item or the value.
    """

    number: int
    variable: str
    second_variable: str
    range: "Node"
    accumulator: str
    initial: "Node"
    condition: "Node"
    step: "Node"
    result: "Node"


Node = Constant | Identifier | Select | Call | ListLiteral | MapLiteral | Comprehension


def children(node: Node) -> tuple[Node, ...]:
    """Give the nodes right below a node, in the order of the expression."""
    match node:
        case Select():
            return (node.operand,)
        case Call():
            return node.arguments if node.target is None else (node.target, *node.arguments)
        case ListLiteral():
            return node.elements
        case MapLiteral():
            return tuple([each for entry in node.entries for each in (entry.key, entry.value)])
        case Comprehension():
            return (node.range, node.initial, node.condition, node.step, node.result)
    return ()


def walk(node: Node) -> Iterator[Node]:
    """Give a node and all that are below it."""
    yield node
    for child in children(node):
        yield from walk(child)
