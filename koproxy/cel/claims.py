"""What expressions are about: the claims of a token, and the user that they have given. Pure.

Both answer as kube-apiserver's do. Each claim is read when an expression selects it; fields are
found by their escaped names too, but not within what a comprehension goes through.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from koproxy.cel.escapes import unescaped
from koproxy.cel.values import CelError

ABSENT = object()
"""What is found where nothing is."""


class Root:
    """A variable: its members are found one by one, and it is nothing else."""

    __slots__ = ("_found", "_given", "_read", "type_name")

    def __init__(
        self, type_name: str, given: Mapping[str, Any], read: Callable[[Any], Any]
    ) -> None:
        """Take its type, its members, and what makes a value of one.

        ``read`` raises ValueError for what no value can be.
        """
        self.type_name = type_name
        self._given = given
        self._read = read
        self._found: dict[str, Any] = {}

    def find(self, name: Any) -> Any:
        """Give a member, or ``ABSENT``; raises ``CelError`` for one that no value can be."""
        field = unescaped(name) if isinstance(name, str) else None
        if field is None or field not in self._given:
            return ABSENT
        if field not in self._found:
            self._found[field] = self._read_one(field)
        value = self._found[field]
        if isinstance(value, _Unreadable):
            raise CelError(value.why)
        return value

    def _read_one(self, field: str) -> Any:
        """Read a claim, which is done once: also what fails may take as long as the claim is."""
        try:
            return escaping(self._read(self._given[field]))
        except ValueError as wrong:
            return _Unreadable(f'claim "{field}" failed to unmarshal: {wrong}')

    @property
    def size(self) -> int:
        """How many members there are."""
        return len(self._given)

    def values(self) -> list[Any]:
        """Give what a comprehension goes through: not the names, as with a map, but the values."""
        return [self.find(name) for name in self._given]


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """A claim that no value can be, and why."""

    why: str


class EscapedMap(dict[Any, Any]):
    """A map whose fields are found by their escaped names too."""

    __slots__ = ("_escaping",)

    def __init__(self, given: dict[Any, Any]) -> None:
        """Take what is in a map."""
        super().__init__(given)
        self._escaping: dict[Any, Any] = {}

    def member(self, key: Any) -> Any:
        """Give what is there for a key; a map or a list is made one of escaped names once."""
        return _once(self._escaping, key, self[key])


class EscapedList(list[Any]):
    """A list whose items are found with their escaped names."""

    __slots__ = ("_escaping",)

    def __init__(self, given: list[Any]) -> None:
        """Take what is in a list."""
        super().__init__(given)
        self._escaping: dict[Any, Any] = {}

    def member(self, index: int) -> Any:
        """Give an item; a map or a list is made one of escaped names once."""
        return _once(self._escaping, index, self[index])


def claims_root(claims: Mapping[str, Any], read: Callable[[Any], Any]) -> Root:
    """Give the variable ``claims``; see ``Root`` for what ``read`` does."""
    return Root("kubernetes.claims", claims, read)


def user_root(
    username: str, uid: str, groups: tuple[str, ...], extra: Mapping[str, tuple[str, ...]]
) -> Root:
    """Give the variable ``user``."""
    return Root(
        "kubernetes.UserInfo",
        {
            "username": username,
            "uid": uid,
            "groups": list(groups),
            "extra": {key: list(values) for key, values in extra.items()},
        },
        lambda value: value,
    )


def _once(made: dict[Any, Any], key: Any, value: Any) -> Any:
    if not isinstance(value, dict | list):
        return value
    if key not in made:
        made[key] = escaping(value)
    return made[key]


def escaping(value: Any) -> Any:
    """Give a value that has been found, as one in which escaped names are found."""
    if type(value) is dict:
        return EscapedMap(value)
    if type(value) is list:
        return EscapedList(value)
    return value
