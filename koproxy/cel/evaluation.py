"""A checked expression evaluated: once a token, within a budget.

Follows https://github.com/google/cel-spec/blob/master/doc/langdef.md and, where it leaves a choice,
cel-go. What functions do is `functions`'; here are the forms that don't look at all of their
arguments, the macros' comprehensions, and how members are found.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from koproxy.cel.claims import ABSENT, EscapedList, EscapedMap, Root
from koproxy.cel.escapes import unescaped
from koproxy.cel.functions.conversions import type_name
from koproxy.cel.functions.equality import has_key
from koproxy.cel.overloads import Functions
from koproxy.cel.tree import (
    Call,
    Comprehension,
    Constant,
    Identifier,
    ListLiteral,
    MapLiteral,
    Node,
    Select,
)
from koproxy.cel.values import NONE, CelError, GoStrings, Optional, TypeValue, no_overload

BUDGET = 100_000
"""Steps that one evaluation may take: a fifth of a second or so."""

_COSTLY = "operation cancelled: actual cost limit exceeded"
_IN_A_STEP: dict[type, int] = {  # how much of one is read, or copied
    **dict.fromkeys([str, bytes], 100),
    **dict.fromkeys([list, EscapedList, GoStrings], 1000),
    **dict.fromkeys([dict, EscapedMap], 50),
}

Variables = Mapping[str, Any]


class OverBudget(CelError):
    """It takes too many steps; nothing in the expression can make up for that."""


class Evaluation:
    """One evaluation of an expression."""

    def __init__(self, functions: Functions, budget: int = BUDGET) -> None:
        """Take the functions that it may call, and the steps that it may take."""
        self._functions = functions
        self._left = budget
        self._forms: dict[str, Callable[[Call, Variables], Any]] = {
            "_&&_": lambda call, variables: self._logical(call, variables, stop=False),
            "_||_": lambda call, variables: self._logical(call, variables, stop=True),
            "_?_:_": self._choice,
            "@not_strictly_false": self._not_false,
            "or": self._or,
            "orValue": self._or_value,
        }

    def value(self, node: Node, variables: Variables) -> Any:
        """Give the value of a node; raises ``CelError``."""
        self._spend(1)
        match node:
            case Constant():
                return node.value
            case Identifier():
                return self._identifier(node.name, variables)
            case Select():
                return self._select(node, variables)
            case Call():
                form = self._forms.get(node.function)
                return self._call(node, variables) if form is None else form(node, variables)
            case ListLiteral():
                return list(self._elements(node, variables))
            case MapLiteral():
                return self._map(node, variables)
            case Comprehension():
                return self._comprehension(node, variables)
        raise no_overload()

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise OverBudget(_COSTLY)

    def _identifier(self, name: str, variables: Variables) -> Any:
        name = name.removeprefix(".")
        if name in variables:
            value = variables[name]
            if isinstance(value, CelError):  # what was gathered so far has failed
                raise value
            return value
        if name == "user.extra":
            return found(variables["user"], "extra")
        return TypeValue(name)

    def _select(self, node: Select, variables: Variables) -> Any:
        operand = self.value(node.operand, variables)
        if not node.test_only:
            return selected(operand, node.field)
        if isinstance(operand, Optional):
            return bool(operand.present and find(operand.value, node.field) is not ABSENT)
        return find(operand, node.field) is not ABSENT

    # Calls

    def _call(self, node: Call, variables: Variables) -> Any:
        values = [] if node.target is None else [self.value(node.target, variables)]
        values += [self.value(each, variables) for each in node.arguments]
        self._spend(sum(map(_steps, values)))
        match node.function:
            case "_[_]":
                return selected(*values)
            case "_?._" | "_[?_]":
                return optionally(*values)
        overload = self._functions.find(node.function, values)
        if overload.cost is not None:
            self._spend(overload.cost(*values))
        return overload.function(*values)

    def _logical(self, node: Call, variables: Variables, *, stop: bool) -> bool:
        """One side can decide though the other fails."""
        failed: CelError | None = None
        for each in node.arguments:
            try:
                value = self.value(each, variables)
                if value is stop:
                    return bool(stop)
                if not isinstance(value, bool):
                    raise no_overload()
            except OverBudget:
                raise
            except CelError as error:
                failed = failed or error
        if failed is not None:
            raise failed
        return not stop

    def _choice(self, node: Call, variables: Variables) -> Any:
        condition, first, second = node.arguments
        chosen = self.value(condition, variables)
        if not isinstance(chosen, bool):
            raise no_overload()
        return self.value(first if chosen else second, variables)

    def _not_false(self, node: Call, variables: Variables) -> bool:
        try:
            return self.value(node.arguments[0], variables) is not False
        except OverBudget:
            raise
        except CelError:
            return True

    def _or(self, node: Call, variables: Variables) -> Any:
        target, other = self._first_of(node, variables)
        if not isinstance(target, Optional) or target.present:
            return target
        return self.value(other, variables)

    def _or_value(self, node: Call, variables: Variables) -> Any:
        target, other = self._first_of(node, variables)
        if not isinstance(target, Optional):
            return target
        return target.value if target.present else self.value(other, variables)

    def _first_of(self, node: Call, variables: Variables) -> tuple[Any, Node]:
        """What isn't optional is there: cel-go gives it as it is."""
        if node.target is None or len(node.arguments) != 1:
            raise no_overload()
        return self.value(node.target, variables), node.arguments[0]

    # Literals

    def _elements(self, node: ListLiteral, variables: Variables) -> Iterator[Any]:
        for at, each in enumerate(node.elements):
            value = self.value(each, variables)
            if at not in node.optional:
                yield value
            elif not isinstance(value, Optional):
                raise no_overload()
            elif value.present:
                yield value.value

    def _map(self, node: MapLiteral, variables: Variables) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for entry in node.entries:
            key, value = self.value(entry.key, variables), self.value(entry.value, variables)
            if entry.optional:
                if not isinstance(value, Optional):
                    raise no_overload()
                if not value.present:
                    continue
                value = value.value
            if not isinstance(key, bool | int | str):
                raise CelError(f"unsupported key type: {type_name(key)}")
            made[key] = value
        return made

    # Comprehensions

    def _comprehension(self, node: Comprehension, variables: Variables) -> Any:
        through = self.value(node.range, variables)
        if isinstance(through, Root):  # whose members are all read before the first one counts
            self._spend(through.size)
        scope = dict(variables)
        scope[node.accumulator] = self._kept(node.initial, scope)
        for names in _items(through, two=bool(node.second_variable)):
            scope[node.variable] = names[0]
            if node.second_variable:
                scope[node.second_variable] = names[1]
            if self.value(node.condition, scope) is False:
                break
            scope[node.accumulator] = self._kept(node.step, scope)
        return self.value(node.result, scope)

    def _kept(self, node: Node, scope: Variables) -> Any:
        """What is gathered; an error is kept too, since a later item may decide all the same."""
        try:
            return self.value(node, scope)
        except OverBudget:
            raise
        except CelError as error:
            return error


