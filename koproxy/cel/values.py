"""The values of expressions, as Python has them. Pure.

null is None, bool is bool, int is int (of 64 bits), double is float, string is str, bytes is bytes,
a list is a list and a map a dict. The rest is here. Where kube-apiserver's answer depends on how Go
keeps a value, so does the value's class.
"""

from dataclasses import dataclass, field
from typing import Any

NO_OVERLOAD = "no such overload"


class CelError(Exception):
    """An evaluation that fails; the text says why, as cel-go says it."""


def no_overload() -> CelError:
    """Give the error that a function isn't there for the types of its arguments."""
    return CelError(NO_OVERLOAD)


class UInt(int):
    """An unsigned integer of 64 bits, which is another type than an int."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of time, in nanoseconds."""

    nanoseconds: int


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A point in time, in nanoseconds since 1970 UTC.

    ``offset`` is that of the zone in which it was written, in seconds; as text it is written so
    again, and is the same point in time.
    """

    nanoseconds: int
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class TypeValue:
    """A type as a value, by the name that it has in expressions."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may not be there: ``present`` says whether ``value`` is one."""

    present: bool
    value: Any = None


NONE = Optional(False)


class GoStrings(list[str]):
    """A list that Go keeps as ``[]string``: kube-apiserver refuses it as groups or extra values.

    ``split``, ``findAll`` and their like give one; what is made of it in an expression is a list.
    """

    __slots__ = ()
