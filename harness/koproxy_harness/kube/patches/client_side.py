"""What an API server does for kubectl when it goes from client-side to server-side apply. Pure.

It trusts the annotation in which kubectl has kept what it had applied before:
https://kubernetes.io/docs/reference/using-api/server-side-apply/#migration-between-client-side-and-server-side-apply
"""

from __future__ import annotations

import json
from typing import Any

from koproxy_harness.kube.patches.fields import stated
from koproxy_harness.kube.patches.managers import Manager, Owned
from koproxy_harness.kube.schema.node import Node

_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
_BEFORE, _NOW = "kubectl-client-side-apply", "kubectl"


def left(node: Node, live: dict[str, Any], manager: Manager, conflicts: Owned) -> Owned:
    """Give the conflicts that stay: kubectl has none with what it had applied itself."""
    said = _annotation(live)
    if manager.name != _NOW or said is None:
        return conflicts
    try:
        own = frozenset(stated(node, json.loads(said)))
    except (ValueError, AttributeError):
        return conflicts
    remaining = {
        each: paths - own if each.name == _BEFORE and each.operation == "Update" else paths
        for each, paths in conflicts.items()
    }
    return {each: paths for each, paths in remaining.items() if paths}


def noted(made: dict[str, Any], given: dict[str, Any], manager: Manager) -> dict[str, Any]:
    """Give an object whose annotation, if it has one, says what kubectl applies now."""
    if manager.name != _NOW or _annotation(made) is None:
        return made
    metadata = dict(given["metadata"])
    annotations = {
        key: each
        for key, each in (metadata.pop("annotations", None) or {}).items()
        if key != _ANNOTATION
    }
    if annotations:
        metadata["annotations"] = annotations
    said = json.dumps({**given, "metadata": metadata}, separators=(",", ":"), sort_keys=True)
    both = {**made["metadata"]["annotations"], _ANNOTATION: f"{said}\n"}
    return {**made, "metadata": {**made["metadata"], "annotations": both}}


def _annotation(made: dict[str, Any]) -> str | None:
    return (made["metadata"].get("annotations") or {}).get(_ANNOTATION)
