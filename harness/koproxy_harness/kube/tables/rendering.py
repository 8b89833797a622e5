"""Answers as tables or as metadata, for the verbs. Pure but for the time, which can be given."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.tables.accept import shape
from koproxy_harness.kube.tables.cells import cells
from koproxy_harness.kube.tables.columns import COLUMNS, OTHERS, definitions
from koproxy_harness.kube.tables.custom import custom_cells, custom_definitions

Object = Mapping[str, Any]
_META = "meta.k8s.io/v1"


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
    def list(self, objects: Iterable[Object], metadata: dict[str, Any]) -> dict[str, Any]:
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": _META,
            "metadata": metadata,
            "items": [self.one(made) for made in objects],
        }

    def one(self, made: Object) -> dict[str, Any]:
        return {
            "kind": "PartialObjectMetadata",
            "apiVersion": _META,
            "metadata": made["metadata"],
        }


class _Table(Rendering):
    def __init__(
        self,
        definitions: Sequence[Mapping[str, Any]],
        row: Callable[[Object], Sequence[Any]],
        include: str,
    ) -> None:
        self._definitions, self._row, self._include = definitions, row, include
        self._begun = False  # a watch's columns come with its first event alone

    def list(self, objects: Iterable[Object], metadata: dict[str, Any]) -> dict[str, Any]:
        return {
            "kind": "Table",
            "apiVersion": _META,
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
            row["object"] = _Metadata().one(made)
        return row


def rendering(
    accept: str,
    kind: Kind,
    query: Mapping[str, str],
    columns: Sequence[Mapping[str, Any]] = (),
    now: Callable[[], float] = time.time,
) -> Rendering | None:
    """Say how a request wants objects shown, None for as they are.

    `columns` are a definition's additionalPrinterColumns, `now` gives seconds since the epoch.
    Raises `Refusal` 400 for an `includeObject` that there isn't.
    """
    asked = shape(accept)
    if not asked:
        return None
    if asked != "Table":
        return _Metadata()
    include = query.get("includeObject", "") or "Metadata"
    if include not in ("None", "Metadata", "Object"):
        raise Refusal(
            400,
            "Unable to convert to Table as requested: includeObject: Invalid value: "
            f"\"{include}\": must be 'Metadata', 'Object', 'None', or empty",
        )
    if columns:
        return _Table(
            custom_definitions(columns), lambda made: custom_cells(columns, made, now()), include
        )
    line = COLUMNS.get(kind.resource, OTHERS)
    return _Table(definitions(line), lambda made: cells(kind.resource, made, now()), include)
