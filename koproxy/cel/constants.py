"""What is known of an expression before it is evaluated, and can't be good. Pure.

Kubernetes works conversions of constants out in advance, compiles regular expressions that are
constants, and looks at indices that are: what fails then is refused with the expression.
"""

from collections.abc import Iterator
from typing import Any

from koproxy.cel.decoding import CheckedExpression
from koproxy.cel.functions.conversions import TYPES, type_name
from koproxy.cel.functions.regex import written
from koproxy.cel.overloads import Functions
from koproxy.cel.tree import Call, Constant, Identifier, ListLiteral, MapLiteral, Node, walk
from koproxy.cel.values import CelError, UInt

_UNKNOWN = object()
_CONVERSIONS = frozenset(
    [
        *("bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type"),
        "uint",
    ]
)
_PATTERNS = frozenset(["find", "findAll", "matches"])
_INDICES = frozenset(["_[_]", "_[?_]"])


def wrong_constants(checked: CheckedExpression, functions: Functions) -> Iterator[str]:
    """Say what fails before anything is evaluated."""
    constants = _Constants(functions)
    for node in walk(checked.tree):
        if isinstance(node, Identifier) and _is_no_type(node, checked):
            yield f"reference to undefined type: {node.name}"
            return
        if not isinstance(node, Call):
            continue
        try:
            constants.value(node)
            if node.function in _PATTERNS:
                values = node.arguments if node.target is None else (node.target, *node.arguments)
                pattern = constants.value(values[1]) if len(values) > 1 else _UNKNOWN
                if isinstance(pattern, str):
                    written(pattern)
        except CelError as wrong:
            yield str(wrong)
            return
        if node.function in _INDICES:
            index = constants.value(node.arguments[1])
            named = checked.type_of(node.arguments[1]).startswith("type(")
            if named or not (index is _UNKNOWN or isinstance(index, str | int | float | UInt)):
                name = "type" if named else type_name(index)
                yield f"invalid qualifier type: {name}"
                return


def _is_no_type(node: Identifier, checked: CheckedExpression) -> bool:
    """Whether it names a type that Google's library has, and Kubernetes hasn't."""
    return checked.type_of(node).startswith("type(") and node.name.lstrip(".") not in TYPES


class _Constants:
    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def value(self, node: Node) -> Any:
        """Give the value of what is constant, or _UNKNOWN; raises CelError."""
        match node:
            case Constant():
                return node.value
            case ListLiteral():
                values = [self.value(each) for each in node.elements]
                return _UNKNOWN if node.optional or _UNKNOWN in values else values
            case MapLiteral():
                pairs = [(self.value(each.key), self.value(each.value)) for each in node.entries]
                return _UNKNOWN if any(_UNKNOWN in pair for pair in pairs) else {}
            case Call(target=None, arguments=(argument,)) if node.function in _CONVERSIONS:
                value = self.value(argument)
                if value is _UNKNOWN:
                    return _UNKNOWN
                return self._functions.find(node.function, [value]).function(value)
        return _UNKNOWN
