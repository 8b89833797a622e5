"""What Kubernetes refuses in an expression that is well typed: literals that can't be good. Pure.

A list or a map of literals is of one type; a duration, a time, a regular expression or a format
that is written out is a good one. https://pkg.go.dev/github.com/google/cel-go/cel#ASTValidator
"""

import math
import re
from collections.abc import Callable, Iterator

from koproxy.cel.decoding import CheckedExpression
from koproxy.cel.functions import formatting
from koproxy.cel.functions.regex import written
from koproxy.cel.functions.times import read_duration, read_timestamp
from koproxy.cel.tree import (
    Call,
    Constant,
    ListLiteral,
    MapLiteral,
    Node,
    Select,
    children,
)
from koproxy.cel.values import CelError

Found = tuple[Node, str]
"""What is wrong, and the node where it is."""

_FORMAT = "format"
_READERS: dict[str, Callable[[str], object]] = {
    "duration": read_duration,
    "timestamp": read_timestamp,
    "matches": written,
}
_NO_INT = "duration"  # kube-apiserver takes no number for a duration here, though cel-go would
_FIELD = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_OPTIONAL = re.compile(r"optional_type\((.*)\)")
_TYPE_NAMES = {
    "any": "google.protobuf.Any",
    "timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
    "null": "null_type",
}
_FORMATTED: dict[str, frozenset[str]] = {
    "s": frozenset(
        [
            *("list", "map", "int", "uint", "double", "bool", "string", "bytes", "type"),
            *("null_type", _TYPE_NAMES["timestamp"], _TYPE_NAMES["duration"]),
        ]
    ),
    "d": frozenset(["int", "uint"]),
    "f": frozenset(["double", "string"]),
    "e": frozenset(["double", "string"]),
    "b": frozenset(["int", "uint", "bool"]),
    "x": frozenset(["int", "uint", "string", "bytes"]),
    "X": frozenset(["int", "uint", "string", "bytes"]),
    "o": frozenset(["int", "uint"]),
}


def wrong_literals(checked: CheckedExpression) -> list[Found]:
    """Find all that is wrong with an expression's literals."""
    return list(_below(checked.tree, checked, in_format=False))


def _below(node: Node, checked: CheckedExpression, *, in_format: bool) -> Iterator[Found]:
    match node:
        case Constant(value=float()) if math.isinf(node.value):
            yield node, "invalid double literal"
        case Select() if _FIELD.fullmatch(node.field) is None:
            yield node, "unsupported syntax: '`'"
        case Call():
            yield from _call(node, checked)
            in_format = in_format or node.function == _FORMAT
        case ListLiteral() if not in_format:
            yield from _list(node, checked)
        case MapLiteral() if not in_format:
            yield from _map(node, checked)
    for child in children(node):
        yield from _below(child, checked, in_format=in_format)


def _call(node: Call, checked: CheckedExpression) -> Iterator[Found]:
    read = _READERS.get(node.function)
    if read is not None and node.arguments:
        argument = node.arguments[0]
        if isinstance(argument, Constant) and _is_wrong(node.function, read, argument.value):
            yield argument, f"invalid {node.function} argument"
    if node.function == _FORMAT and isinstance(node.target, Constant):
        yield from _formatted(node, node.target.value, checked)
    if node.function == "flatten" and node.target is not None and not node.arguments:
        type_ = checked.type_of(node.target)
        if not re.match(r"list\((?:list\(|dyn\)|any\))|dyn|any", type_):
            why = f"found no matching overload for 'flatten' applied to '{type_}.()'"
            yield node, why


def _is_wrong(function: str, read: Callable[[str], object], value: object) -> bool:
    if not isinstance(value, str):
        return function == _NO_INT
    try:
        read(value)
    except CelError:
        return True
    return False


# Of one type


def _list(node: ListLiteral, checked: CheckedExpression) -> Iterator[Found]:
    types: list[str] = []
    for at, each in enumerate(node.elements):
        type_ = checked.type_of(each)
        if at in node.optional:
            match = _OPTIONAL.fullmatch(type_)
            if match is None:
                yield each, f"expected type 'optional_type' but found '{type_}'"
                return
            type_ = match[1]
        types.append(type_)
        if type_ != types[0]:
            yield each, f"expected type '{types[0]}' but found '{type_}'"
            return


def _map(node: MapLiteral, checked: CheckedExpression) -> Iterator[Found]:
    keys: list[str] = []
    values: list[str] = []
    for entry in node.entries:
        value = checked.type_of(entry.value)
        if entry.optional:
            match = _OPTIONAL.fullmatch(value)
            if match is None:
                yield entry.value, f"expected type 'optional_type' but found '{value}'"
                return
            value = match[1]
        keys.append(checked.type_of(entry.key))
        values.append(value)
        if keys[-1] == "bytes":
            yield entry.key, "unsupported key type: bytes"
        if keys[-1] != keys[0]:
            yield entry.key, f"expected type '{keys[0]}' but found '{keys[-1]}'"
        if values[-1] != values[0]:
            yield entry.value, f"expected type '{values[0]}' but found '{values[-1]}'"


# Formats


def _formatted(node: Call, text: object, checked: CheckedExpression) -> Iterator[Found]:
    (values,) = node.arguments
    if not isinstance(text, str) or not isinstance(values, ListLiteral):
        return
    given, used = values.elements, 0
    try:
        for part in formatting.parts(text, len(given)):
            if isinstance(part, str):
                continue
            wrong = _unformatted(given[used], part, checked)
            used += 1
            if wrong is not None:
                type_ = _type_name(checked.type_of(wrong))
                yield wrong, f"error during formatting: {part.wanted}, was given {type_}"
                return
    except CelError as problem:
        yield node, str(problem)
        return
    if used < len(given):
        why = f"too many arguments supplied to string.format (expected {used}, got {len(given)})"
        yield node, why


def _unformatted(node: Node, clause: formatting.Clause, checked: CheckedExpression) -> Node | None:
    """Find what a clause doesn't take: the value, or something in it that is written out."""
    name = _type_name(checked.type_of(node))
    if name != "dyn" and name not in _FORMATTED[clause.verb]:
        return node
    if clause.verb == "s" and isinstance(node, ListLiteral | MapLiteral):
        for child in children(node):
            wrong = _unformatted(child, clause, checked)
            if wrong is not None:
                return wrong
    return None


def _type_name(type_: str) -> str:
    name = type_.partition("(")[0]
    return _TYPE_NAMES.get(name, name)
