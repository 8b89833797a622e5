"""The kinds of objects that the mock API server serves, and how it describes itself.

Pure data: discovery documents as Kubernetes' `/api` and `/apis` give them to a client that
doesn't ask for aggregated discovery.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OBJECT_VERBS = ("create", "delete", "get", "list", "watch")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object, or one review that is only ever created."""

    group: str  # "" is the core group
    version: str
    plural: str
    name: str
    namespaced: bool
    short: tuple[str, ...] = ()
    verbs: tuple[str, ...] = OBJECT_VERBS

    @property
    def group_version(self) -> str:
        """As in `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version


KINDS = (
    Kind("", "v1", "namespaces", "Namespace", False, ("ns",)),
    Kind("", "v1", "pods", "Pod", True, ("po",)),
    Kind("", "v1", "configmaps", "ConfigMap", True, ("cm",)),
)
IDENTITY_REVIEW = Kind(
    "authentication.k8s.io",
    "v1",
    "selfsubjectreviews",
    "SelfSubjectReview",
    False,
    verbs=("create",),
)
ACCESS_REVIEW = Kind(
    "authorization.k8s.io",
    "v1",
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    False,
    verbs=("create",),
)
_ALL = (*KINDS, IDENTITY_REVIEW, ACCESS_REVIEW)

VERSION = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.0+koproxy-harness",
    "gitTreeState": "clean",
    "platform": "linux/amd64",
}


def discovery(path: str) -> dict[str, Any] | None:
    """Give the discovery document at `path`, None where there is none."""
    match path.strip("/").split("/"):
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            groups = [kind for kind in _ALL if kind.group]
            return {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [_group(kind) for kind in groups],
            }
        case ["api", version]:
            return _resources("", version)
        case ["apis", group]:
            named = [kind for kind in _ALL if kind.group == group]
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(named[0])} if named else None
        case ["apis", group, version]:
            return _resources(group, version)
    return None


def _group(kind: Kind) -> dict[str, Any]:
    version = {"groupVersion": kind.group_version, "version": kind.version}
    return {"name": kind.group, "versions": [version], "preferredVersion": version}


def _resources(group: str, version: str) -> dict[str, Any] | None:
    kinds = [kind for kind in _ALL if (kind.group, kind.version) == (group, version)]
    if not kinds:
        return None
    resources = [
        {
            "name": kind.plural,
            "singularName": kind.name.lower(),
            "namespaced": kind.namespaced,
            "kind": kind.name,
            "verbs": list(kind.verbs),
            "shortNames": list(kind.short),
        }
        for kind in kinds
    ]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": kinds[0].group_version,
        "resources": resources,
    }
