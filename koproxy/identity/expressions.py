"""What expressions make of claims: names, groups and rules, with Kubernetes' conversions.

How an expression is evaluated is `cel`'s. No reason in here repeats what a claim says.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""

from dataclasses import dataclass
from typing import Any, Protocol

from koproxy.cel.claims import Root
from koproxy.cel.values import CelError, GoStrings, Optional, TypeValue
from koproxy.identity.gojson import Members, Number
from koproxy.identity.typed import Refused


class Program(Protocol):
    """A compiled expression."""

    text: str

    def evaluate(self, root: Root) -> Any:
        """Give its value over the variable ``root``; raises ``CelError``."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An expression that has to be true, and what is said if it isn't."""

    program: Program
    message: str = ""

    def check(self, root: Root, what: str) -> None:
        """Raise Refused unless it is true; ``what`` it is a rule about stands in the reason."""
        if _evaluated(self.program, root, what) is not True:
            raise Refused(self.message or f"a rule about {what} is not met")


def text(program: Program, root: Root, what: str) -> str:
    """Give the string that an expression gives; raises Refused for anything else."""
    value = _evaluated(program, root, what)
    if not isinstance(value, str):
        raise Refused(f"the expression for {what} gives no string")
    return value


def texts(program: Program, root: Root, what: str) -> tuple[str, ...]:
    """Give the strings that an expression gives, one or a list, without the empty ones.

    null is none. Raises Refused for anything else, and, as kube-apiserver does, for a list that a
    function like ``split`` gives and nothing is done with.
    """
    value = _evaluated(program, root, what)
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, list) and not isinstance(value, GoStrings):
        found = [_shown(each) for each in value]
        if None not in found:
            return tuple([each for each in found if each])
    raise Refused(f"the expression for {what} gives neither a string nor a list of strings")


def _shown(value: Any) -> str | None:
    """Give a string; in a list, Go takes two other kinds of values for what they are of."""
    if isinstance(value, Optional) and value.present:
        value = value.value
    if isinstance(value, TypeValue):
        return value.name
    return value if isinstance(value, str) else None


def _evaluated(program: Program, root: Root, what: str) -> Any:
    try:
        return program.evaluate(root)
    except CelError:
        raise Refused(f"the expression for {what} fails for its claims") from None


def plain(value: Any) -> Any:
    """Give a claim as expressions see it: numbers are doubles, objects are maps.

    Raises ValueError for a number that no double is, and for what lies too deep.
    """
    try:
        return _plain(value)
    except RecursionError:
        raise ValueError("its objects and lists lie too deep in each other") from None


def _plain(value: Any) -> Any:
    match value:
        case Number():
            number = float(value.text)
            if number in (float("inf"), float("-inf")):
                raise ValueError("a number is too large")
            return number
        case Members():
            return {name: _plain(each) for name, each in value.last().items()}
        case list():
            return [_plain(each) for each in value]
    return value
