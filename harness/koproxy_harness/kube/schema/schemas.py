"""The structure of every kind that one server serves: the built-in ones, and custom ones.

Pure. Nodes of built-in kinds are shared with other servers.
"""

from __future__ import annotations

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.schema import builtin
from koproxy_harness.kube.schema.node import Node

_ANYTHING = Node(type="object", keeps_unknown=True)


class Schemas:
    """Nodes by kind."""

    def __init__(self) -> None:
        self._custom: dict[tuple[str, str, str], Node] = {}

    def of(self, kind: Kind) -> Node:
        """Give what objects of this kind look like."""
        key = (kind.group, kind.version, kind.name)
        if (custom := self._custom.get(key)) is not None:
            return custom
        name = builtin.names().get(key)
        return _ANYTHING if name is None else builtin.node(name)

    def is_custom(self, kind: Kind) -> bool:
        """Whether a CustomResourceDefinition brought it."""
        return (kind.group, kind.version, kind.name) in self._custom

    def add(self, kind: Kind, node: Node) -> None:
        """Have objects of this kind look like that."""
        self._custom[kind.group, kind.version, kind.name] = node

    def remove(self, kind: Kind) -> None:
        """Forget a custom kind."""
        self._custom.pop((kind.group, kind.version, kind.name), None)
