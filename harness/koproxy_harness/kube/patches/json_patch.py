"""JSON patches: operations one after the other, all or none (RFC 6902). Pure.

As lenient as API servers are: indices may be negative, and count from the end then; what is added
without a value is null.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from koproxy_harness.kube.schema.sameness import same


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
    value = copy.deepcopy(operation.get("value"))
    match operation["op"]:
        case "add":
            return _added(document, path, value)
        case "remove":
            return _removed(document, path)
        case "replace":
            return _replaced(document, path, value)
        case "move":
            origin = _pointer(operation["from"])
            moved = _at(document, origin)
            return _added(_removed(document, origin), path, moved)
        case "copy":
            copied = copy.deepcopy(_at(document, _pointer(operation["from"])))
            return _added(document, path, copied)
        case "test":
            container = _at(document, path[:-1])
            missing = isinstance(container, dict) and path and path[-1] not in container
            if not same(None if missing else _at(document, path), value):
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


def _index(container: Any, part: str, places: int = 0) -> Any:
    """`places` are those that there are behind the last item."""
    if not isinstance(container, list):
        return part
    index, length = int(part), len(container) + places
    if not -length <= index < length:
        raise Impossible(f"there is no place {part} in a list of {len(container)}")
    return index % length


def _added(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        raise Impossible("nothing can be added in the place of the whole")
    container = _at(document, path[:-1])
    if isinstance(container, list):
        end = path[-1] == "-"
        container.insert(len(container) if end else _index(container, path[-1], 1), value)
    elif isinstance(container, dict):
        container[path[-1]] = value
    else:
        raise Impossible("nothing can be added to what is neither a list nor an object")
    return document


def _replaced(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    container = _at(document, path[:-1])
    index = _index(container, path[-1])
    container[index]  # has to be there
    container[index] = value
    return document


def _removed(document: Any, path: list[str]) -> Any:
    if not path:
        raise Impossible("the whole can't be removed")
    container = _at(document, path[:-1])
    del container[_index(container, path[-1])]
    return document
