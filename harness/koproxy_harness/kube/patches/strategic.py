"""Strategic merge patches: merge patches that know which lists are merged, and by what. Pure.

https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from koproxy_harness.kube.schema.node import Node

_DIRECTIVE = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


def strategic_patched(node: Node, old: Any, patch: Mapping[str, Any]) -> dict[str, Any]:
    """Give the object `old` of this type with what the patch says.

    Raises `ValueError` for a patch that contradicts itself.
    """
    match patch.get(_DIRECTIVE):
        case "replace":
            return {name: each for name, each in patch.items() if name != _DIRECTIVE}
        case "delete":
            return {}
        case None | "merge":
            pass
        case other:
            raise ValueError(f"unknown patch directive: {other!r}")
    merged = dict(old) if isinstance(old, Mapping) else {}
    if _RETAIN in patch:
        merged = {name: each for name, each in merged.items() if name in patch[_RETAIN]}
    for name, value in patch.items():
        if name.startswith("$"):
            continue
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(_field(node, name), merged.get(name), value)
    for name, value in patch.items():
        if name.startswith(_DELETE):
            field = name.removeprefix(_DELETE)
            merged[field] = [each for each in merged.get(field) or [] if each not in value]
        elif name.startswith(_ORDER):
            field = name.removeprefix(_ORDER)
            if merged.get(field):
                merged[field] = _ordered(_field(node, field), merged[field], value)
    return merged


def _field(node: Node, name: str) -> Node:
    return node.fields.get(name) or node.values or Node()


def _merged(node: Node, old: Any, value: Any) -> Any:
    if isinstance(value, Mapping):
        if "replace" in node.strategies:
            return {name: each for name, each in value.items() if not name.startswith("$")}
        return strategic_patched(node, old, value)
    if isinstance(value, list):
        if "merge" not in node.strategies:
            return _plain(node, value)
        if node.merge_key:
            return _by_key(node, old or [], value)
        return [*(old or []), *(each for each in value if each not in (old or []))]
    return value


def _by_key(node: Node, old: list[Any], value: list[Any]) -> list[Any]:
    key, items = node.merge_key, node.items or Node()
    if any(each.get(_DIRECTIVE) == "replace" and key not in each for each in value):
        return _plain(node, [each for each in value if key in each])
    merged = list(old)
    for each in value:
        if key not in each:
            raise ValueError(f"map: {each} does not contain declared merge key: {key}")
        at = next((at for at, one in enumerate(merged) if one.get(key) == each[key]), None)
        if each.get(_DIRECTIVE) == "delete":
            merged = [one for one in merged if one.get(key) != each[key]]
        elif at is None:
            merged.append(strategic_patched(items, None, each))
        else:
            merged[at] = strategic_patched(items, merged[at], each)
    return merged


def _plain(node: Node, value: list[Any]) -> list[Any]:
    """A list that is new, without what only a patch says."""
    items = node.items or Node()
    return [
        strategic_patched(items, None, each) if isinstance(each, Mapping) else each
        for each in value
        if not (isinstance(each, Mapping) and each.get(_DIRECTIVE) == "delete")
    ]


def _ordered(node: Node, merged: list[Any], order: list[Any]) -> list[Any]:
    """Put what is named into this order; the rest stays behind what it stood behind."""
    key = node.merge_key
    wanted = [each.get(key) if isinstance(each, Mapping) else each for each in order]

    def name(each: Any) -> Any:
        return each.get(key) if isinstance(each, Mapping) else each

    found = sorted(
        (each for each in merged if name(each) in wanted), key=lambda each: wanted.index(name(each))
    )
    for at, each in enumerate(merged):
        if name(each) not in wanted:
            before = merged[at - 1] if at else None
            found.insert(found.index(before) + 1 if before in found else 0, each)
    return found
