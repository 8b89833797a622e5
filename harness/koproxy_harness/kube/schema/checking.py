"""Whether an object is of its type, and what of it nobody knows.

Pure. An API server drops the fields that its types don't have, and says so or refuses, as the
request asks for: https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from koproxy_harness.kube.schema.node import Node

_GO = {"integer": "int32", "number": "float64", "boolean": "bool"}
_INDEX = re.compile(r"\[\d+\]")
_BASE64 = re.compile("[A-Za-z0-9+/]*={0,2}")
_NO_BASE64 = re.compile("[^A-Za-z0-9+/=\\r\\n]")
_BASE64_END = re.compile("(?<==)(?!=)")  # behind the first padding
_META = frozenset({"apiVersion", "kind", "metadata"})


class Mistyped(ValueError):
    """A value of another type than its field's, in the words of Go's JSON decoder."""


def checked(
    node: Node, given: Mapping[str, Any], custom: bool = False
) -> tuple[dict[str, Any], list[str]]:
    """Give the object without the fields that its type doesn't have, and these in sentences.

    Raises `Mistyped` for a value that can't be read as its field's type, but not of a `custom`
    kind, whose values are looked at by its own schema.
    """
    problems: list[str] = []
    try:
        kept = _checked(node, given, "", node.name, problems)
        return kept, sorted(problems) if custom else problems
    except Mistyped:
        if custom:
            return dict(given), problems
        raise


def _checked(node: Node, value: Any, path: str, owner: str, problems: list[str]) -> Any:
    if value is None:
        return None
    match node.type:
        case "object":
            if not isinstance(value, Mapping):
                raise _mistyped(value, path, owner, node)
            return _object(node, value, path, problems)
        case "array":
            if not isinstance(value, list):
                raise _mistyped(value, path, owner, node)
            items = node.items or Node()
            return [
                _checked(items, each, f"{path}[{at}]", items.name or owner, problems)
                for at, each in enumerate(value)
            ]
    if not _fits(node, value):
        raise _mistyped(value, path, owner, node)
    if node.format == "byte":
        _check_base64(value)
    return value


def _check_base64(text: str) -> None:
    plain = text.replace("\n", "").replace("\r", "")
    if not _BASE64.fullmatch(plain) or len(plain) % 4:
        wrong = _NO_BASE64.search(text) or _BASE64_END.search(text)
        raise Mistyped(f"illegal base64 data at input byte {wrong.start() if wrong else 0}")


def _object(node: Node, value: Mapping[str, Any], path: str, problems: list[str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, each in value.items():
        below = f"{path}.{name}" if path else name
        field = node.fields.get(name) or node.values
        if field is not None:
            kept[name] = _checked(field, each, below, node.name, problems)
        elif node.keeps_unknown or (not path and name in _META):
            kept[name] = each
        else:
            problems.append(f'unknown field "{below}"')
    return kept


def _fits(node: Node, value: Any) -> bool:
    if node.int_or_string:
        return isinstance(value, int | str | float) and not isinstance(value, bool)
    match node.type:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
    return True


def _mistyped(value: Any, path: str, owner: str, node: Node) -> Mistyped:
    where = f"Go struct field {owner}.{_INDEX.sub('', path)}" if owner else "Go value"
    wanted = node.name or node.format or _GO.get(node.type, node.type)
    return Mistyped(f"json: cannot unmarshal {_json_type(value)} into {where} of type {wanted}")


def _json_type(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case list():
            return "array"
        case Mapping():
            return "object"
    return "number" if not isinstance(value, float) else f"number {json.dumps(value)}"
