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
                *("creationTimestamp", "managedFields"),
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
        below = f' with subresource "{self.subresource}"' if self.subresource else ""
        using = f" using {self.api_version}" if self.operation == "Update" else ""
        return f'"{self.name}"{below}{using}'

    def is_the_same_as(self, other: Manager) -> bool:
        """Whether both are one: who applies is so in every version."""
        if "Update" in (self.operation, other.operation):
            return self == other
        return (self.name, self.subresource) == (other.name, other.subresource)


Owned = dict[Manager, Paths]


def owned(made: Object | None) -> Owned:
    """Give who manages what of an object; nobody does if its managed fields can't be read."""
    found: Owned = {}
    for entry in _entries(made):
        if not (
            entry.get("operation") in ("Apply", "Update")
            and entry.get("apiVersion")
            and entry.get("fieldsType") == "FieldsV1"
        ):
            return {}
        manager = _manager(entry)
        paths = frozenset(read(entry.get("fieldsV1") or {}))
        found[manager] = found.get(manager, frozenset()) | paths
    return found


def are_reset(made: Object) -> bool:
    """Whether a request asks to forget who manages what."""
    return made["metadata"].get("managedFields") in ([], [{}])


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
    times = {_manager(entry): entry.get("time", "") for entry in _entries(before)}
    if changing is not None:
        times[changing] = now
    found = _capped({each: paths for each, paths in found.items() if paths}, times)
    entries = [_entry(manager, paths, times.get(manager, "")) for manager, paths in found.items()]
    order = ("operation", "time", "manager", "apiVersion", "subresource")
    entries.sort(key=lambda each: [each.get(part, "") for part in order])
    metadata = {key: each for key, each in made["metadata"].items() if key != "managedFields"}
    if entries:
        metadata["managedFields"] = entries
    return {**made, "metadata": metadata}


def _capped(found: Owned, times: dict[Manager, str]) -> Owned:
    """Put the oldest together if too many have updated an object; notes their time."""
    updaters = sorted(
        (each for each in found if each.operation == "Update"),
        key=lambda each: (times.get(each, ""), each.name, each.api_version, each.subresource),
    )
    left = dict(found)
    first: dict[str, Manager] = {}
    for each in updaters:
        if sum(one.operation == "Update" for one in left) <= _UPDATERS:
            break
        version = each.api_version
        if version not in first:
            first[version] = each
            continue
        ancient = Manager(_ANCIENT, "Update", version)
        if ancient not in left:
            left[ancient] = left.pop(first[version])
        if each != ancient:
            left[ancient] |= left.pop(each)
        times[ancient] = times.get(each, "")
    return left


_UPDATERS, _ANCIENT = 10, "ancient-changes"


def _entries(made: Object | None) -> list[Mapping[str, Any]]:
    return [] if made is None else made["metadata"].get("managedFields") or []


def _manager(entry: Mapping[str, Any]) -> Manager:
    return Manager(
        entry.get("manager", ""),
        entry.get("operation", "Update"),
        entry.get("apiVersion", ""),
        entry.get("subresource", ""),
    )


def _entry(manager: Manager, paths: Paths, time: str) -> dict[str, Any]:
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
