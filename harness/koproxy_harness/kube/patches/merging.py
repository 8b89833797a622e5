"""Objects put together, and taken apart by the paths of fields. Pure.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from koproxy_harness.kube.patches.fields import Path, Paths, child, is_open, named, parts
from koproxy_harness.kube.schema.node import Node

_ANY = Node()


def merged(node: Node, live: Any, given: Any) -> Any:
    """Give `live` with all that `given` states."""
    if not (is_open(node, given) or given is None) or not is_open(node, live) or not live:
        return given
    if isinstance(live, list):
        return _merged_list(node, live, given or [])
    return {
        **live,
        **{
            name: merged(child(node, name), live[name], each) if name in live else each
            for name, each in (given or {}).items()
        },
    }


def _merged_list(node: Node, live: list[Any], given: list[Any]) -> list[Any]:
    """Both lists in one: shared items in the order of `given`, the others where they were."""
    theirs = {named(node, each): each for each in given}
    counts = Counter(named(node, each) for each in live)
    # An item that is there more than once is not merged, but replaced.
    ours = {named(node, each): each for each in live if counts[named(node, each)] == 1}
    items = node.items or _ANY
    left, right = [(named(node, each), each) for each in live], list(theirs)
    shared = [name for name in right if name in counts]
    found: list[Any] = []
    done: set[str] = set()

    def take(name: str) -> None:
        found.append(merged(items, ours.get(name), theirs[name]))
        done.add(name)
        if shared and shared[0] == name:
            del shared[0]

    while left or right:
        if left and left[0][0] not in theirs:
            found.append(left.pop(0)[1])
        elif left and right and left[0][0] == right[0]:
            take(right.pop(0))
            del left[0]
        elif left and (left[0][0] in done or (right and shared and shared[0] != left[0][0])):
            del left[0]  # its turn was, or comes, in the order of `given`
        else:
            take(right.pop(0))
    return found


def without(node: Node, value: Any, gone: Paths, at: Path = ()) -> Any:
    """Give a value without what is at these paths; None where nothing is left of a part."""
    above = {path[:length] for path in gone for length in range(len(path))}
    return _without(node, value, gone, above, at)


def _without(node: Node, value: Any, gone: Paths, above: set[Path], at: Path) -> Any:
    if at not in above or not isinstance(value, (dict, list)):
        return value
    if not is_open(node, value):
        return None
    staying = [
        (part, _without(below, each, gone, above, (*at, part)))
        for part, below, each in parts(node, value)
        if (*at, part) not in gone
    ]
    if not staying:
        return None
    if isinstance(value, list):
        return [each for _, each in staying]
    return {part[2:]: each for part, each in staying}
