"""Objects as they are kept: what the server adds to what it is given, and what it doesn't let in.

Pure but for the time and the random parts of names and UIDs.
https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.schema.node import Node
from koproxy_harness.kube.schema.sameness import same
from koproxy_harness.kube.store import Object
from koproxy_harness.kube.verbs import naming
from koproxy_harness.kube.verbs.addresses import addressed
from koproxy_harness.kube.verbs.refusals import Cause, conflict, invalid, modified

# What only the server says of an object.
_SERVERS = (
    *("uid", "creationTimestamp", "resourceVersion", "generation", "selfLink"),
    *("deletionTimestamp", "deletionGracePeriodSeconds"),
)
# Kinds whose objects count the generations of what is wanted.
_WITH_GENERATION = ("spec", "webhooks", "validations", "template", "endpoints", "value")
_WITHOUT_GENERATION = (
    *(("", "services"), ("", "resourcequotas"), ("", "limitranges"), ("", "persistentvolumes")),
    *(
        ("", "persistentvolumeclaims"),
        ("", "namespaces"),
        ("", "nodes"),
        ("coordination.k8s.io", "leases"),
    ),
    *(("autoscaling", "horizontalpodautoscalers"), ("storage.k8s.io", "csidrivers")),
)


def new(
    kind: Kind, node: Node, given: Object, namespace: str, now: str, custom: bool = False
) -> Object:
    """Give a new object as it is kept, before managed fields; raises `Refusal` 422.

    `node` is its type; `custom`: a CustomResourceDefinition brings its kind.
    """
    metadata = {key: each for key, each in given["metadata"].items() if key not in _SERVERS}
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = naming.generated(metadata["generateName"])
    if kind.namespaced:
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)
    _refuse(kind, metadata.get("name", ""), naming.problems(kind, metadata))
    metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": now}
    made = {**given, "metadata": metadata}
    if custom or _counts(kind, made):
        metadata["generation"] = 1
    if "status" in kind.subresources and kind.resource not in _KEEP_STATUS:
        made.pop("status", None)
        if node.zero and "status" in node.zero:
            made["status"] = copy.deepcopy(node.zero["status"])
    return _begun(kind, made)


_KEEP_STATUS = (("", "pods"), ("", "namespaces"), ("", "nodes"))


def _begun(kind: Kind, made: Object) -> Object:
    """What the API server itself says of an object that is new."""
    match kind.resource:
        case ("", "pods"):
            status = {"phase": "Pending", "qosClass": _quality(made), **made.get("status", {})}
            return {**made, "status": status}
        case ("", "services"):
            return addressed(made)
        case ("", "persistentvolumes" | "persistentvolumeclaims"):
            return {**made, "status": {"phase": "Pending"}}
        case ("", "namespaces"):
            metadata = made["metadata"]
            labels = {**metadata.get("labels", {}), "kubernetes.io/metadata.name": metadata["name"]}
            return {
                **made,
                "metadata": {**metadata, "labels": labels},
                "spec": {"finalizers": ["kubernetes"]},
                "status": {"phase": "Active"},
            }
    return made


def _quality(pod: Object) -> str:
    """https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/"""
    asked = [
        (resources.get("limits") or {}, resources.get("requests") or {})
        for container in (pod.get("spec") or {}).get("containers") or ()
        for resources in [container.get("resources") or {}]
    ]
    if not any(limits or requests for limits, requests in asked):
        return "BestEffort"
    whole = all(
        {"cpu", "memory"} <= set(limits) and requests in ({}, limits) for limits, requests in asked
    )
    return "Guaranteed" if whole else "Burstable"


def changed(kind: Kind, old: Object, given: Object, part: str) -> Object:
    """Give `old` as it is after an update to `given`, before managed fields.

    `part` is "status" for an update of the status, which changes nothing else. Raises `Refusal`:
    409 for another version or object than the one that is there, 422 for a field that stays.
    """
    metadata, there = given["metadata"], old["metadata"]
    name = there["name"]
    wanted = metadata.get("resourceVersion") or ""
    if wanted and wanted != there["resourceVersion"]:
        raise modified(kind, name)
    if metadata.get("uid") and metadata["uid"] != there["uid"]:
        raise _other_uid(kind, old, metadata["uid"])
    _refuse(kind, name, _fixed(kind, old, given))
    kept = {key: there[key] for key in _SERVERS if key in there}
    if part == "status":
        made = {**old, "metadata": {**there}}
        made.pop("status", None)
        if "status" in given:
            made["status"] = given["status"]
        return made
    made = {
        **given,
        "metadata": {
            **{key: each for key, each in metadata.items() if key not in _SERVERS},
            **kept,
            "name": name,
            **({"namespace": there["namespace"]} if "namespace" in there else {}),
        },
    }
    if "status" in kind.subresources:
        made.pop("status", None)
        if "status" in old:
            made["status"] = old["status"]
    if kind.resource == ("", "services"):
        made = addressed(made)
    if "generation" in there and not same(_wanted(made), _wanted(old)):
        made["metadata"]["generation"] = there["generation"] + 1
    return made


def unchanged(one: Object, other: Object) -> bool:
    """Whether two states of an object differ in nothing but who manages which field when."""
    return same(_unmanaged(one), _unmanaged(other))


def _unmanaged(made: Object) -> Object:
    metadata = {key: each for key, each in made["metadata"].items() if key != "managedFields"}
    return {**made, "metadata": metadata}


def _counts(kind: Kind, made: Object) -> bool:
    return kind.resource not in _WITHOUT_GENERATION and any(
        part in made for part in _WITH_GENERATION
    )


def _wanted(made: Object) -> Object:
    return {key: each for key, each in made.items() if key not in ("metadata", "status")}


def _fixed(kind: Kind, old: Object, given: Object) -> Iterator[Cause]:
    metadata, name = given["metadata"], old["metadata"]["name"]
    if metadata.get("name", name) != name:
        yield _immutable("metadata.name", metadata["name"])
    match kind.resource:
        case ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings"):
            if given.get("roleRef") != old.get("roleRef"):
                yield {
                    "reason": "FieldValueInvalid",
                    "message": "Invalid value: cannot change roleRef",
                    "field": "roleRef",
                }
        case ("apps", "deployments" | "replicasets" | "daemonsets" | "statefulsets"):
            chosen = given.get("spec", {}).get("selector")
            if chosen != old.get("spec", {}).get("selector"):
                yield _immutable("spec.selector", chosen)
        case ("", "configmaps" | "secrets") if old.get("immutable"):
            for part in ("data", "binaryData", "immutable"):
                if given.get(part) != old.get(part):
                    yield {
                        "reason": "FieldValueForbidden",
                        "message": "Forbidden: field is immutable when `immutable` is set",
                        "field": part,
                    }


def _immutable(field: str, value: object) -> Cause:
    return {
        "reason": "FieldValueInvalid",
        "message": f"Invalid value: {value}: field is immutable",
        "field": field,
    }


def _other_uid(kind: Kind, old: Object, uid: str) -> Exception:
    there = old["metadata"]["uid"]
    return conflict(
        kind,
        old["metadata"]["name"],
        f"Precondition failed: UID in precondition: {uid}, UID in object meta: {there}",
    )


def _refuse(kind: Kind, name: str, causes: Iterator[Cause]) -> None:
    found = list(causes)
    if found:
        raise invalid(kind, name, found)


def required(node: Node, made: Object) -> Iterator[Cause]:
    """Give a cause for each field of what is wanted that is required and missing."""
    for part in ("spec", "roleRef"):
        field = node.fields.get(part)
        if field is None:
            continue
        if part in made:
            yield from _missing(field, made[part], part)
        elif part in node.required:
            yield _missing_value(part)


def _missing(node: Node, value: object, path: str) -> Iterator[Cause]:
    if isinstance(value, dict):
        for name in node.required:
            if value.get(name) in (None, "", []) and name in node.fields:
                yield _missing_value(f"{path}.{name}")
        for name, each in value.items():
            below = node.fields.get(name) or node.values
            if below is not None:
                yield from _missing(below, each, f"{path}.{name}")
    elif isinstance(value, list) and node.items is not None:
        for at, each in enumerate(value):
            yield from _missing(node.items, each, f"{path}[{at}]")


def _missing_value(path: str) -> Cause:
    return {"reason": "FieldValueRequired", "message": "Required value", "field": path}
