"""One type of the Kubernetes API, as far as merging and checking objects goes by it.

Pure. A node says what OpenAPI says with Kubernetes' extensions:
https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(slots=True, eq=False)
class Node:
    """A type; nodes of types that contain themselves are cycles.

    `type` is `object`, `array`, `string`, `integer`, `number`, `boolean`, or "" for anything.
    `name` and `format` are Go's, for messages; `limits` are the checks of a custom resource's
    values, as its schema has them.
    """

    type: str = ""
    fields: dict[str, Node] = field(default_factory=dict)  # of an object
    values: Node | None = None  # of an object that is a map: the type of each value
    items: Node | None = None  # of an array
    required: tuple[str, ...] = ()
    default: object = None  # None: without one
    keeps_unknown: bool = False  # fields that are not named are kept (a map keeps all anyway)
    int_or_string: bool = False
    nullable: bool = False
    name: str = ""
    format: str = ""
    limits: Mapping[str, Any] = field(default_factory=dict)
    zero: Mapping[str, Any] | None = None  # of a built-in kind: what Go writes of an empty one
    # Server-side apply: x-kubernetes-list-type, -list-map-keys and -map-type
    list_type: str = "atomic"  # or "set" or "map"
    list_keys: tuple[str, ...] = ()
    atomic: bool = False  # an object that has one owner for all of it
    # Strategic merge patch: x-kubernetes-patch-strategy and -patch-merge-key
    strategies: tuple[str, ...] = ()  # of "merge", "replace" and "retainKeys"
    merge_key: str = ""


Resolve = Callable[[str], Node]

_LIMITS = (
    *("enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "pattern", "minItems", "maxItems", "minProperties"),
    "maxProperties",
)


def read(schema: Mapping[str, Any], resolve: Resolve, into: Node | None = None) -> Node:
    """Read an OpenAPI schema; `resolve` gives the node of a reference.

    `into` is filled where a node has to be there before its fields are, since a type may contain
    itself.
    """
    references = schema.get("allOf", [])
    if len(references) == 1 and "$ref" in references[0]:
        return _referred(schema, resolve(references[0]["$ref"].rpartition("/")[2]))
    if "$ref" in schema:
        return _referred(schema, resolve(schema["$ref"].rpartition("/")[2]))
    node = Node() if into is None else into
    node.type = schema.get("type", "")
    node.fields = {name: read(each, resolve) for name, each in schema.get("properties", {}).items()}
    values = schema.get("additionalProperties")
    if values is not None:
        node.values = read(values, resolve) if isinstance(values, Mapping) else Node()
    if "items" in schema:
        node.items = read(schema["items"], resolve)
    node.required = tuple(schema.get("required", ()))
    node.nullable = bool(schema.get("nullable"))
    node.format = schema.get("format", "")
    node.limits = {name: schema[name] for name in _LIMITS if name in schema}
    node.int_or_string = (
        bool(schema.get("x-kubernetes-int-or-string")) or node.format == "int-or-string"
    )
    if node.int_or_string:
        node.type = ""
    if schema.get("x-kubernetes-embedded-resource"):
        node.required = (*node.required, "apiVersion", "kind")
    # An object of which nothing is said (a RawExtension) is whatever is put there.
    open_object = node.type == "object" and not node.fields and node.values is None
    node.keeps_unknown = bool(schema.get("x-kubernetes-preserve-unknown-fields")) or open_object
    _extend(node, schema)
    return node


def _referred(schema: Mapping[str, Any], node: Node) -> Node:
    if any(name.startswith("x-kubernetes-") for name in schema) or schema.get("default"):
        node = replace(node)
        _extend(node, schema)
    return node


def _extend(node: Node, schema: Mapping[str, Any]) -> None:
    node.default = schema.get("default", node.default)
    node.list_type = schema.get("x-kubernetes-list-type", node.list_type)
    node.list_keys = tuple(schema.get("x-kubernetes-list-map-keys", node.list_keys))
    node.atomic = node.atomic or schema.get("x-kubernetes-map-type") == "atomic"
    strategy = schema.get("x-kubernetes-patch-strategy", "")
    node.strategies = tuple(strategy.split(",")) if strategy else node.strategies
    node.merge_key = schema.get("x-kubernetes-patch-merge-key", node.merge_key)
