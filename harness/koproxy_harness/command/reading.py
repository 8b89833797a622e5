"""Values from JSON for the parameters of a Python function, by its type hints. Pure.

A value is taken as it is or refused with a sentence; nothing is guessed, 1 is not true.
"""

from __future__ import annotations

import base64
import binascii
import types
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Union, get_args, get_origin

_KINDS: dict[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    bytes: 'text or {"base64": ...}',
    datetime: "a time as in 2030-01-31T12:00:00Z",
    type(None): "null",
}
_LISTS = (list, Iterable, Sequence)
_OBJECTS = (dict, Mapping)


class Mistyped(Exception):
    """A value is not of the type that is wanted; the message says which that is."""


def readable(hint: Any) -> bool:
    """Whether JSON can have a value of this type; of a union, one of the others than None."""
    if get_origin(hint) in (Union, types.UnionType):
        return any(readable(each) for each in get_args(hint) if each is not type(None))
    return hint in (Any, object) or hint in _KINDS or get_origin(hint) in (*_LISTS, *_OBJECTS)


def value_for(hint: Any, value: Any) -> Any:
    """Give `value` as this type; raises `Mistyped`."""
    if hint in (Any, object):
        return value
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _one_of([each for each in inner if each is type(None) or readable(each)], value)
    if origin in _OBJECTS and isinstance(value, dict):
        return {name: value_for(inner[1], each) for name, each in value.items()}
    if origin in _LISTS and isinstance(value, list):
        return [value_for(inner[0], each) for each in value]
    if origin is tuple and isinstance(value, list) and len(value) == len(inner):
        return tuple(value_for(kind, each) for kind, each in zip(inner, value, strict=True))
    if hint is bytes:
        return _bytes(value)
    if hint is datetime:
        return _time(value)
    if hint is float and type(value) is int:
        return float(value)
    if hint in _KINDS and type(value) is hint:
        return value
    raise Mistyped(_name(hint))


def value_from_text(hint: Any, text: str) -> Any:
    """Give the value of a parameter in a query; raises `Mistyped`."""
    for kind in (int, float):
        if hint is kind:
            try:
                return kind(text)
            except ValueError:
                raise Mistyped(_name(hint)) from None
    return value_for(hint, text)


def _one_of(hints: list[Any], value: Any) -> Any:
    for hint in hints:
        try:
            return value_for(hint, value)
        except Mistyped:
            continue
    raise Mistyped(" or ".join(_name(hint) for hint in hints))


def _name(hint: Any) -> str:
    if get_origin(hint) in _OBJECTS:
        return "an object"
    if get_origin(hint) in (*_LISTS, tuple):
        return "a list"
    return _KINDS[hint]


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and list(value) == ["base64"]:
        try:
            return base64.b64decode(value["base64"], validate=True)
        except (binascii.Error, TypeError, ValueError):
            pass
    raise Mistyped(_KINDS[bytes])


def _time(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Mistyped(_KINDS[datetime]) from None
