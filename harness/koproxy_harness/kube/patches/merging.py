"""Objects put together, and taken apart by the paths of fields. Pure.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from koproxy_harness.kube.patches.fields import Path, child, is_open, named
from koproxy_harness.kube.schema.node import Node

_ANY = Node()


def merged(node: Node, live: Any, given: Any) -> Any:
    """Give `live` with all that `given` states."""
    if isinstance(live, Mapping) and isinstance(given, Mapping) and not node.atomic:
        return {
            **live,
            **{
                name: merged(child(node, name), live.get(name), each)
                for name, each in given.items()
            },
        }
    if isinstance(live, list) and isinstance(given, list) and is_open(node, given):
        return _merged_list(node, live, given)
    return given


def _merged_list(node: Node, live: list[Any], given: list[Any]) -> list[Any]:
    """Both lists in one: shared items in the order of `given`, the others where they were."""
    here = {named(node, each): each for each in live}
    there = {named(node, each): each for each in given}
    items = node.items or _ANY
    found: list[Any] = []
    left, right = list(here), list(there)
    while left or right:
        if left and left[0] not in there:
            found.append(here[left.pop(0)])
        elif right and right[0] not in here:
            found.append(there[right.pop(0)])
        else:
            name = right.pop(0)
            left.remove(name)
            found.append(merged(items, here[name], there[name]))
    return found


def without(node: Node, value: Any, goes: Callable[[Path], bool], at: Path = ()) -> Any:
    """Give a value without the parts at the paths that go."""
    if isinstance(value, Mapping) and not node.atomic:
        return {
            name: without(child(node, name), each, goes, (*at, f"f:{name}"))
            for name, each in value.items()
            if not goes((*at, f"f:{name}"))
        }
    if isinstance(value, list) and is_open(node, value):
        items = node.items or _ANY
        return [
            without(items, each, goes, (*at, named(node, each)))
            for each in value
            if not goes((*at, named(node, each)))
        ]
    return value
