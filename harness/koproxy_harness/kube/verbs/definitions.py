"""Custom kinds come and go with the CustomResourceDefinitions in the store.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from koproxy_harness.kube.kinds import Kind, Kinds
from koproxy_harness.kube.schema.definitions import Definition, accepted, read
from koproxy_harness.kube.schema.schemas import Schemas
from koproxy_harness.kube.store import Object, Resource, Store

DEFINITIONS: Resource = ("apiextensions.k8s.io", "customresourcedefinitions")


class Definitions:
    """What the definitions of one server say, kept in step with its kinds and schemas."""

    def __init__(self, store: Store, kinds: Kinds, schemas: Schemas) -> None:
        self._store = store
        self._kinds = kinds
        self._schemas = schemas
        self._known: dict[Resource, Definition] = {}
        self._written: dict[Resource, Object] = {}

    def take(self, crd: Object, now: str) -> Object:
        """Serve what a definition says, and give it with its status; raises `Refusal` 422."""
        definition = read(crd)
        resource = (crd["spec"]["group"], crd["spec"]["names"]["plural"])
        self._forget(resource)
        self._known[resource], self._written[resource] = definition, crd
        for kind in definition.kinds:
            self._schemas.add(kind, definition.nodes[kind.version])
            self._kinds.add(kind)
        return {**crd, "status": accepted(crd, now)}

    def drop(self, crd: Object) -> None:
        """Serve it no more, and remove its objects."""
        resource = (crd["spec"]["group"], crd["spec"]["names"]["plural"])
        for found, place, _ in self._store.everything():
            if found == resource:
                self._store.remove(found, place)
        self._forget(resource)

    def _forget(self, resource: Resource) -> None:
        known = self._known.pop(resource, None)
        if known is not None:
            for kind in known.kinds:
                self._schemas.remove(kind)
            self._kinds.remove(*resource)
            del self._written[resource]

    # What is known of a custom kind

    def of(self, kind: Kind) -> Definition | None:
        """Give the definition of a kind, None for a built-in one."""
        return self._known.get(kind.resource)

    def columns(self, kind: Kind) -> Sequence[Mapping[str, Any]]:
        """Give the columns that its objects are printed with."""
        known = self.of(kind)
        return () if known is None else known.columns.get(kind.version, ())

    def fields(self, kind: Kind) -> Sequence[str]:
        """Give the fields that its objects can be selected by, as paths."""
        known = self.of(kind)
        return () if known is None else known.fields.get(kind.version, ())

    def scale(self, kind: Kind) -> Mapping[str, str]:
        """Give the paths of its scale; none for a built-in kind."""
        known = self.of(kind)
        return {} if known is None else known.scales.get(kind.version, {})

    def openapi(self) -> Mapping[Kind, dict[str, Any]]:
        """Give the schema of every custom kind as its definition has it."""
        return {
            kind: version["schema"]["openAPIV3Schema"]
            for resource, known in self._known.items()
            for kind in known.kinds
            for version in self._written[resource]["spec"]["versions"]
            if version["name"] == kind.version
        }
