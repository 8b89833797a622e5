"""What the schema of a custom resource asks of its values, and which of them break it.

Pure. https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from koproxy_harness.kube.schema.node import Node

Cause = dict[str, str]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (Mapping,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def defaulted(node: Node, value: Any) -> Any:
    """Give the value with the defaults of its type where it has nothing."""
    if isinstance(value, Mapping) and (node.fields or node.values is not None):
        filled = {}
        for name, each in value.items():
            field = node.fields.get(name) or node.values
            filled[name] = each if field is None else defaulted(field, each)
        for name, field in node.fields.items():
            if (
                field.default is not None
                and filled.get(name) is None
                and not (name in filled and field.nullable)
            ):
                filled[name] = copy.deepcopy(field.default)
        return filled
    if isinstance(value, list) and node.items is not None:
        return [defaulted(node.items, each) for each in value]
    return value


def broken(node: Node, value: Any, path: str = "") -> Iterator[Cause]:
    """Give a cause, as in a `Status` with the reason Invalid, for each limit that is broken."""
    if value is None and (node.nullable or not path):
        return
    if not _is(node, value):
        yield _invalid(path, value, f"must be of type {node.type}", "FieldValueTypeInvalid")
        return
    yield from _limits(node, value, path)
    if isinstance(value, Mapping):
        for name in node.required:
            if name not in value:
                yield {
                    "reason": "FieldValueRequired",
                    "message": "Required value",
                    "field": _below(path, name),
                }
        for name, each in value.items():
            field = node.fields.get(name) or node.values
            if field is not None:
                yield from broken(field, each, _below(path, name))
    elif isinstance(value, list) and node.items is not None:
        for at, each in enumerate(value):
            yield from broken(node.items, each, f"{path}[{at}]")


def _is(node: Node, value: Any) -> bool:
    if node.int_or_string:
        return isinstance(value, int | str) and not isinstance(value, bool)
    if not node.type:
        return True
    if isinstance(value, bool):
        return node.type == "boolean"
    return isinstance(value, _TYPES[node.type])


_CHECKS: dict[str, tuple[Callable[[Any, Any], bool], str, str]] = {
    "minimum": (lambda value, limit: value >= limit, "should be greater than or equal to {}", ""),
    "maximum": (lambda value, limit: value <= limit, "should be less than or equal to {}", ""),
    "multipleOf": (lambda value, limit: value % limit == 0, "should be a multiple of {}", ""),
    "minLength": (lambda value, limit: len(value) >= limit, "should be at least {} chars long", ""),
    "maxLength": (
        lambda value, limit: len(value) <= limit,
        "may not be more than {} bytes",
        "FieldValueTooLong",
    ),
    "pattern": (lambda value, limit: bool(re.search(limit, value)), "should match '{}'", ""),
    "minItems": (lambda value, limit: len(value) >= limit, "should have at least {} items", ""),
    "maxItems": (
        lambda value, limit: len(value) <= limit,
        "must have at most {} items",
        "FieldValueTooMany",
    ),
    "minProperties": (
        lambda value, limit: len(value) >= limit,
        "should have at least {} properties",
        "",
    ),
    "maxProperties": (
        lambda value, limit: len(value) <= limit,
        "must have at most {} properties",
        "FieldValueTooMany",
    ),
}


def _limits(node: Node, value: Any, path: str) -> Iterator[Cause]:
    limits = node.limits
    if "enum" in limits and value not in limits["enum"]:
        known = ", ".join(json.dumps(each) for each in limits["enum"])
        yield {
            "reason": "FieldValueNotSupported",
            "message": f"Unsupported value: {json.dumps(value)}: supported values: {known}",
            "field": path,
        }
    for name, limit in limits.items():
        if name in _CHECKS:
            fits, says, reason = _CHECKS[name]
            if not fits(value, limit):
                yield _invalid(path, value, says.format(limit), reason or "FieldValueInvalid")


def _invalid(path: str, value: Any, says: str, reason: str) -> Cause:
    mistyped = reason == "FieldValueTypeInvalid"
    said = json.dumps(_kind(value) if mistyped else value, separators=(",", ":"))
    return {
        "reason": reason,
        "message": f"Invalid value: {said}: {path} in body {says}"
        + (f": {said}" if mistyped else ""),
        "field": path,
    }


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return next(name for name, types in _TYPES.items() if isinstance(value, types))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
