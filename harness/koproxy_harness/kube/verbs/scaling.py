"""The scale of an object: how many of something are wanted, whatever its kind calls them. Pure.

https://kubernetes.io/docs/reference/kubernetes-api/autoscaling-resources/scale-v1/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.store import Object

SCALE = Kind("autoscaling", "v1", "scales", "Scale", True)
_PATHS = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": "",
}


def scale_of(made: Object, paths: Mapping[str, str]) -> Object:
    """Give the scale of an object; `paths` are those of its definition, empty for built-in ones."""
    metadata = made["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    chosen = _get(made, paths["labelSelectorPath"]) if paths.get("labelSelectorPath") else None
    status: dict[str, Any] = {"replicas": _get(made, _path(paths, "statusReplicasPath")) or 0}
    selector = chosen or _selector(made)
    if selector:
        status["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in kept if key in metadata},
        "spec": {"replicas": _get(made, _path(paths, "specReplicasPath")) or 0},
        "status": status,
    }


def scaled(made: Object, scale: Object, paths: Mapping[str, str]) -> Object:
    """Give the object as it is with this scale."""
    return _set(made, _path(paths, "specReplicasPath"), scale.get("spec", {}).get("replicas", 0))


def _path(paths: Mapping[str, str], name: str) -> str:
    return paths.get(name) or _PATHS[name]


def _get(made: Object, path: str) -> Any:
    value: Any = made
    for part in path.strip(".").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _set(made: Object, path: str, value: Any) -> Object:
    first, _, rest = path.strip(".").partition(".")
    return {**made, first: _set(made.get(first) or {}, rest, value) if rest else value}


def _selector(made: Object) -> str:
    selector = made.get("spec", {}).get("selector") or {}
    labels = selector.get("matchLabels", {}) if "matchLabels" in selector else selector
    if not all(isinstance(value, str) for value in labels.values()):
        return ""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
