"""Kubernetes objects in memory, and who watches them.

Pure: no socket, no thread of its own. Every change has a resource version, one more than the
last, and is kept, so that a watch can begin at any of them.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from koproxy_harness.kube.resources import KINDS, Kind
from koproxy_harness.kube.status import Refusal

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one object: `type` is `ADDED`, `MODIFIED` or `DELETED`."""

    version: int
    type: str
    kind: Kind
    object: Object

    @property
    def json(self) -> Object:
        """As a watch sends it."""
        return {"type": self.type, "object": self.object}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects a list or a watch is about; None is any."""

    kind: Kind
    namespace: str | None = None
    name: str | None = None

    def has(self, kind: Kind, metadata: dict[str, Any]) -> bool:
        """Whether an object of this kind with this metadata is meant."""
        return (
            kind == self.kind
            and self.namespace in (None, metadata.get("namespace"))
            and self.name in (None, metadata["name"])
        )


Listener = Callable[[Event], None]


class Store:
    """The objects of one API server."""

    def __init__(self) -> None:
        self._objects: dict[tuple[Kind, str, str], Object] = {}
        self._events: list[Event] = []
        self._watches: list[tuple[Selection, Listener]] = []
        for name in ("default", "kube-system"):
            self.create(KINDS[0], {"metadata": {"name": name}})

    @property
    def version(self) -> int:
        """The resource version of the last change."""
        return len(self._events)

    def select(self, selection: Selection) -> list[Object]:
        """Give the objects, in the order in which they were made."""
        return [
            found
            for (kind, _, _), found in self._objects.items()
            if selection.has(kind, found["metadata"])
        ]

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """Give one object; raises `Refusal` 404 without it."""
        try:
            return self._objects[kind, namespace, name]
        except KeyError:
            raise Refusal(404, f'{kind.plural} "{name}" not found') from None

    def create(self, kind: Kind, given: Object, namespace: str = "") -> Object:
        """Keep a new object; raises `Refusal` where Kubernetes would refuse its place or name."""
        made = copy.deepcopy(given)
        metadata = made.setdefault("metadata", {})
        name = metadata.get("name") or ""
        if not name and metadata.get("generateName"):
            name = f"{metadata['generateName']}{uuid.uuid4().hex[:5]}"
        if not name:
            raise Refusal(400, "name or generateName is required")
        if kind.namespaced:
            namespace = namespace or metadata.get("namespace") or "default"
            if metadata.setdefault("namespace", namespace) != namespace:
                raise Refusal(400, "the namespace of the object is not that of the request")
            self.get(KINDS[0], "", namespace)
        if (kind, namespace, name) in self._objects:
            raise Refusal(409, f'{kind.plural} "{name}" already exists', "AlreadyExists")
        metadata |= {
            "name": name,
            "uid": str(uuid.uuid4()),
            "creationTimestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        made |= {"apiVersion": kind.group_version, "kind": kind.name}
        return self._changed("ADDED", kind, namespace, made)

    def apply(self, kind: Kind, given: Object) -> Object:
        """Create the object, or put it in the place of the one with its name."""
        metadata = given.get("metadata") or {}
        namespace = (metadata.get("namespace") or "default") if kind.namespaced else ""
        old = self._objects.get((kind, namespace, metadata.get("name") or ""))
        if old is None:
            return self.create(kind, given, namespace)
        new = copy.deepcopy(given)
        kept = {name: old["metadata"][name] for name in ("uid", "creationTimestamp")}
        new["metadata"] |= kept
        if kind.namespaced:
            new["metadata"]["namespace"] = namespace
        return self._changed("MODIFIED", kind, namespace, new)

    def delete(self, kind: Kind, namespace: str, name: str) -> Object:
        """Remove one object, and with a namespace everything in it."""
        found = self.get(kind, namespace, name)
        if kind.name == "Namespace":
            for other, inside, each in list(self._objects):
                if inside == name:
                    self.delete(other, inside, each)
        del self._objects[kind, namespace, name]
        return self._changed("DELETED", kind, namespace, copy.deepcopy(found))

    def watch(
        self, selection: Selection, since: int, listener: Listener
    ) -> tuple[list[Event], Callable[[], None]]:
        """Tell `listener` of every change from now on.

        Gives what happened after version `since` (0: the objects that are there), and what ends
        the watch. Raises `Refusal` 410 for a version that is not reached yet.
        """
        if since > self.version:
            raise Refusal(410, f"too large resource version: {since}, current: {self.version}")
        if since:
            past = self._events[since:]
        else:
            past = [
                Event(self.version, "ADDED", selection.kind, each)
                for each in self.select(selection)
            ]
        watch = (selection, listener)
        self._watches.append(watch)
        meant = [event for event in past if selection.has(event.kind, event.object["metadata"])]
        return meant, lambda: self._watches.remove(watch)

    def _changed(self, change: str, kind: Kind, namespace: str, made: Object) -> Object:
        made["metadata"]["resourceVersion"] = str(self.version + 1)
        event = Event(self.version + 1, change, kind, made)
        self._events.append(event)
        if change != "DELETED":
            self._objects[kind, namespace, made["metadata"]["name"]] = made
        for selection, listener in list(self._watches):
            if selection.has(kind, made["metadata"]):
                listener(event)
        return made
