"""Strategic merge patches: merge patches that know which lists are merged, and by what. Pure.

https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from koproxy_harness.kube.patches.go import go
from koproxy_harness.kube.schema.node import Node
from koproxy_harness.kube.status import Refusal

_DIRECTIVE = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"
Object = dict[str, Any]


def strategic_patched(node: Node, old: Object, patch: Mapping[str, Any]) -> Object:
    """Give the object `old` of this type with what the patch says.

    Raises `Refusal`: 400 for directives that contradict the patch, 500 for such that aren't known
    and for items without what their list is merged by.
    """
    if _DIRECTIVE in patch:
        return _directed(patch)
    merged = _retained(old, patch)
    names = dict.fromkeys(
        name.removeprefix(prefix)
        for prefix in (_ORDER, "")
        for name in patch
        if name.startswith(prefix) and (prefix or not name.startswith("$"))
    )
    for name in patch:
        if name.startswith(_DELETE):
            field, gone = name.removeprefix(_DELETE), patch[name]
            if not isinstance(gone, list):
                raise Refusal(400, "invalid patch format of primitive list")
            if isinstance(merged.get(field), list):
                merged[field] = [each for each in merged[field] if each not in gone]
    for name in names:
        below, value = node.fields.get(name) or node.values or Node(), patch.get(name)
        if _ORDER + name in patch:
            order = patch[_ORDER + name]
            _check_order(below, value or [], order)
            if merged.get(name) or value:
                merged[name] = _list_merged(below, merged.get(name) or [], value or [], order)
        elif value is None:
            merged.pop(name, None)
        else:
            _merge_member(below, merged, name, value)
    return merged


def _merge_member(node: Node, merged: Object, name: str, value: Any) -> None:
    old = merged.get(name)
    if isinstance(value, dict) and isinstance(old, dict):
        replaced = "replace" in node.strategies
        merged[name] = value if replaced else strategic_patched(node, old, value)
    elif isinstance(value, list) and isinstance(old, list):
        merges = "merge" in node.strategies
        merged[name] = _list_merged(node, old, value, value) if merges else value
    elif isinstance(value, dict) and _DIRECTIVE in value:
        merged.pop(name, None)
    else:
        merged[name] = _plain(value)


def _directed(patch: Mapping[str, Any]) -> Object:
    match patch[_DIRECTIVE]:
        case "replace":
            return {name: each for name, each in patch.items() if name != _DIRECTIVE}
        case "delete":
            return {}
    raise _unknown(patch)


def _unknown(patch: Mapping[str, Any]) -> Refusal:
    said = go(patch[_DIRECTIVE])
    return Refusal(500, f"unknown patch type: {said} in map: {go(dict(patch))}")


def _retained(old: Object, patch: Mapping[str, Any]) -> Object:
    """Leave out what isn't to be retained."""
    if _RETAIN not in patch:
        return dict(old)
    kept = patch[_RETAIN]
    said = {
        name
        for name, each in patch.items()
        if each is not None and not name.startswith((_RETAIN, _ORDER, _DELETE))
    }
    if not isinstance(kept, list) or not said <= set(kept):
        raise Refusal(400, "invalid patch format of retainKeys")
    return {name: each for name, each in old.items() if name in kept}


def _plain(value: Any) -> Any:
    """A value that is new, without what only a patch says."""
    if isinstance(value, dict):
        return {
            name: _plain(each)
            for name, each in value.items()
            if each is not None and not (isinstance(each, dict) and _DIRECTIVE in each)
        }
    if isinstance(value, list):
        return [
            _plain(each) for each in value if not (isinstance(each, dict) and _DIRECTIVE in each)
        ]
    return value


# Lists


def _list_merged(node: Node, old: list[Any], value: list[Any], order: list[Any]) -> list[Any]:
    """Give a list with what the patch says of its items, those of the patch in this order."""
    name = _name(node)
    if any(isinstance(each, dict) for each in (*old, *value)):
        old, order, merged = _by_key(node, old, value, order)
    else:
        merged = list(dict.fromkeys([*old, *value]))
    places = {name(each): at for at, each in reversed(tuple(enumerate(old)))}
    wanted = {name(each): at for at, each in reversed(tuple(enumerate(order)))}
    named = sorted(
        (each for each in merged if name(each) in wanted), key=lambda each: wanted[name(each)]
    )
    others = sorted(
        (each for each in merged if name(each) not in wanted),
        key=lambda each: places.get(name(each), len(old)),
    )
    found: list[Any] = []
    while named and others:
        first = places.get(name(named[0]))
        place = places.get(name(others[0]))
        behind = first is not None and place is not None and place < first
        found.append((others if behind else named).pop(0))
    return [*found, *named, *others]


def _by_key(
    node: Node, old: list[Any], value: list[Any], order: list[Any]
) -> tuple[list[Any], list[Any], list[Any]]:
    """Give the items that stay, the order without what is only said, and the merged items."""
    name, items, replaces = _name(node), node.items or Node(), False
    plain = []
    for each in value:
        match each.get(_DIRECTIVE, ""):
            case "":
                plain.append(each)
            case "delete":
                gone = name(each)
                old = [one for one in old if name(one) != gone]
            case "replace":
                replaces = True
            case "merge":
                raise Refusal(500, "merging lists cannot yet be specified in the patch")
            case _:
                raise _unknown(each)
    if replaces:
        return plain, [], plain
    merged = list(old)
    for each in plain:
        at = next((at for at, one in enumerate(merged) if name(one) == name(each)), None)
        if at is None:
            merged.append(_plain(each))
        else:
            merged[at] = strategic_patched(items, merged[at], each)
    return old, plain if order is value else order, merged


def _name(node: Node) -> Callable[[Any], Any]:
    """Give what tells the items of a list apart."""

    def name(each: Any) -> Any:
        if not isinstance(each, dict):
            return each
        if node.merge_key not in each:
            raise Refusal(
                500, f"map: {go(each)} does not contain declared merge key: {node.merge_key}"
            )
        return each[node.merge_key]

    return name


def _check_order(node: Node, value: Any, order: Any) -> None:
    """See that a patch has its items in the order that it sets."""
    if not isinstance(order, list) or not isinstance(value, list):
        raise Refusal(400, "invalid patch format of setElementOrder list")
    name, left = _name(node), list(order)
    for each in value if order else ():
        if isinstance(each, dict) and _DIRECTIVE in each:
            continue
        while left and name(left[0]) != name(each):
            del left[0]
        if not left:
            raise Refusal(
                500,
                f"The order in patch list:\n{go(value)}\n doesn't match $setElementOrder list:\n"
                f"{go(order)}\n",
            )
        del left[0]
