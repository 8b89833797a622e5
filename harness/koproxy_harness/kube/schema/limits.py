"""What the schema of a custom resource asks of its values, and which of them break it.

Pure. https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from koproxy_harness.kube.quoting import quoted
from koproxy_harness.kube.schema.node import Node
from koproxy_harness.kube.schema.sameness import same

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
            has_nothing = name not in filled or (filled[name] is None and not field.nullable)
            if field.default is not None and has_nothing:
                filled[name] = copy.deepcopy(field.default)
        return filled
    if isinstance(value, list) and node.items is not None:
        return [defaulted(node.items, each) for each in value]
    return value


def without_nulls(node: Node, value: Any) -> Any:
    """Give the value without the members that are null where their type doesn't allow it."""
    if isinstance(value, Mapping) and (node.fields or node.values is not None):
        kept = {}
        for name, each in value.items():
            field = node.fields.get(name) or node.values
            if field is None:
                kept[name] = each
            elif each is not None or field.nullable:
                kept[name] = without_nulls(field, each)
        return kept
    if isinstance(value, list) and node.items is not None:
        return [without_nulls(node.items, each) for each in value]
    return value


def broken(node: Node, value: Any, path: str = "") -> Iterator[Cause]:
    """Give a cause, as in a `Status` with the reason Invalid, for each limit that is broken."""
    if value is None and (node.nullable or not path):
        return
    yield from _unlisted(node, value, path)
    if not _is(node, value):
        yield _mistyped(node, value, path)
        return
    if not _is_in_range(node, value):
        why = f"Checked value must be of type integer with format {node.format} in {path}"
        yield {"reason": _INVALID, "message": f'Invalid value: "": {why}', "field": "<nil>"}
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
    if isinstance(value, bool):
        return node.type == "boolean" or not (node.type or node.int_or_string)
    if node.int_or_string:
        return isinstance(value, int | str)
    if node.type == "integer" and isinstance(value, float):
        return value.is_integer()
    return not node.type or isinstance(value, _TYPES[node.type])


def _is_in_range(node: Node, value: Any) -> bool:
    bits = {"int32": 31, "int64": 63}.get(node.format if node.type == "integer" else "")
    return bits is None or -(2**bits) <= value < 2**bits


def _unlisted(node: Node, value: Any, path: str) -> Iterator[Cause]:
    known = node.limits.get("enum")
    if known is None or any(same(each, value) for each in known):
        return
    said = ", ".join(quoted(each if isinstance(each, str) else _json(each)) for each in known)
    yield {
        "reason": "FieldValueNotSupported",
        "message": f"Unsupported value: {_json(value)}: supported values: {said}",
        "field": path,
    }


def _limits(node: Node, value: Any, path: str) -> Iterator[Cause]:
    limits = node.limits
    match value:
        case bool():
            return
        case int() | float():
            yield from _of_a_number(limits, value, path)
        case str():
            yield from islice(_of_a_text(limits, value, path), 1)  # the first of them is said
        case list():
            yield from _of_a_length(limits, "Items", len(value), path)
        case Mapping():
            yield from _of_a_length(limits, "Properties", len(value), path)


def _of_a_number(limits: Mapping[str, Any], value: Any, path: str) -> Iterator[Cause]:
    # An integer is compared with the whole part of a limit.
    whole = int if isinstance(value, int) else float
    if "minimum" in limits:
        least, above = whole(limits["minimum"]), limits.get("exclusiveMinimum", False)
        if value < least or (above and value == least):
            than = "greater than" if above else "greater than or equal to"
            yield _invalid(path, value, f"should be {than} {_json(least)}")
    if "maximum" in limits:
        most, below = whole(limits["maximum"]), limits.get("exclusiveMaximum", False)
        if value > most or (below and value == most):
            than = "less than" if below else "less than or equal to"
            yield _invalid(path, value, f"should be {than} {_json(most)}")
    if "multipleOf" in limits and value % limits["multipleOf"]:
        yield _invalid(path, value, f"should be a multiple of {_json(limits['multipleOf'])}")


def _of_a_text(limits: Mapping[str, Any], value: str, path: str) -> Iterator[Cause]:
    longest, shortest = limits.get("maxLength"), limits.get("minLength", 0)
    if longest is not None and len(value) > longest:
        why = f"Too long: may not be more than {longest} bytes"
        yield {"reason": "FieldValueTooLong", "message": why, "field": path}
    if len(value) < shortest:
        yield _invalid(path, value, f"should be at least {shortest} chars long")
    if "pattern" in limits and not re.search(limits["pattern"], value):
        yield _invalid(path, value, f"should match '{limits['pattern']}'")


def _of_a_length(limits: Mapping[str, Any], of: str, length: int, path: str) -> Iterator[Cause]:
    most, least = limits.get(f"max{of}"), limits.get(f"min{of}", 0)
    if most is not None and length > most:
        why = f"Too many: {length}: must have at most {most} items"
        yield {"reason": "FieldValueTooMany", "message": why, "field": path}
    if length < least:
        yield _invalid(path, length, f"should have at least {least} {of.lower()}")


_INVALID = "FieldValueInvalid"


def _invalid(path: str, value: Any, says: str) -> Cause:
    message = f"Invalid value: {_json(value)}: {path} in body {says}"
    return {"reason": _INVALID, "message": message, "field": path}


def _mistyped(node: Node, value: Any, path: str) -> Cause:
    wanted = "integer,string" if node.int_or_string else node.type
    kind = _kind(value)
    why = f'Invalid value: "{kind}": {path} in body must be of type {wanted}: "{kind}"'
    return {"reason": "FieldValueTypeInvalid", "message": why, "field": path}


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return next(name for name, types in _TYPES.items() if isinstance(value, types))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
