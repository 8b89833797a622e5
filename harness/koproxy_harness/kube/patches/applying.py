"""Server-side apply, and what other changes mean for who manages which field. Pure.

https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.patches import client_side
from koproxy_harness.kube.patches.fields import Path, Paths, shown, stated, there
from koproxy_harness.kube.patches.managers import (
    Manager,
    Owned,
    ownable,
    owned,
    with_managers,
)
from koproxy_harness.kube.patches.merging import merged, without
from koproxy_harness.kube.schema.node import Node
from koproxy_harness.kube.status import Refusal

Object = dict[str, Any]


def track(
    node: Node,
    old: Object | None,
    new: Object,
    manager: str,
    now: str,
    subresource: str = "",
    operation: str = "Update",
) -> Object:
    """Give a created or updated object with its managed fields.

    What has changed is `manager`'s now, and nobody else's; what is gone is nobody's. `now` is
    RFC 3339. An object whose managed fields the request has set to nothing has none but these.
    """
    before = owned(old)
    if new["metadata"].get("managedFields"):
        before = owned(new)
    elif old is not None and "managedFields" in new["metadata"]:
        before = {}
    then = dict(there(node, (node.zero or {}) if old is None else old))
    now_there = dict(there(node, new))
    changed = ownable(
        path for path, value in now_there.items() if path not in then or then[path] != value
    )
    me = Manager(manager, operation, new["apiVersion"], subresource)
    after: Owned = {
        each: _present(paths - changed if each != me else paths, now_there)
        for each, paths in before.items()
    }
    after[me] = after.get(me, frozenset()) | changed
    known = new if new["metadata"].get("managedFields") else old
    return with_managers(new, known, after, me if changed else None, now)


def applied(
    node: Node,
    kind: Kind,
    old: Object | None,
    body: bytes,
    manager: str,
    force: bool,
    now: str,
    subresource: str = "",
) -> Object:
    """Give an object with what `manager` applies to it, and its managed fields.

    Raises `Refusal`: 400 for a body that is no object of this kind, 409 for fields that others
    manage, unless `force` takes them over.
    """
    given = _given(body, kind)
    me = Manager(manager, "Apply", kind.group_version, subresource)
    mine = ownable(stated(node, given))
    if old is None:
        return with_managers(given, None, {me: mine}, me, now)
    before = owned(old)
    last = before.get(me, frozenset())
    together = merged(node, _bare(old), given)
    then, now_there = dict(there(node, _bare(old))), dict(there(node, together))
    changed = ownable(
        path for path, value in now_there.items() if path not in then or then[path] != value
    )
    others = {each: paths for each, paths in before.items() if each != me}
    conflicts = {each: paths & changed for each, paths in others.items() if paths & changed}
    if conflicts and not force:
        conflicts = client_side.left(node, old, me, conflicts)
        if conflicts:
            raise _conflict(conflicts)
    kept_by_others: Paths = frozenset().union(*others.values()) if others else frozenset()
    gone = (last - mine) - kept_by_others
    left = _pruned(node, together, gone, mine | kept_by_others)
    present = dict(there(node, left))
    after: Owned = {each: _present(paths - changed, present) for each, paths in others.items()}
    after[me] = mine
    same = present == then and all(present[path] == then[path] for path in then)
    new = client_side.noted(left, given, me)
    return with_managers(new, old, after, None if same else me, now)


def _given(body: bytes, kind: Kind) -> Object:
    try:
        given = yaml.safe_load(body)
    except yaml.YAMLError as error:
        raise Refusal(400, f"error decoding YAML: {error}") from None
    if not isinstance(given, dict):
        raise Refusal(400, "the patch that is applied is no object")
    for field, wanted in (("apiVersion", kind.group_version), ("kind", kind.name)):
        if given.get(field) != wanted:
            raise Refusal(
                400,
                f"invalid object type: the {field} of what is applied is {given.get(field)!r}, "
                f"and should be {wanted!r}",
            )
    metadata = given.get("metadata") or {}
    if metadata.get("managedFields"):
        raise Refusal(400, "metadata.managedFields must be nil")
    return {**given, "metadata": dict(metadata)}


def _bare(made: Object) -> Object:
    metadata = {key: each for key, each in made["metadata"].items() if key != "managedFields"}
    return {**made, "metadata": metadata}


def _present(paths: Paths, now_there: Mapping[Path, Any]) -> Paths:
    return frozenset(path for path in paths if path in now_there)


def _pruned(node: Node, value: Object, gone: Paths, kept: Paths) -> Object:
    """Take away what is gone, and with it what held nothing else."""
    if not gone:
        return value
    prefixes = {path[:length] for path in gone for length in range(1, len(path))}
    holding = {path[:length] for path in kept for length in range(1, len(path) + 1)}
    left = {path for path, _ in there(node, value)}
    staying = {
        path[:length]
        for path in left - gone
        if not any(path[:at] in gone and path[:at] not in holding for at in range(1, len(path)))
        if path not in prefixes
        for length in range(1, len(path) + 1)
    }

    def goes(path: Path) -> bool:
        if path in holding or path in staying:
            return False
        return path in gone or path in prefixes

    pruned: Object = without(node, value, goes)
    return pruned


def _conflict(conflicts: Mapping[Manager, Paths]) -> Refusal:
    found = sorted(
        (str(manager), shown(path)) for manager, paths in conflicts.items() for path in paths
    )
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": path}
        for manager, path in found
    ]
    if len(found) == 1:
        said = f"1 conflict: conflict with {found[0][0]}: {found[0][1]}"
    else:
        lines = []
        for manager in dict.fromkeys(each for each, _ in found):
            lines.append(f"conflicts with {manager}:")
            lines += [f"- {path}" for each, path in found if each == manager]
        said = f"{len(found)} conflicts: " + "\n".join(lines)
    return Refusal(409, f"Apply failed with {said}", "Conflict", {"causes": causes})
