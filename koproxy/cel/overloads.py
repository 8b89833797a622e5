"""Functions by their signatures: one line says what the checker goes by and what values fit. Pure.

A signature is ``TARGET.name(TYPE, ...) -> TYPE`` or ``name(TYPE, ...) -> TYPE``. Types are CEL's
(``int``, ``list<string>``, ``map<string, dyn>``, ``optional_type<T>``), those of Kubernetes
(``net.IP``), or a capital letter, which is any type, the same throughout. A target begins with a
type: ``string.find(string) -> string``. What begins otherwise is a name with dots in it:
``ip.isCanonical(string) -> bool``.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from koproxy.cel.values import Duration, Optional, Timestamp, TypeValue, UInt, no_overload

_BASIC: Mapping[str, Callable[[Any], bool]] = {
    "dyn": lambda _: True,
    "null_type": lambda value: value is None,
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: type(value) is int,
    "uint": lambda value: isinstance(value, UInt),
    "double": lambda value: isinstance(value, float),
    "string": lambda value: isinstance(value, str),
    "bytes": lambda value: isinstance(value, bytes),
    "list": lambda value: isinstance(value, list),
    "map": lambda value: isinstance(value, dict),
    "duration": lambda value: isinstance(value, Duration),
    "timestamp": lambda value: isinstance(value, Timestamp),
    "type": lambda value: isinstance(value, TypeValue),
    "optional_type": lambda value: isinstance(value, Optional),
}
_SIGNATURE = re.compile(r"(?P<head>.*)\((?P<arguments>[^()]*)\) -> (?P<result>.+)")
_TARGET = re.compile(
    r"(?P<target>(?:[a-z_]+<.+>|string|bytes|int|uint|double|bool|duration|timestamp|dyn|[A-Z]"
    r"|net\.[A-Z][A-Za-z]+|kubernetes\.[A-Z][A-Za-z]+))\.(?P<name>@?[A-Za-z]+)"
)
_TYPE = re.compile(r"(?P<name>[A-Za-z_.]+)(?:<(?P<parameters>.+)>)?")


@dataclass(frozen=True, slots=True)
class Type:
    """A type in a signature, with its parameters."""

    name: str
    parameters: tuple["Type", ...] = ()

    @property
    def is_parameter(self) -> bool:
        """Whether it stands for any type."""
        return len(self.name) == 1 and self.name.isupper()

    def fits(self, value: Any) -> bool:
        """Whether a value is of this type; what is in a list or a map isn't looked at."""
        if self.is_parameter:
            return True
        basic = _BASIC.get(self.name)
        if basic is not None:
            return basic(value)
        return getattr(value, "type_name", None) == self.name

    def holds(self, value: Any) -> bool:
        """Whether a value is of this type, by what is first in a list or a map, as in cel-go."""
        if not self.fits(value):
            return False
        first: tuple[Any, ...] = ()
        if self.parameters and isinstance(value, list):
            first = tuple(value[:1])
        elif self.parameters and isinstance(value, dict):
            first = next(iter(value.items()), ())
        return all(each.holds(item) for each, item in zip(self.parameters, first, strict=False))


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature of a function, and what it does.

    ``function`` gets the target first, as ``takes`` has it; it raises ``CelError`` where the
    evaluation fails. ``known``: the checker has it of itself. ``cost`` gets what the function gets,
    and gives the steps of an evaluation that the call takes, for one that does more than read its
    arguments.
    """

    signature: str
    function: Callable[..., Any]
    known: bool = False
    cost: Callable[..., int] | None = None
    name: str = field(init=False)
    target: Type | None = field(init=False)
    arguments: tuple[Type, ...] = field(init=False)
    result: Type = field(init=False)
    takes: tuple[Type, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Read the signature; raises ValueError for what is none."""
        match = _SIGNATURE.fullmatch(self.signature)
        if match is None:
            raise ValueError(f"{self.signature!r} is no signature")
        member = _TARGET.fullmatch(match["head"])
        target = None if member is None else read_type(member["target"])
        arguments = tuple(map(read_type, _split(match["arguments"])))
        found = {
            "name": match["head"] if member is None else member["name"],
            "target": target,
            "arguments": arguments,
            "result": read_type(match["result"]),
            "takes": arguments if target is None else (target, *arguments),
        }
        for name, each in found.items():
            object.__setattr__(self, name, each)

    @property
    def shape(self) -> tuple[bool, int]:
        """Whether it has a target, and how many arguments: what can be told without types."""
        return self.target is not None, len(self.arguments)

    def fits(self, values: Sequence[Any]) -> bool:
        """Whether these values, the target first, are what it takes."""
        return len(values) == len(self.takes) and all(
            each.fits(value) for each, value in zip(self.takes, values, strict=True)
        )

    def holds(self, values: Sequence[Any]) -> bool:
        """The same, by what is first in lists and maps."""
        return all(each.holds(value) for each, value in zip(self.takes, values, strict=True))


class Functions:
    """All functions, found by their names and the values that they are called with."""

    def __init__(self, overloads: Iterable[Overload]) -> None:
        """Take their overloads; of several that fit, the first is called."""
        self._found: dict[tuple[Any, ...], Overload] = {}
        self._by_signature: dict[str, Overload] = {}
        self._overloads: dict[str, list[Overload]] = {}
        for overload in overloads:
            self._overloads.setdefault(overload.name, []).append(overload)
            if overload.name[0].isalpha() and overload.name != "size":
                self._by_signature[overload.signature] = overload

    def find(self, name: str, values: Sequence[Any], chosen: str = "") -> Overload:
        """Give what a call with these values, the target first, calls; raises ``CelError``.

        What the types have ``chosen``, by its signature, is called or nothing, though the values
        may fit another. In cel-go operators and ``size`` are one function each, for which it is the
        values that count, and so they are here. Which one fits values depends on their classes
        alone, so that it is looked for once.
        """
        only = self._by_signature.get(chosen)
        if only is not None:
            if only.holds(values):
                return only
            raise no_overload()
        classes = (name, *map(type, values))
        found = self._found.get(classes)
        if found is not None:
            return found
        for overload in self._overloads.get(name, ()):
            if overload.fits(values):
                self._found[classes] = overload
                return overload
        raise no_overload()


def read_type(text: str) -> Type:
    """Read a type; raises ValueError for what is none."""
    match = _TYPE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no type")
    return Type(match["name"], tuple(map(read_type, _split(match["parameters"] or ""))))


def _split(text: str) -> list[str]:
    """Take apart at the commas that aren't within brackets."""
    parts, depth, begin = [], 0, 0
    for at, character in enumerate(text):
        depth += (character == "<") - (character == ">")
        if character == "," and not depth:
            parts.append(text[begin:at].strip())
            begin = at + 1
    last = text[begin:].strip()
    return [*parts, last] if last else parts
