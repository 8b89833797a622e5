"""The end of objects: their finalizers, what depends on them, and what is in a namespace.

There is nobody else here who collects garbage, so what depends on an object goes with it at once.
https://kubernetes.io/docs/concepts/architecture/garbage-collection/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.store import Object, Place, Resource, Store
from koproxy_harness.kube.verbs.refusals import conflict

_NAMESPACES: Resource = ("", "namespaces")
_KEPT = ("default", "kube-public", "kube-system")


def protect(kind: Kind, there: Object) -> None:
    """Refuse to delete a namespace that every cluster has; raises `Refusal` 403."""
    name = there["metadata"]["name"]
    if kind.resource == _NAMESPACES and name in _KEPT:
        raise Refusal(
            403,
            f'namespaces "{name}" is forbidden: this namespace may not be deleted',
            "Forbidden",
            {"name": name, "kind": kind.plural},
        )


def check(kind: Kind, there: Object, options: Mapping[str, Any]) -> None:
    """Let a deletion pass whose preconditions hold; raises `Refusal` 409 for another."""
    metadata = there["metadata"]
    for field, key, why in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        wanted, found = (options.get("preconditions") or {}).get(field), metadata[field]
        if wanted and wanted != found:
            raise conflict(
                replace(kind, plural=kind.name),  # so the API server names it here
                metadata["name"],
                f"the {key} in the precondition ({wanted}) does not match the {key} in record "
                f"({found}). The object might have been {why}",
            )


def orphans(options: Mapping[str, Any]) -> bool:
    """Whether what depends on an object is to stay; raises `Refusal` 422 for what says both."""
    policy = options.get("propagationPolicy")
    if policy not in (None, "", "Orphan", "Background", "Foreground"):
        raise Refusal(
            422,
            f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: '
            f'"{policy}": supported values: "Foreground", "Background", "Orphan", "nil"',
            "Invalid",
        )
    return policy == "Orphan" or options.get("orphanDependents") is True


def delete(
    store: Store, resource: Resource, place: Place, now: str, *, orphan: bool = False
) -> tuple[Object, bool]:
    """Delete an object that is there; gives its last state, and whether it is gone already.

    With finalizers it is only marked, and goes when the last of them is taken away.
    """
    there = store.find(*resource, *place)
    assert there is not None
    metadata = there["metadata"]
    if metadata.get("finalizers"):
        if "deletionTimestamp" in metadata:
            return there, False
        marked = {**metadata, "deletionTimestamp": now, "deletionGracePeriodSeconds": 0}
        if "generation" in metadata:
            marked["generation"] = metadata["generation"] + 1
        return store.put(resource, place, {**there, "metadata": marked}), False
    return remove(store, resource, place, now, orphan=orphan), True


def remove(
    store: Store, resource: Resource, place: Place, now: str, *, orphan: bool = False
) -> Object:
    """Remove an object for good, with what is in it or, unless `orphan`, depends on it."""
    if resource == _NAMESPACES:
        for inner, where, _ in store.everything():
            if where[0] == place[1] and store.find(*inner, *where) is not None:
                store.remove(inner, where)
    gone = store.remove(resource, place)
    _let_go(store, gone, now, orphan)
    return gone


def _let_go(store: Store, gone: Object, now: str, orphan: bool) -> None:
    uid = gone["metadata"]["uid"]
    for resource, place, each in store.everything():
        owners = each["metadata"].get("ownerReferences") or []
        left = [owner for owner in owners if owner.get("uid") != uid]
        if len(left) == len(owners) or store.find(*resource, *place) is None:
            continue
        if left or orphan:
            metadata = dict(each["metadata"])
            metadata.pop("ownerReferences", None)
            if left:
                metadata["ownerReferences"] = left
            store.put(resource, place, {**each, "metadata": metadata})
        else:
            delete(store, resource, place, now)
