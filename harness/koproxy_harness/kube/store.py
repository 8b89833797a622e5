"""Kubernetes objects in memory, what has happened to them, and who is told.

Pure: no socket, no thread, no clock of its own. Objects are never changed in place, neither here
nor by those who read them, so they may be shared, and seen as they were.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from koproxy_harness.kube.status import Refusal

Object = dict[str, Any]
Resource = tuple[str, str]  # a group and a plural
Place = tuple[str, str]  # a namespace ("" without one) and a name

HISTORY = 1000  # changes that are kept, for watches and pages that begin in the past


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one object: what it is now (of a deleted one: was at last), and was before."""

    version: int
    type: str  # ADDED, MODIFIED or DELETED
    resource: Resource
    place: Place
    object: Object
    before: Object | None


Listener = Callable[[Event], None]


class Store:
    """The objects of one API server, with one version for all: that of the last change.

    `first` are objects to begin with, with the resource of each; they need a name only.
    """

    def __init__(self, first: Iterable[tuple[Resource, Object]] = ()) -> None:
        self.version = 1
        self._objects: dict[Resource, dict[Place, Object]] = {}
        self._events: deque[Event] = deque(maxlen=HISTORY)
        self._listeners: list[Listener] = []
        for resource, made in first:
            metadata = made["metadata"]
            place = (metadata.get("namespace", ""), metadata["name"])
            self._objects.setdefault(resource, {})[place] = made

    # Reading

    def find(self, group: str, plural: str, namespace: str, name: str) -> Object | None:
        """Give one object, None without it; `namespace` is "" for what is in none."""
        return self._objects.get((group, plural), {}).get((namespace, name))

    def objects(self, group: str, plural: str, namespace: str | None = None) -> Iterator[Object]:
        """Give all objects of a resource, of one namespace or (None) all, in no order."""
        for place, found in list(self._objects.get((group, plural), {}).items()):
            if namespace is None or place[0] == namespace:
                yield found

    def everything(self) -> Iterator[tuple[Resource, Place, Object]]:
        """Give every object with where it is."""
        for resource, objects in list(self._objects.items()):
            for place, found in list(objects.items()):
                yield resource, place, found

    def at(self, resource: Resource, version: int) -> list[tuple[Place, Object]]:
        """Give a resource's objects as they were at a version, by namespace and name.

        Raises `Refusal` 410 where that is too long ago, 504 for a version still to come.
        """
        objects = dict(self._objects.get(resource, {}))
        for event in reversed(self._since(version)):
            if event.resource == resource:
                if event.before is None:
                    objects.pop(event.place, None)
                else:
                    objects[event.place] = event.before
        return sorted(objects.items(), key=lambda item: item[0])

    def since(self, resource: Resource, version: int) -> list[Event]:
        """Give what happened to a resource after a version; raises `Refusal` as `at` does."""
        return [event for event in self._since(version) if event.resource == resource]

    def _since(self, version: int) -> list[Event]:
        if version > self.version:
            raise Refusal(
                504,
                f"Too large resource version: {version}, current: {self.version}",
                "Timeout",
                {
                    "causes": [
                        {
                            "reason": "ResourceVersionTooLarge",
                            "message": "Too large resource version",
                        }
                    ],
                    "retryAfterSeconds": 1,
                },
            )
        past = self.version - version
        if past > len(self._events):
            raise Refusal(410, f"too old resource version: {version} ({self._oldest})", "Expired")
        return list(itertools.islice(self._events, len(self._events) - past, None))

    @property
    def _oldest(self) -> int:
        return self.version - len(self._events)

    # Changing

    def put(self, resource: Resource, place: Place, made: Object) -> Object:
        """Keep an object, new or in the place of another, and give it with its version."""
        objects = self._objects.setdefault(resource, {})
        before = objects.get(place)
        kept = self._versioned(made)
        objects[place] = kept
        self._tell("MODIFIED" if before is not None else "ADDED", resource, place, kept, before)
        return kept

    def remove(self, resource: Resource, place: Place) -> Object:
        """Remove an object that is there, and give it as it was, with the version of its end."""
        before = self._objects[resource].pop(place)
        gone = self._versioned(before)
        self._tell("DELETED", resource, place, gone, before)
        return gone

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every change from now on; gives what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _versioned(self, made: Object) -> Object:
        self.version += 1
        return {**made, "metadata": {**made["metadata"], "resourceVersion": str(self.version)}}

    def _tell(
        self, kind: str, resource: Resource, place: Place, made: Object, before: Object | None
    ) -> None:
        event = Event(self.version, kind, resource, place, made, before)
        self._events.append(event)
        for listener in list(self._listeners):
            listener(event)
