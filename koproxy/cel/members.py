"""How members of values are found: fields, items of lists, entries of maps. Pure.

https://github.com/google/cel-spec/blob/master/doc/langdef.md#field-selection
"""

from typing import Any

from koproxy.cel.claims import ABSENT, EscapedList, EscapedMap, Root
from koproxy.cel.escapes import unescaped
from koproxy.cel.functions.conversions import type_name
from koproxy.cel.functions.equality import has_key
from koproxy.cel.values import NONE, CelError, Optional


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


def _written(key: Any) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    return str(key)
