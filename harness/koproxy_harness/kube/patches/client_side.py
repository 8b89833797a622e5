"""What an API server does for kubectl when it goes from client-side to server-side apply. Pure.

It trusts the annotation in which kubectl has kept what it had applied before:
https://kubernetes.io/docs/reference/using-api/server-side-apply/#migration-between-client-side-and-server-side-apply
"""

from __future__ import annotations

import json
from typing import Any

from koproxy_harness.kube.patches.comparing import Differences
from koproxy_harness.kube.patches.fields import stated
from koproxy_harness.kube.patches.managers import Manager, Owned
from koproxy_harness.kube.schema.node import Node

_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
_KUBECTL = "kubectl"


def left(node: Node, live: dict[str, Any], manager: Manager, conflicts: Owned) -> Owned:
    """Give the conflicts that stay: kubectl has none about what is as it had applied it itself."""
    said = _annotation(live)
    if manager.name != _KUBECTL or not said:
        return conflicts
    try:
        before = json.loads(said)
    except ValueError:
        return conflicts
    if not isinstance(before, dict) or before.get("apiVersion") != live["apiVersion"]:
        return conflicts
    differences = Differences.between(node, before, live)
    own = frozenset(stated(node, before)) - differences.changed - differences.gone
    remaining = {each: paths - own for each, paths in conflicts.items()}
    return {each: paths for each, paths in remaining.items() if paths}


def noted(made: dict[str, Any], given: dict[str, Any], manager: Manager) -> dict[str, Any]:
    """Give an object whose annotation, if it has one, says what kubectl applies now."""
    if manager.name != _KUBECTL or not _annotation(made):
        return made
    metadata = dict(given["metadata"])
    annotations = {
        key: each
        for key, each in (metadata.pop("annotations", None) or {}).items()
        if key != _ANNOTATION
    }
    if annotations:
        metadata["annotations"] = annotations
    said = json.dumps(
        {**given, "metadata": metadata}, separators=(",", ":"), sort_keys=True, ensure_ascii=False
    )
    for character in "<>&":  # as Go writes them
        said = said.replace(character, f"\\u{ord(character):04x}")
    both = {**made["metadata"]["annotations"], _ANNOTATION: f"{said}\n"}
    return {**made, "metadata": {**made["metadata"], "annotations": both}}


def _annotation(made: dict[str, Any]) -> Any:
    return (made["metadata"].get("annotations") or {}).get(_ANNOTATION)
