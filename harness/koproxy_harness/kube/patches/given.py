"""What somebody applies, read and held against its type. Pure.

https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from koproxy_harness import yaml_values
from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.patches.fields import child, named, shown_part
from koproxy_harness.kube.patches.go import go, go_type
from koproxy_harness.kube.schema.node import Node
from koproxy_harness.kube.status import Refusal

_META = ("apiVersion", "kind", "metadata")  # which a schema may leave out


def given_object(
    node: Node, kind: Kind, body: bytes, old: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Give the object in the body of an apply patch; `old` is what is there already.

    Raises `Refusal`: 400 for what is no object of this kind, 500 for one that its type doesn't
    allow.
    """
    try:
        given = yaml_values.document(body)
    except (yaml.YAMLError, yaml_values.NotJson) as error:
        raise Refusal(400, f"error decoding YAML: error converting YAML to JSON: {error}") from None
    if given is not None and not isinstance(given, dict):
        raise Refusal(
            400,
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot "
            f"unmarshal {go_type(given)} into Go value of type map[string]interface {{}}",
        )
    given = given or {}
    group, _, version = str(given.get("apiVersion") or "").rpartition("/")
    called = f"{group}/{version}, Kind={given.get('kind') or ''}"
    if (group, version, given.get("kind")) != (kind.group, kind.version, kind.name):
        raise Refusal(400, f"invalid object type: {called}")
    metadata = given.get("metadata")
    if isinstance(metadata, dict) and "managedFields" in metadata:
        raise Refusal(400, "metadata.managedFields must be nil")
    typed = {name: each for name, each in given.items() if name in node.fields or name not in _META}
    wrong = list(_wrong(node, typed, ""))
    if wrong:
        said = wrong[0] if len(wrong) == 1 else "errors:" + "".join(f"\n  {each}" for each in wrong)
        metadata = metadata if isinstance(metadata, dict) else {}
        place = f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}"
        raise Refusal(500, f"failed to create typed patch object ({place}; {called}): {said}")
    return {**given, "metadata": dict(metadata or {})}


def _wrong(node: Node, value: Any, at: str) -> Iterator[str]:
    if value is None:
        return
    if node.fields or node.values is not None or node.type == "object":
        if not isinstance(value, dict):
            yield f"{at}: expected map, got &{{{go(value)}}}"
            return
        closed = node.fields and node.values is None and not node.keeps_unknown
        for name in sorted(value):
            if closed and name not in node.fields:
                yield f"{at}.{name}: field not declared in schema"
                return
        for name in sorted(value):
            yield from _wrong(child(node, name), value[name], f"{at}.{name}")
    elif node.type == "array":
        if not isinstance(value, list):
            yield f"{at}: expected list, got &{{{go(value)}}}"
            return
        yield from _wrong_items(node, value, at)
    else:
        yield from _wrong_scalar(node, value, at)


def _wrong_items(node: Node, value: list[Any], at: str) -> Iterator[str]:
    items, seen = node.items or Node(), set()
    for number, each in enumerate(value):
        if node.list_type == "atomic":
            yield from _wrong(items, each, f"{at}[{number}]")
            continue
        why = _no_item(node, each)
        if why:
            yield f"{at}: element {number}: {why}"
            return
        name = named(node, each)
        if name in seen:
            yield f"{at}: duplicate entries for key {shown_part(name)}"
            return
        seen.add(name)
        yield from _wrong(items, each, f"{at}{shown_part(name)}")


def _no_item(node: Node, each: Any) -> str:
    if node.list_type == "set":
        kinds = {dict: "that's a map type", type(None): "that's an explicit null"}
        kind = kinds.get(type(each), "")
        return f"associative list without keys has an element {kind}" if kind else ""
    if each is None:
        return "associative list with keys may not have a null element"
    if not isinstance(each, dict):
        return "associative list with keys may not have non-map elements"
    if named(node, each) == "k:{}":
        keys = " ".join(f'"{key}"' for key in node.list_keys)
        return (
            f"associative list with keys has an element that omits all key fields [{keys}] (and "
            "doesn't have default values for any key fields)"
        )
    return ""


def _wrong_scalar(node: Node, value: Any, at: str) -> Iterator[str]:
    match node.type:
        case "string" if not isinstance(value, str):
            yield f"{at}: expected string, got {go(value, deep=True)}"
        case "boolean" if not isinstance(value, bool):
            yield f"{at}: expected boolean, got &{{{go(value)}}}"
        case "integer" | "number" if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{at}: expected numeric (int or float), got {go_type(value)}"
