"""The objects that a test puts into the store itself, past what clients have to go through.

What isn't of its type is refused all the same, since it would be a mistake in the test; whether it
is complete isn't looked at, so that a test need say no more than what matters to it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import yaml

from koproxy_harness import yaml_values
from koproxy_harness.errors import HarnessError
from koproxy_harness.kube import defaults
from koproxy_harness.kube.kinds import Kind, Kinds
from koproxy_harness.kube.schema.checking import Mistyped, checked
from koproxy_harness.kube.schema.schemas import Schemas
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.store import Object, Place, Store
from koproxy_harness.kube.verbs import deleting, making
from koproxy_harness.kube.verbs.definitions import DEFINITIONS, Definitions
from koproxy_harness.serving.clock import Clock

Manifest = str | dict[str, Any] | Iterable[dict[str, Any]]


class Setting:
    """Puts objects into a store, and takes them out."""

    def __init__(
        self, store: Store, kinds: Kinds, schemas: Schemas, definitions: Definitions, clock: Clock
    ) -> None:
        self._store = store
        self._kinds = kinds
        self._schemas = schemas
        self._definitions = definitions
        self._clock = clock

    def apply(self, manifest: Manifest) -> None:
        """Put objects there, or in the place of those with their names.

        Raises `HarnessError` for what is no object of a kind that is served.
        """
        for each in _objects(manifest):
            items = each.get("items") if str(each.get("kind", "")).endswith("List") else None
            if isinstance(items, list):
                self.apply(items)
            else:
                self._apply(each)

    def find(self, kind: str, name: str, namespace: str) -> Object | None:
        """Give an object by the name of its kind or resource, None without it.

        It is a copy, which a test may change.
        """
        known = self._named(kind)
        return copy.deepcopy(self._store.find(*known.resource, *_place(known, name, namespace)))

    def delete(self, kind: str, name: str, namespace: str) -> None:
        """Remove an object, whatever its finalizers; raises `HarnessError` without it."""
        known = self._named(kind)
        place = _place(known, name, namespace)
        if self._store.find(*known.resource, *place) is None:
            raise HarnessError(f"there is no {known.name} called {name!r} to delete")
        gone = deleting.remove(self._store, known.resource, place, self._clock.text)
        if known.resource == DEFINITIONS:
            self._definitions.drop(gone)

    def _apply(self, given: Object) -> None:
        kind = self._kind_of(given)
        metadata = given.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if not name or not isinstance(metadata, dict):
            raise HarnessError(f"a {kind.name} can't be applied: it has no metadata.name")
        where = f"the {kind.name} {name!r} can't be applied"
        try:
            made, unknown = checked(
                self._schemas.of(kind),
                {**given, "apiVersion": kind.group_version, "kind": kind.name},
            )
        except Mistyped as wrong:
            raise HarnessError(f"{where}: {wrong}") from None
        if unknown:
            raise HarnessError(f"{where}: {', '.join(unknown)}")
        if not self._schemas.is_custom(kind):
            made = defaults.complete(self._schemas.of(kind), made)
        place = _place(kind, name, metadata.get("namespace") or "default")
        if kind.namespaced and self._store.find("", "namespaces", "", place[0]) is None:
            raise HarnessError(f"{where}: there is no namespace {place[0]!r}; apply that first")
        try:
            self._put(kind, place, made)
        except Refusal as refusal:
            raise HarnessError(f"{where}: {refusal}") from None

    def _put(self, kind: Kind, place: Place, given: Object) -> None:
        old = self._store.find(*kind.resource, *place)
        if old is None:
            made = making.new(
                *(kind, self._schemas.of(kind), given, place[0], self._clock.text),
                self._schemas.is_custom(kind),
            )
            if "status" in given:
                made["status"] = {**made.get("status", {}), **given["status"]}
        else:
            there = old["metadata"]
            kept = ("uid", "creationTimestamp", "generation", "managedFields")
            metadata = {
                **given["metadata"],
                **{key: there[key] for key in kept if key in there},
                **({"namespace": place[0]} if place[0] else {}),
            }
            made = {**given, "metadata": metadata}
            if "status" in old:
                made.setdefault("status", old["status"])
        if kind.resource == DEFINITIONS:
            made = self._definitions.take(made, self._clock.text)
        self._store.put(kind.resource, place, made)

    def _kind_of(self, given: Object) -> Kind:
        name, version = given.get("kind"), given.get("apiVersion")
        if not isinstance(name, str):
            raise HarnessError(f"an object can't be applied: it has no kind: {given!r:.100}")
        if not version:
            return self._named(name)
        kind = self._kinds.named(str(version), name)
        if kind is None:
            raise HarnessError(
                f"there is no kind {name!r} in {version!r}; if it is a custom one, apply its "
                "CustomResourceDefinition first"
            )
        return kind

    def _named(self, name: str) -> Kind:
        for kind in self._kinds:
            singular = kind.singular or kind.name.lower()
            if name in (kind.name, kind.plural, kind.qualified, singular, *kind.short):
                return kind
        raise HarnessError(
            f"there is no kind {name!r}; if it is a custom one, apply its "
            "CustomResourceDefinition first"
        )


def _objects(manifest: Manifest) -> list[Object]:
    if isinstance(manifest, str):
        try:
            found = [each for each in yaml_values.documents(manifest) if each is not None]
        except (yaml.YAMLError, yaml_values.NotJson) as error:
            raise HarnessError(f"the manifest is no YAML as Kubernetes takes it: {error}") from None
    elif isinstance(manifest, dict):
        found = [manifest]
    elif isinstance(manifest, Iterable) and not isinstance(manifest, bytes):
        found = list(manifest)
    else:
        raise HarnessError(
            f"a manifest is YAML, an object or a list of objects, and not {manifest!r:.100}"
        )
    return [_object(each) for each in found]


def _object(given: Any) -> Object:
    if not isinstance(given, dict):
        file = "; is it the name of a file? give its text" if isinstance(given, str) else ""
        raise HarnessError(f"the manifest has something that is no object: {given!r:.100}{file}")
    try:
        made: Object = yaml_values.as_json(given)
    except yaml_values.NotJson as wrong:
        raise HarnessError(f"the manifest can't be applied: {wrong}") from None
    return made


def _place(kind: Kind, name: str, namespace: str) -> Place:
    return (namespace if kind.namespaced else "", name)
