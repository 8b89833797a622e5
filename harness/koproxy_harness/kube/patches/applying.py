"""Server-side apply, and what other changes mean for who manages which field. Pure.

Fields that are managed in another version of a kind are taken to be called the same there.
https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.patches import client_side
from koproxy_harness.kube.patches.comparing import Differences
from koproxy_harness.kube.patches.fields import Paths, by_level, child, holding, shown, stated
from koproxy_harness.kube.patches.given import given_object
from koproxy_harness.kube.patches.managers import (
    Manager,
    Owned,
    are_reset,
    ownable,
    owned,
    with_managers,
)
from koproxy_harness.kube.patches.merging import merged, without
from koproxy_harness.kube.schema.node import Node
from koproxy_harness.kube.status import Refusal

Object = dict[str, Any]

# Who has made what is there when somebody applies something and nobody is known to manage it.
_BEFORE = "before-first-apply"
_NAME: Paths = frozenset([("f:metadata", "f:name")])
_STATUS: Paths = frozenset([("f:status",)])
_ALL_BUT_STATUS: Paths = frozenset([("f:spec",), ("f:metadata",)])


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
    RFC 3339. An object whose managed fields the request sets to nothing has none from then on,
    until somebody applies something.
    """
    known: Object | None = old
    if not subresource and (are_reset(new) or owned(new)):
        known = new
    before = {} if known is new and are_reset(new) else owned(known)
    if old is not None and not before:
        return with_managers(new, None, {}, None, now)
    was = _bare(old) if old is not None else _empty(node)
    # A built-in kind's status is not what is created.
    apart = _reset(node.zero is not None, subresource)
    differences = Differences.between(node, was, _bare(new)).without(apart)
    changed = ownable(differences.changed)
    me = Manager(manager, operation, new["apiVersion"], subresource)
    after: Owned = {
        each: paths - differences.changed - differences.gone for each, paths in before.items()
    }
    if changed:
        after[me] = after.get(me, frozenset()) | changed
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
    manage, unless `force` takes them over, 500 for what the type doesn't allow.
    """
    given = given_object(node, kind, body, old)
    me = Manager(manager, "Apply", kind.group_version, subresource)
    apart = _reset("status" in kind.subresources, subresource)
    said = _outside(frozenset(stated(node, given)), apart)
    mine = ownable(said)
    if old is None:
        return with_managers(_typed(node, given), None, {me: mine}, me, now)
    before = owned(old)
    if not before:
        first = Manager(_BEFORE, "Update", kind.group_version, subresource)
        there = Differences.between(node, _empty(node), _bare(old)).without(apart)
        old = with_managers(old, None, {first: ownable(there.changed)}, first, now)
        before = owned(old)
    live = _bare(old)
    others = {each: paths for each, paths in before.items() if not each.is_the_same_as(me)}
    last: Paths = frozenset().union(
        *(paths for each, paths in before.items() if each.is_the_same_as(me))
    )
    left = _pruned(node, merged(node, live, given), last, said.union(_NAME, *others.values()))
    differences = Differences.between(node, live, left).without(apart)
    conflicts = {
        each: paths & differences.changed
        for each, paths in others.items()
        if paths & differences.changed
    }
    if conflicts and not force:
        conflicts = client_side.left(node, live, me, conflicts)
        if conflicts:
            raise _conflict(conflicts)
    after: Owned = {
        each: paths - differences.changed - differences.gone for each, paths in others.items()
    }
    after[me] = mine
    same = not (Differences.between(node, live, left) if apart else differences)
    made = client_side.noted(_typed(node, left), given, me)
    return with_managers(made, old, after, None if same else me, now)


def _reset(has_status: bool, subresource: str) -> Paths:
    """What a request doesn't change, whatever it says."""
    if subresource == "status":
        return _ALL_BUT_STATUS
    return _STATUS if has_status else frozenset()


def _outside(paths: Paths, apart: Paths) -> Paths:
    return frozenset(path for path in paths if path[:1] not in apart)


def _empty(node: Node) -> Mapping[str, Any]:
    return node.zero or {}


def _bare(made: Object) -> Object:
    metadata = {key: each for key, each in made["metadata"].items() if key != "managedFields"}
    return {**made, "metadata": metadata}


def _typed(node: Node, made: Object) -> Object:
    """Leave out the nulls that Go's types don't keep; those of a custom kind are its metadata."""
    if node.zero is not None:
        typed: Object = _without_nulls(node, made)
        return typed
    return {**made, "metadata": _without_nulls(Node(), made["metadata"])}


def _without_nulls(node: Node, value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_nulls(child(node, name), each) if each is not None else ""
            for name, each in value.items()
            if each is not None or (child(node, name).type == "string" and name not in node.fields)
        }
    if isinstance(value, list):
        return [_without_nulls(node.items or Node(), each) for each in value]
    return value


def _pruned(node: Node, whole: Object, last: Paths, kept: Paths) -> Object:
    """Take away what was applied last, but what anybody manages now, and what holds other things.

    `kept` is what is managed, by whomever.
    """
    if not last:
        return whole
    everything = holding(node, stated(node, whole))
    bare = without(node, whole, holding(node, last))
    staying = holding(node, stated(node, bare)) | holding(node, kept)
    with_kept = without(node, whole, everything - staying)
    gone = everything - holding(node, stated(node, with_kept))
    pruned: Object = without(node, whole, gone & holding(node, last))
    return pruned


def _conflict(conflicts: Mapping[Manager, Paths]) -> Refusal:
    found = [
        (str(manager), shown(path))
        for manager in sorted(conflicts, key=str)
        for path in sorted(conflicts[manager], key=by_level)
    ]
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
