"""Which fields of an object are meant: paths, and sets of them as managed fields have them.

Pure. A path is a tuple of parts: `f:NAME` of an object, `k:{...}` of a list by keys, `v:VALUE` of a
list that is a set. https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from koproxy_harness.kube.schema.node import Node

Path = tuple[str, ...]
Paths = frozenset[Path]

_ANY = Node()


def written(paths: Iterable[Path]) -> dict[str, Any]:
    """Give a set of paths as `fieldsV1`."""
    tree: dict[str, Any] = {}
    for path in sorted(paths):
        at = tree
        for part in path:
            at = at.setdefault(part, {})
        at["."] = {}
    return _leaves(tree)


def _leaves(tree: dict[str, Any]) -> dict[str, Any]:
    return {part: {} if set(below) == {"."} else _leaves(below) for part, below in tree.items()}


def read(tree: Mapping[str, Any], at: Path = ()) -> Iterator[Path]:
    """Give the paths of a `fieldsV1`."""
    for part, below in tree.items():
        if part == ".":
            yield at
        elif below:
            yield from read(below, (*at, part))
        else:
            yield (*at, part)


def shown(path: Path) -> str:
    """Give a path for people: `.spec.containers[name="web"].image`."""
    return "".join(map(shown_part, path))


def shown_part(part: str) -> str:
    """Give a part of a path for people."""
    kind, _, rest = part.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        keys = json.loads(rest)
        return f"[{','.join(f'{key}={json.dumps(keys[key])}' for key in sorted(keys))}]"
    return f"[={rest}]"


# An object's parts


def child(node: Node, name: str) -> Node:
    """Give the type of a member."""
    return node.fields.get(name) or node.values or _ANY


def is_open(node: Node, value: Any) -> bool:
    """Whether the parts of a value can have different managers."""
    if isinstance(value, Mapping):
        return not node.atomic
    return isinstance(value, list) and node.list_type in ("map", "set")


def parts(node: Node, value: Any) -> Iterator[tuple[str, Node, Any]]:
    """Give the parts of a value that is open: how a path names each, its type and value."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield f"f:{name}", child(node, name), each
    else:
        items = node.items or _ANY
        for each in value:
            yield named(node, each), items, each


def named(node: Node, each: Any) -> str:
    """Give the part of a path that names an item of a list."""
    if node.list_type == "set":
        return f"v:{_compact(each)}"
    items = node.items or _ANY
    keys = {
        key: each.get(key, child(items, key).default)
        for key in node.list_keys
        if key in each or child(items, key).default is not None
    }
    return f"k:{_compact(keys)}"


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def stated(node: Node, value: Any, at: Path = ()) -> Iterator[Path]:
    """Give the paths that somebody states who applies this value.

    What only holds other fields is among them if it is an item of a list, or a member that its
    type doesn't name.
    """
    for part, below, each in parts(node, value):
        path = (*at, part)
        if not is_open(below, each):
            yield path
            continue
        yield from stated(below, each, path)
        if each == {} or not _is_named(node, part):
            yield path


def holding(node: Node, paths: Iterable[Path]) -> Paths:
    """Give the paths, and those of named fields that hold something of them."""
    found = set(paths)
    for path in tuple(found):
        at = node
        for length, part in enumerate(path, 1):
            if part[0] == "f" and _is_named(at, part):
                found.add(path[:length])
            at = child(at, part[2:]) if part[0] == "f" else at.items or _ANY
    return frozenset(found)


def _is_named(node: Node, part: str) -> bool:
    return part[0] == "f" and part[2:] in node.fields


def by_level(path: Path) -> tuple[tuple[bool, str], ...]:
    """What paths are sorted by: what ends at a level is before what goes on from there."""
    return tuple((length < len(path), part) for length, part in enumerate(path, 1))
