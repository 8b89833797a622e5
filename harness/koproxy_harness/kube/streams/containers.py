"""Which container of a pod a request is about. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from koproxy_harness.kube.status import Refusal

_LISTS = ("initContainers", "containers", "ephemeralContainers")


def container_of(pod: Mapping[str, Any], wanted: str) -> str:
    """Give the name of the container that is wanted, or of the only one; raises `Refusal`."""
    name = pod["metadata"]["name"]
    spec = pod.get("spec") or {}
    names = [each["name"] for part in _LISTS for each in spec.get(part) or ()]
    if wanted:
        if wanted not in names:
            raise Refusal(400, f"container {wanted} is not valid for pod {name}")
        return wanted
    containers: list[Any] = spec.get("containers") or []
    if len(containers) == 1:
        return str(containers[0]["name"])
    choice = f", choose one of: [{' '.join(names)}]" if containers else ""
    raise Refusal(400, f"a container name must be specified for pod {name}{choice}")
