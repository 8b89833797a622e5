"""Who manages which fields of an object, as its metadata says it. Pure.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from koproxy_harness.kube.patches.fields import Path, Paths, read, written

Object = Mapping[str, Any]

# What of every object belongs to nobody.
_NOBODYS: Paths = frozenset(
    [
        ("f:apiVersion",),
        ("f:kind",),
        ("f:metadata",),
        *(
            ("f:metadata", f"f:{name}")
            for name in (
                *("name", "namespace", "uid", "resourceVersion", "generation", "selfLink"),
                *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"),
                "managedFields",
            )
        ),
    ]
)


@dataclass(frozen=True)
class Manager:
    """One who manages fields: by name, by how, in which version, and of which subresource."""

    name: str
    operation: str  # Apply or Update
    api_version: str
    subresource: str = ""

    def __str__(self) -> str:
        """As in the message of a conflict."""
        if self.operation != "Update":
            return f'"{self.name}"'
        below = f' with subresource "{self.subresource}"' if self.subresource else ""
        return f'"{self.name}"{below} using {self.api_version}'


Owned = dict[Manager, Paths]


def owned(made: Object | None) -> Owned:
    """Give who manages what of an object."""
    found: Owned = {}
    for entry in _entries(made):
        paths = frozenset(read(entry.get("fieldsV1") or {}))
        manager = _manager(entry)
        found[manager] = found.get(manager, frozenset()) | paths
    return found


def ownable(paths: Iterable[Path]) -> Paths:
    """Give those of the paths that somebody can manage."""
    return frozenset(path for path in paths if path not in _NOBODYS)


def with_managers(
    made: Object, before: Object | None, found: Owned, changing: Manager | None, now: str
) -> dict[str, Any]:
    """Give an object with these managers.

    `changing` is who changes it now (None: nobody does); the others have the time that they had
    `before`.
    """
    times = {_manager(entry): entry.get("time") for entry in _entries(before)}
    entries = [
        _entry(manager, paths, now if manager == changing else times.get(manager))
        for manager, paths in found.items()
        if paths
    ]
    entries.sort(key=lambda each: (each["operation"], each.get("time", ""), each["manager"]))
    metadata = {key: each for key, each in made["metadata"].items() if key != "managedFields"}
    if entries:
        metadata["managedFields"] = entries
    return {**made, "metadata": metadata}


def _entries(made: Object | None) -> list[Mapping[str, Any]]:
    entries = [] if made is None else made["metadata"].get("managedFields") or []
    return [entry for entry in entries if entry.get("manager") or entry.get("operation")]


def _manager(entry: Mapping[str, Any]) -> Manager:
    return Manager(
        entry.get("manager", ""),
        entry.get("operation", "Update"),
        entry.get("apiVersion", ""),
        entry.get("subresource", ""),
    )


def _entry(manager: Manager, paths: Paths, time: str | None) -> dict[str, Any]:
    entry = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": manager.api_version,
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": written(paths),
        "subresource": manager.subresource,
    }
    return {key: each for key, each in entry.items() if each}