# How members are found


def find(holder: Any, key: Any) -> Any:
    """Give what is there for a key, or ``ABSENT``, as in what has no members.

    Raises ``CelError`` for a key that a list can't have.
    """
    match holder:
        case Root():
            return holder.find(key)
        case EscapedMap():
            name = unescaped(key) if isinstance(key, str) else None
            return _in_map(holder, key if name is None else name)
        case dict():
            return _in_map(holder, key)
        case list():
            return _in_list(holder, key)
    return ABSENT


def selected(holder: Any, key: Any) -> Any:
    """Give a member; of an optional, an optional one. Raises ``CelError`` where there is none."""
    if isinstance(holder, Optional):
        return optionally(holder, key)
    return found(holder, key)


def found(holder: Any, key: Any) -> Any:
    """Give a member that has to be there; raises ``CelError``."""
    member = find(holder, key)
    if member is ABSENT:
        if isinstance(holder, list):
            raise CelError(f"index out of bounds: {_written(key)}")
        raise CelError(f"no such key: {_written(key)}")
    return member


def optionally(holder: Any, key: Any) -> Optional:
    """Give a member if it is there, and if what holds it is."""
    if isinstance(holder, Optional):
        return optionally(holder.value, key) if holder.present else NONE
    member = find(holder, key)
    return NONE if member is ABSENT else Optional(True, member)


def _in_map(holder: dict[Any, Any], key: Any) -> Any:
    if not has_key(holder, key):
        return ABSENT
    return holder.member(key) if isinstance(holder, EscapedMap) else holder[key]


def _in_list(holder: list[Any], key: Any) -> Any:
    if isinstance(key, float) and key.is_integer():
        key = int(key)
    if isinstance(key, bool) or not isinstance(key, int):
        raise CelError(f"unsupported index type '{type_name(key)}' in list")
    if not 0 <= key < len(holder):
        return ABSENT
    return holder.member(key) if isinstance(holder, EscapedList) else holder[key]


def _items(through: Any, *, two: bool) -> Iterator[Sequence[Any]]:
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


def _steps(value: Any) -> int:
    count = _IN_A_STEP.get(type(value))
    return 0 if count is None else len(value) // count


def _written(key: Any) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    return str(key)
