"""What is in a cluster before anybody puts something there. Built once a process, and shared."""

from __future__ import annotations

import uuid
from functools import cache
from typing import Any

from koproxy_harness.kube.access.bootstrap import BOOTSTRAP
from koproxy_harness.kube.schema import builtin
from koproxy_harness.kube.store import Object, Resource
from koproxy_harness.serving.clock import Clock

_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


@cache
def objects() -> tuple[tuple[Resource, Object], ...]:
    """Give the objects, with the resource of each; every server of the process has the same."""
    created = Clock().text
    named = {(kind.group_version, kind.name): kind.resource for kind in builtin.kinds()}
    namespaces: tuple[dict[str, Any], ...] = tuple(namespace(name) for name in _NAMESPACES)
    return tuple(
        (named[made["apiVersion"], made["kind"]], _complete(made, created))
        for made in (*namespaces, *BOOTSTRAP)
    )


def namespace(name: str) -> Object:
    """Give a namespace as it becomes."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _complete(made: Object, created: str) -> Object:
    metadata = {
        **made["metadata"],
        "uid": str(uuid.uuid4()),
        "resourceVersion": "1",
        "creationTimestamp": created,
    }
    return {**made, "metadata": metadata}
