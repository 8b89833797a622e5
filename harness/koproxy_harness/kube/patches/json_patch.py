"""JSON patches: operations one after the other, all or none (RFC 6902). Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any


class Impossible(Exception):
    """An operation that can't be done, or a test that fails."""


def json_patched(document: Any, operations: Iterable[Mapping[str, Any]]) -> Any:
    """Give the document after the operations; raises `Impossible`."""
    document = copy.deepcopy(document)
    for operation in operations:
        try:
            document = _done(document, operation)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise Impossible(str(error)) from None
    return document


def _done(document: Any, operation: Mapping[str, Any]) -> Any:
    path = _pointer(operation["path"])
    match operation["op"]:
        case "add":
            return _added(document, path, copy.deepcopy(operation["value"]))
        case "remove":
            return _removed(document, path)
        case "replace":
            _at(document, path)
            if not path:
                return copy.deepcopy(operation["value"])
            return _added(_removed(document, path), path, copy.deepcopy(operation["value"]))
        case "move":
            origin = _pointer(operation["from"])
            value = _at(document, origin)
            return _added(_removed(document, origin), path, value)
        case "copy":
            value = copy.deepcopy(_at(document, _pointer(operation["from"])))
            return _added(document, path, value)
        case "test":
            if _at(document, path) != operation["value"]:
                raise Impossible(f"the test of {operation['path']} fails")
            return document
    raise Impossible(f"there is no operation {operation['op']!r}")


def _pointer(text: str) -> list[str]:
    """The parts of a JSON pointer (RFC 6901)."""
    if text and not text.startswith("/"):
        raise Impossible(f"{text!r} is no JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _at(document: Any, path: list[str]) -> Any:
    for part in path:
        document = document[_index(document, part)]
    return document


def _index(container: Any, part: str) -> Any:
    if not isinstance(container, list):
        return part
    if not part.isascii() or not part.isdigit():
        raise Impossible(f"{part!r} is no index of a list")
    return int(part)


def _added(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    container = _at(document, path[:-1])
    if isinstance(container, list):
        at = len(container) if path[-1] == "-" else _index(container, path[-1])
        if at > len(container):
            raise Impossible(f"there is no place {at} in a list of {len(container)}")
        container.insert(at, value)
    elif isinstance(container, dict):
        container[path[-1]] = value
    else:
        raise Impossible("nothing can be added to what is neither a list nor an object")
    return document


def _removed(document: Any, path: list[str]) -> Any:
    if not path:
        raise Impossible("the whole can't be removed")
    container = _at(document, path[:-1])
    del container[_index(container, path[-1])]
    return document
