"""A custom kind with columns of every type, and objects that have much of it or nothing."""

from __future__ import annotations

from typing import Any

_COLUMNS = [
    ("Text", "string", ".spec.text"),
    ("Number", "integer", ".spec.whole"),
    ("Half", "number", ".spec.half"),
    ("Float", "integer", ".spec.half"),
    ("Whole", "number", ".spec.whole"),
    ("Yes", "boolean", ".spec.yes"),
    ("When", "date", ".spec.when"),
    ("Made", "date", ".metadata.creationTimestamp"),
    ("Odd", "date", ".spec.text"),
    ("Object", "string", ".spec.map"),
    ("Array", "string", ".spec.list"),
    ("First", "string", ".spec.list[0]"),
    ("Last", "string", ".spec.list[-1]"),
    ("Any", "string", ".spec.list[*]"),
    ("Beyond", "string", ".spec.list[7]"),
    ("Dotted", "string", r".metadata.annotations.a\.b/c"),
    ("Quoted", "string", ".spec.map['k.x']"),
    ("Escaped", "string", r".spec.map['k\.x']"),
    ("Truth", "string", ".spec.yes"),
    ("Digits", "string", ".spec.whole"),
    ("Fraction", "string", ".spec.half"),
    ("Wrong", "integer", ".spec.text"),
    ("Untrue", "boolean", ".spec.text"),
    ("Nothing", "string", ".spec.nothing.at.all"),
    ("Ready", "string", '.state.conditions[?(@.type=="Ready")].status'),
    ("Unready", "string", ".state.conditions[?(@.type!='Ready')].status"),
    ("Items", "string", ".spec.items[*].name"),
    ("Slice", "string", ".spec.list[0:2]"),
    ("Deep", "string", ".spec.items[?(@.size>1)].name"),
]
_ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.tables.example"},
    "spec": {
        "group": "tables.example",
        "scope": "Namespaced",
        "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "additionalPrinterColumns": [
                    *(
                        {"name": name, "type": type_, "jsonPath": path}
                        for name, type_, path in _COLUMNS
                    ),
                    {
                        **{"name": "More", "type": "integer", "jsonPath": ".spec.whole"},
                        **{"format": "int32", "priority": 2, "description": "More of it."},
                    },
                ],
                "schema": {"openAPIV3Schema": _ANYTHING},
            }
        ],
    },
}
_FULL = {
    "text": "said",
    "whole": 12,
    "half": 1.5,
    "yes": True,
    "when": "2024-01-01T00:00:00Z",
    "list": ["a", "b", "c"],
    "map": {"k.x": "v", "b": [1, {"c": None}], "a": '<"&'},
    "items": [{"name": "one", "size": 1}, {"name": "two", "size": 2}, {"size": 3}],
}
_CONDITIONS = [{"type": "Other", "status": "True"}, {"type": "Ready", "status": "False"}]


def _thing(name: str, spec: Any, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "annotations": {"a.b/c": "noted"}}
    return {
        "apiVersion": "tables.example/v1",
        "kind": "Thing",
        "metadata": metadata,
        "spec": spec,
        **more,
    }


THINGS = [
    _thing("full", _FULL, state={"conditions": _CONDITIONS}),
    _thing("empty", {}),
    _thing("null", dict.fromkeys(_FULL)),
    _thing("odd", {**_FULL, "list": [], "map": {}, "text": "", "yes": False, "whole": 0}),
    _thing("other", {**_FULL, "list": [{"b": 1, "a": 2}, [1.0]], "half": 2.0, "when": 7}),
    _thing("large", {"whole": 12345678901, "half": 15000000.5}),
    _thing("mistyped", {"text": 5, "list": "abc", "yes": "true", "whole": True, "half": "1"}),
]

BARE: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "bares.tables.example"},
    "spec": {
        "group": "tables.example",
        "scope": "Namespaced",
        "names": {"plural": "bares", "singular": "bare", "kind": "Bare"},
        "versions": [
            {
                **{"name": "v1", "served": True, "storage": True},
                "schema": {"openAPIV3Schema": _ANYTHING},
            }
        ],
    },
}
"""A kind without columns of its own."""
BARE_THINGS = [{**_thing("one", {}), "kind": "Bare"}]
