"""The types that every cluster has: what `harness/schemas` wrote down, read once a process.

Everything here is shared between servers and changed by nobody.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.schema.node import Node, read


@cache
def facts() -> dict[str, Any]:
    """Give it all: `version`, `groups` as in aggregated discovery, `schemas` by name."""
    packed = files("koproxy_harness.kube.schema").joinpath("builtin.json.gz").read_bytes()
    read: dict[str, Any] = json.loads(gzip.decompress(packed))
    return read


@cache
def kinds() -> tuple[Kind, ...]:
    """Give the kinds, in the order of discovery."""
    return tuple(
        _kind(group["metadata"].get("name", ""), version["version"], resource)
        for group in facts()["groups"]
        for version in group["versions"]
        for resource in version["resources"]
    )


def _kind(group: str, version: str, resource: dict[str, Any]) -> Kind:
    return Kind(
        group,
        version,
        resource["resource"],
        resource["responseKind"]["kind"],
        resource["scope"] == "Namespaced",
        tuple(resource.get("shortNames", ())),
        tuple(resource.get("categories", ())),
        tuple(resource["verbs"]),
        tuple(each["subresource"] for each in resource.get("subresources", ())),
        resource.get("singularResource", ""),
    )


@cache
def names() -> dict[tuple[str, str, str], str]:
    """Give the names of schemas by group, version and kind."""
    found = {}
    for name, schema in facts()["schemas"].items():
        for each in schema.get("x-kubernetes-group-version-kind", ()):
            found[each["group"], each["version"], each["kind"]] = name
    return found


@cache
def node(name: str) -> Node:
    """Give the node of a schema; raises `KeyError` without one of this name."""
    return _Reader().node(name)


class _Reader:
    """Reads schemas that refer to each other, each once."""

    _nodes: dict[str, Node] = {}  # noqa: RUF012 - one for the process: they are never changed

    def node(self, name: str) -> Node:
        found = self._nodes.get(name)
        if found is None:
            found = self._nodes[name] = Node(name=name.rpartition(".")[2])
            schema = facts()["schemas"][name]
            found.zero = schema.get("x-zero")
            read(schema, self.node, found)
        return found
