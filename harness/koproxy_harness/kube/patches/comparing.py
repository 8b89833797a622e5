"""What is different between two states of an object, as paths of fields. Pure.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from koproxy_harness.kube.patches.fields import Path, Paths, is_open, parts
from koproxy_harness.kube.schema.node import Node
from koproxy_harness.kube.schema.sameness import same


@dataclass
class Differences:
    """The paths that only the new state has or has otherwise, and those that only the old has."""

    _changed: set[Path] = field(default_factory=set)
    _gone: set[Path] = field(default_factory=set)

    @classmethod
    def between(cls, node: Node, old: Mapping[str, Any], new: Mapping[str, Any]) -> Differences:
        """Compare two objects of this type."""
        found = cls()
        found._compare(node, old, new, ())
        return found

    def without(self, apart: Paths) -> Differences:
        """Leave out what is at these paths, or below them."""

        def left(paths: set[Path]) -> set[Path]:
            return {
                path
                for path in paths
                if not any(path[:length] in apart for length in range(1, len(path) + 1))
            }

        return Differences(left(self._changed), left(self._gone))

    def __bool__(self) -> bool:
        return bool(self._changed or self._gone)

    @property
    def changed(self) -> Paths:
        """What has been added or changed."""
        return frozenset(self._changed)

    @property
    def gone(self) -> Paths:
        """What has been removed."""
        return frozenset(self._gone)

    def _compare(self, node: Node, old: Any, new: Any, at: Path) -> None:
        before, after = _parts(node, old), _parts(node, new)
        for part in {**before, **after}:
            below = (before.get(part) or after[part])[0]
            there, now = (each.get(part, (below, _ABSENT))[1] for each in (before, after))
            self._compare(below, there, now, (*at, part))
        if new is _ABSENT:
            self._gone.add(at)
        elif old is _ABSENT or (_is_leaf(node, old, new) and not same(old, new)):
            self._changed.add(at)


_ABSENT = object()


def _parts(node: Node, value: Any) -> dict[str, tuple[Node, Any]]:
    if not is_open(node, value):
        return {}
    return {part: (below, each) for part, below, each in parts(node, value)}


def _is_leaf(node: Node, old: Any, new: Any) -> bool:
    """Whether a change is one of the value itself, and not only of its parts."""
    filled = [each for each in (old, new) if each is not None and (each or not is_open(node, each))]
    return not filled or not all(is_open(node, each) for each in filled)
