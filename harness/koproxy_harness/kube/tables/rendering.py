"""Answers as tables or as metadata, for the verbs. Pure but for the time, which can be given."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.tables.accept import Shape, not_acceptable, shape
from koproxy_harness.kube.tables.cells import cells
from koproxy_harness.kube.tables.columns import COLUMNS, OTHERS, definitions
from koproxy_harness.kube.tables.custom import USUAL, custom_cells, custom_definitions

Object = Mapping[str, Any]


class Rendering:
    """How the objects of one request are shown; one for each request."""

    def list(self, objects: Iterable[Object], metadata: dict[str, Any]) -> dict[str, Any]:
        """Give the answer to a list."""
        raise NotImplementedError

    def one(self, made: Object) -> dict[str, Any]:
        """Give the answer that is about one object."""
        raise NotImplementedError

    def event(self, made: Object) -> dict[str, Any]:
        """Give what a watch says of an object."""
        return self.one(made)


class _Metadata(Rendering):
    def __init__(self, asked: Shape, type_: str) -> None:
        self._asked, self._version, self._type = asked.name, _group_version(asked), type_

    def list(self, objects: Iterable[Object], metadata: dict[str, Any]) -> dict[str, Any]:
        if not self._asked.endswith("List"):
            raise self._refusal(f"a list ({self._type}List)")
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": self._version,
            "metadata": metadata,
            "items": [self.event(made) for made in objects],
        }

    def one(self, made: Object) -> dict[str, Any]:
        if self._asked.endswith("List"):
            raise self._refusal(f"not a list ({self._type})")
        return self.event(made)

    def event(self, made: Object) -> dict[str, Any]:
        return _metadata(made, self._version)

    def _refusal(self, what: str) -> Refusal:
        return not_acceptable(f"you requested {self._asked}, but the requested object is {what}")


class _Table(Rendering):
    def __init__(
        self,
        definitions: Sequence[Mapping[str, Any]],
        row: Callable[[Object], Sequence[Any]],
        include: str,
        version: str,
    ) -> None:
        self._definitions, self._row = definitions, row
        self._include, self._version = include, version
        self._begun = False  # a watch's columns come with its first event alone

    def list(self, objects: Iterable[Object], metadata: dict[str, Any]) -> dict[str, Any]:
        return {
            "kind": "Table",
            "apiVersion": self._version,
            "metadata": metadata,
            "columnDefinitions": self._definitions,
            "rows": [self._shown(made) for made in objects],
        }

    def one(self, made: Object) -> dict[str, Any]:
        version = made["metadata"].get("resourceVersion", "")
        return self.list([made], {"resourceVersion": version})

    def event(self, made: Object) -> dict[str, Any]:
        table = self.one(made)
        if self._begun:
            table["columnDefinitions"] = None
        self._begun = True
        return table

    def _shown(self, made: Object) -> dict[str, Any]:
        row: dict[str, Any] = {"cells": list(self._row(made)), "object": None}
        if self._include == "Object":
            row["object"] = made
        elif self._include == "Metadata":
            row["object"] = _metadata(made, self._version)
        return row


def _metadata(made: Object, version: str) -> dict[str, Any]:
    metadata = made["metadata"]
    return {"kind": "PartialObjectMetadata", "apiVersion": version, "metadata": metadata}


def _group_version(asked: Shape) -> str:
    return f"meta.k8s.io/{asked.version}"


def _type(kind: Kind, custom: bool) -> str:
    """Name a kind's type as a server in Go does, which is seen in what it refuses."""
    if custom:
        return "*unstructured.Unstructured"
    package = kind.group.partition(".")[0]
    return f"*{'core' if package in ('', 'events') else package}.{kind.name}"


def rendering(
    accept: str,
    kind: Kind,
    query: Mapping[str, str],
    columns: Sequence[Mapping[str, Any]] | None = None,
    now: Callable[[], float] = time.time,
) -> Rendering | None:
    """Say how a request wants objects shown, None for as they are.

    `columns` are a definition's additionalPrinterColumns, None for a built-in kind; `now` gives
    seconds since the epoch. Raises `Refusal` 406 for an Accept field of which nothing can be given,
    400 for an `includeObject` that there isn't.
    """
    asked = shape(accept)
    if not asked.name:
        return None
    if asked.name != "Table":
        return _Metadata(asked, _type(kind, columns is not None))
    include = query.get("includeObject", "") or "Metadata"
    if include not in ("None", "Metadata", "Object"):
        raise Refusal(
            400,
            "Unable to convert to Table as requested: includeObject: Invalid value: "
            f"\"{include}\": must be 'Metadata', 'Object', 'None', or empty",
        )
    version = _group_version(asked)
    if columns is not None:
        shown = columns or USUAL
        return _Table(
            custom_definitions(shown),
            lambda made: custom_cells(shown, made, now()),
            *(include, version),
        )
    return _Table(
        definitions(COLUMNS.get(kind.resource, OTHERS)),
        lambda made: cells(kind.resource, made, now()),
        *(include, version),
    )
