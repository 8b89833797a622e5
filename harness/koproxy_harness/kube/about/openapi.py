"""OpenAPI v3 documents, one for each group version, as far as clients go by them.

Pure. A document has the types of its kinds and, for each kind, the paths with the parameters and
content types that kubectl looks for. Descriptions there are none.
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.schema import builtin

Document = dict[str, Any]
Schema = Mapping[str, Any]

_JSON = "application/json"
_PATCHES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
)
_STRATEGIC = "application/strategic-merge-patch+json"
_OURS = ("x-numbers", "x-zero")  # which no OpenAPI has
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_ACTIONS = {
    "get": ("get", "get"),
    "list": ("get", "list"),
    "create": ("post", "post"),
    "update": ("put", "put"),
    "patch": ("patch", "patch"),
    "delete": ("delete", "delete"),
    "deletecollection": ("delete", "deletecollection"),
}
_OF_COLLECTIONS = ("list", "create", "deletecollection")
_WRITING = ("create", "update", "patch")


@cache
def of_builtin(group_version: str) -> Document:
    """Give the document of a built-in group version, the same for every server."""
    kinds = [kind for kind in builtin.kinds() if kind.group_version == group_version]
    return _document(kinds, {kind: _name(kind) for kind in kinds}, {})


def of_custom(schemas: Mapping[Kind, Schema]) -> Document:
    """Give the document of a group version of custom resources, with their schemas."""
    names = {kind: _custom_name(kind) for kind in schemas}
    components = {
        names[kind]: {
            **schema,
            "type": "object",
            "properties": {
                **schema.get("properties", {}),
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                "metadata": {"allOf": [_reference(f"{_META}ObjectMeta")]},
            },
            "x-kubernetes-group-version-kind": [_gvk(kind)],
        }
        for kind, schema in schemas.items()
    }
    return _document(list(schemas), names, components)


def _document(
    kinds: list[Kind], names: Mapping[Kind, str | None], custom: Mapping[str, Schema]
) -> Document:
    paths: dict[str, Document] = {}
    for kind in kinds:
        for path, item in _paths(kind, names[kind], custom=bool(custom)):
            paths[path] = item
    wanted = [*(name for name in names.values() if name), f"{_META}DeleteOptions"]
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": builtin.facts()["version"]["gitVersion"]},
        "paths": paths,
        "components": {"schemas": {**_components([*wanted, *_references(custom)]), **custom}},
    }


def _components(names: Iterable[str]) -> dict[str, Schema]:
    """Give the schemas of these names and of all that they refer to."""
    known = builtin.facts()["schemas"]
    found: dict[str, Schema] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found and name in known:
            schema = {key: each for key, each in known[name].items() if key not in _OURS}
            found[name] = schema
            waiting.extend(_references(schema))
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key == "$ref" and isinstance(each, str):
                yield each.rpartition("/")[2]
            else:
                yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _paths(kind: Kind, name: str | None, custom: bool) -> Iterator[tuple[str, Document]]:
    start = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    places = [f"{start}/{kind.plural}"]
    if kind.namespaced:
        places.append(f"{start}/namespaces/{{namespace}}/{kind.plural}")
    verbs = [verb for verb in _ACTIONS if verb in kind.verbs]
    for place in places:
        collection = [verb for verb in verbs if verb in _OF_COLLECTIONS]
        if place != places[-1]:
            collection = [verb for verb in collection if verb == "list"]
        if collection:
            yield place, _item(kind, name, collection, custom)
    single = [verb for verb in verbs if verb not in _OF_COLLECTIONS]
    if single:
        yield f"{places[-1]}/{{name}}", _item(kind, name, single, custom)
    if "status" in kind.subresources:
        verbs = ["get", "update", "patch"]
        yield f"{places[-1]}/{{name}}/status", _item(kind, name, verbs, custom)


def _item(kind: Kind, name: str | None, verbs: list[str], custom: bool) -> Document:
    return {_ACTIONS[verb][0]: _operation(kind, name, verb, custom) for verb in verbs}


def _operation(kind: Kind, name: str | None, verb: str, custom: bool) -> Document:
    schema = _reference(name) if name else {"type": "object"}
    operation: Document = {
        "parameters": [_parameter("pretty")],
        "responses": {"200": {"description": "OK", "content": {_JSON: {"schema": schema}}}},
        "x-kubernetes-action": _ACTIONS[verb][1],
        "x-kubernetes-group-version-kind": _gvk(kind),
    }
    if verb in _WRITING:
        operation["parameters"] += [
            _parameter(each) for each in ("dryRun", "fieldManager", "fieldValidation")
        ]
        kinds = [_JSON]
        if verb == "patch":
            kinds = [*_PATCHES] if custom else [*_PATCHES, _STRATEGIC]
            operation["parameters"].append(_parameter("force", "boolean"))
        operation["requestBody"] = {
            "content": {each: {"schema": schema} for each in kinds},
            "required": True,
        }
    return operation


def _parameter(name: str, kind: str = "string") -> Document:
    return {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}}


def _reference(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def _gvk(kind: Kind) -> Document:
    return {"group": kind.group, "version": kind.version, "kind": kind.name}


def _name(kind: Kind) -> str | None:
    return builtin.names().get((kind.group, kind.version, kind.name))


def _custom_name(kind: Kind) -> str:
    return ".".join([*reversed(kind.group.split(".")), kind.version, kind.name])
