"""A checked expression evaluated: once a token, within a budget.

Follows https://github.com/google/cel-spec/blob/master/doc/langdef.md and, where it leaves a choice,
cel-go. What functions do is `functions`'; here are the forms that don't look at all of their
arguments, and the macros' comprehensions.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from koproxy.cel.claims import ABSENT, Root
from koproxy.cel.functions.conversions import type_name
from koproxy.cel.gathering import Adding, add, adding, items
from koproxy.cel.members import find, found, optionally, selected
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
from koproxy.cel.values import CelError, Optional, TypeValue, no_overload
from koproxy.cel.weight import BUDGET

_COSTLY = "operation cancelled: actual cost limit exceeded"
_READ_IN_A_STEP = 100  # characters of a text
_ADDED_IN_A_STEP = 10  # entries of a map

Variables = Mapping[str, Any]


class OverBudget(CelError):
    """It takes too many steps; nothing in the expression can make up for that."""


class Evaluation:
    """One evaluation of an expression."""

    def __init__(
        self, functions: Functions, chosen: Mapping[int, str], budget: int = BUDGET
    ) -> None:
        """Take the functions that it may call, and the steps that it may take.

        ``chosen`` are the overloads that types have chosen, by the numbers of their calls.
        """
        self._functions = functions
        self._chosen = chosen
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
        overload = self._functions.find(node.function, values, self._chosen.get(node.number, ""))
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
        step = adding(node)
        for names in items(through, two=bool(node.second_variable)):
            scope[node.variable] = names[0]
            if node.second_variable:
                scope[node.second_variable] = names[1]
            if self.value(node.condition, scope) is False:
                break
            scope[node.accumulator] = self._kept(node.step if step is None else step, scope)
        return self.value(node.result, scope)

    def _kept(self, node: Node | Adding, scope: dict[str, Any]) -> Any:
        """What is gathered; an error is kept too, since a later item may decide all the same."""
        try:
            return self._add(node, scope) if isinstance(node, Adding) else self.value(node, scope)
        except OverBudget:
            raise
        except CelError as error:
            return error

    def _add(self, step: Adding, scope: Variables) -> Any:
        """Give what is gathered with one more item, if the item's condition holds."""
        self._spend(1)
        if step.condition is not None:
            chosen = self.value(step.condition, scope)
            if not isinstance(chosen, bool):
                raise no_overload()
            if not chosen:
                return self.value(step.gathered, scope)
        gathered = self.value(step.gathered, scope)
        added = [self.value(each, scope) for each in step.added]
        self._spend(
            sum([len(each) // _ADDED_IN_A_STEP for each in added if isinstance(each, dict)])
        )
        add(gathered, added)
        return gathered


def _steps(value: Any) -> int:
    return len(value) // _READ_IN_A_STEP if isinstance(value, str | bytes) else 0
