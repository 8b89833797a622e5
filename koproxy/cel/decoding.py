"""What Google's library gives of a checked expression, as this room's tree. Pure.

It gives the bytes of a ``cel.expr.CheckedExpr`` (google/cel-spec, ``proto/cel/expr``). They are
read here field by field, since protobuf's own readers stop a hundred messages deep, and a few
macros within each other lie deeper.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from koproxy.cel.tree import (
    Call,
    Comprehension,
    Constant,
    Entry,
    Identifier,
    ListLiteral,
    MapLiteral,
    Node,
    Select,
)
from koproxy.cel.values import UInt

_PRIMITIVE = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}
_WELL_KNOWN = {1: "any", 2: "timestamp", 3: "duration"}


@dataclass(frozen=True, slots=True)
class CheckedExpression:
    """A tree; the types of its nodes, written as cel-go writes them; where they stand.

    All go by the numbers of the nodes. What is not in ``types`` is dyn; a position is the number of
    code points before it; ``overloads`` has the ids of those that types alone have chosen.
    """

    tree: Node
    types: Mapping[int, str]
    positions: Mapping[int, int]
    overloads: Mapping[int, str]

    def type_of(self, node: Node) -> str:
        """Give the type that has been found for a node."""
        return self.types.get(node.number, "dyn")


def decode(parsed: bytes) -> CheckedExpression:
    """Read an expression as ``Expression.serialize()`` gives it; raises ValueError."""
    try:
        checked = _Message(_Message(parsed).message(2).content)
        types = {_id(each): _type(each.message(2)) for each in checked.messages(3)}
        information = checked.message(5)
        positions = {_id(each): each.number(2) for each in information.messages(4)}
        overloads = dict(_overloads(checked.messages(2)))
        return CheckedExpression(_node(checked.message(4)), types, positions, overloads)
    except (IndexError, KeyError, struct.error, UnicodeDecodeError):
        raise ValueError("the library for CEL gave an expression that can't be read") from None


class _Message:
    """A message of protocol buffers: its fields by their numbers."""

    __slots__ = ("_fields", "content")

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._fields: dict[int, list[int | bytes]] = {}
        at = 0
        while at < len(content):
            tag, at = _varint(content, at)
            value: int | bytes
            if tag & 7 == 0:
                value, at = _varint(content, at)
            else:
                if tag & 7 == 2:
                    length, at = _varint(content, at)
                else:
                    length = {1: 8, 5: 4}[tag & 7]
                value = content[at : at + length]
                at += length
            self._fields.setdefault(tag >> 3, []).append(value)

    def has(self, field: int) -> bool:
        return field in self._fields

    def number(self, field: int) -> int:
        value = self._fields.get(field, [0])[-1]
        return value if isinstance(value, int) else 0

    def bytes(self, field: int) -> bytes:
        value = self._fields.get(field, [b""])[-1]
        return value if isinstance(value, bytes) else b""

    def text(self, field: int) -> str:
        return self.bytes(field).decode()

    def texts(self, field: int) -> list[str]:
        return [each.decode() for each in self._fields.get(field, ()) if not isinstance(each, int)]

    def message(self, field: int) -> "_Message":
        return _Message(self.bytes(field))

    def messages(self, field: int) -> "list[_Message]":
        return [_Message(each) for each in self._fields.get(field, ()) if not isinstance(each, int)]

    def numbers(self, field: int) -> Iterator[int]:
        """Give repeated numbers, packed or not."""
        for each in self._fields.get(field, ()):
            if isinstance(each, int):
                yield each
                continue
            at = 0
            while at < len(each):
                number, at = _varint(each, at)
                yield number


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _id(entry: _Message) -> int:
    return _signed(entry.number(1))


def _overloads(references: Iterable[_Message]) -> Iterator[tuple[int, str]]:
    """Give the overloads of calls that the checker has left only one for."""
    for each in references:
        left = each.message(2).texts(3)
        if len(left) == 1:
            yield _id(each), left[0]


def _type(given: _Message) -> str:
    if given.has(2):
        return "null"
    if given.has(3):
        return _PRIMITIVE[given.number(3)]
    if given.has(4):
        return f"wrapper({_PRIMITIVE[given.number(4)]})"
    if given.has(5):
        return _WELL_KNOWN[given.number(5)]
    if given.has(6):
        return f"list({_type(given.message(6).message(1))})"
    if given.has(7):
        mapped = given.message(7)
        return f"map({_type(mapped.message(1))}, {_type(mapped.message(2))})"
    if given.has(9):
        return given.text(9)
    if given.has(11):
        return f"type({_type(given.message(11))})"
    if given.has(14):
        abstract = given.message(14)
        parameters = ", ".join(map(_type, abstract.messages(2)))
        return abstract.text(1) + (f"({parameters})" if parameters else "")
    return "dyn"


def _node(given: _Message) -> Node:
    number = _signed(given.number(2))
    if given.has(3):
        return Constant(number, _constant(given.message(3)))
    if given.has(4):
        return Identifier(number, given.message(4).text(1))
    if given.has(5):
        found = given.message(5)
        return Select(number, _node(found.message(1)), found.text(2), bool(found.number(3)))
    if given.has(6):
        found = given.message(6)
        target = _node(found.message(1)) if found.has(1) else None
        return Call(number, found.text(2), target, tuple(map(_node, found.messages(3))))
    if given.has(7):
        found = given.message(7)
        optional = frozenset(found.numbers(2))
        return ListLiteral(number, tuple(map(_node, found.messages(1))), optional)
    if given.has(8):
        found = given.message(8)
        if found.has(1):
            raise KeyError("a message: Kubernetes makes none here")
        return MapLiteral(number, tuple(map(_entry, found.messages(2))))
    if given.has(9):
        return _comprehension(number, given.message(9))
    raise KeyError("a node of no kind")


def _entry(given: _Message) -> Entry:
    number = _signed(given.number(1))
    return Entry(number, _node(given.message(3)), _node(given.message(4)), bool(given.number(5)))


def _comprehension(number: int, given: _Message) -> Comprehension:
    return Comprehension(
        number=number,
        variable=given.text(1),
        second_variable=given.text(8),
        range=_node(given.message(2)),
        accumulator=given.text(3),
        initial=_node(given.message(4)),
        condition=_node(given.message(5)),
        step=_node(given.message(6)),
        result=_node(given.message(7)),
    )


def _constant(given: _Message) -> Any:
    if given.has(2):
        return bool(given.number(2))
    if given.has(3):
        return _signed(given.number(3))
    if given.has(4):
        return UInt(given.number(4))
    if given.has(5):
        return struct.unpack("<d", given.bytes(5))[0]
    if given.has(6):
        return given.text(6)
    if given.has(7):
        return given.bytes(7)
    return None
