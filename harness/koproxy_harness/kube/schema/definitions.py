"""CustomResourceDefinitions: the kinds that one brings, and what their objects look like.

Pure. https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.schema import builtin
from koproxy_harness.kube.schema.node import Node
from koproxy_harness.kube.schema.node import read as read_node
from koproxy_harness.kube.status import Refusal

Object = dict[str, Any]

_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_GROUP = "apiextensions.k8s.io"


@dataclass(frozen=True)
class Definition:
    """What a definition says, read once."""

    kinds: tuple[Kind, ...]  # one for each version that is served
    nodes: Mapping[str, Node]  # by version
    columns: Mapping[str, Sequence[Mapping[str, Any]]]  # additionalPrinterColumns, by version
    scales: Mapping[str, Mapping[str, str]]  # the paths of the scale subresource, by version
    fields: Mapping[str, Sequence[str]]  # selectableFields, by version
    storage: str  # the version in which objects are kept


def read(crd: Object) -> Definition:
    """Read a definition; raises `Refusal` 422 for one that Kubernetes would refuse."""
    problems = list(_problems(crd))
    name = str(crd.get("metadata", {}).get("name", ""))
    if problems:
        said = [f"{each['field']}: {each['message']}" for each in problems]
        message = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
        raise Refusal(
            422,
            f'CustomResourceDefinition.{_GROUP} "{name}" is invalid: {message}',
            details={
                "name": name,
                "group": _GROUP,
                "kind": "CustomResourceDefinition",
                "causes": problems,
            },
        )
    spec = crd["spec"]
    versions = [each for each in spec["versions"] if each.get("served")]
    return Definition(
        tuple(_kind(spec, each) for each in versions),
        {each["name"]: _node(each) for each in spec["versions"]},
        {each["name"]: each.get("additionalPrinterColumns", ()) for each in versions},
        {
            each["name"]: each["subresources"]["scale"]
            for each in versions
            if "scale" in (each.get("subresources") or {})
        },
        {
            each["name"]: tuple(field["jsonPath"] for field in each.get("selectableFields", ()))
            for each in versions
        },
        next(each["name"] for each in spec["versions"] if each.get("storage")),
    )


def accepted(crd: Object, now: str) -> Object:
    """Give the status of a definition that has been taken; `now` is RFC 3339."""
    spec = crd["spec"]
    names = dict(spec["names"])
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", f"{names['kind']}List")
    stored = crd.get("status", {}).get("storedVersions") or []
    storage = next(each["name"] for each in spec["versions"] if each.get("storage"))
    return {
        "conditions": [
            _condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
            _condition(
                "Established", "InitialNamesAccepted", "the initial names are accepted", now
            ),
        ],
        "acceptedNames": names,
        "storedVersions": stored if storage in stored else [*stored, storage],
    }


def _condition(kind: str, reason: str, message: str, now: str) -> Object:
    return {
        "type": kind,
        "status": "True",
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


def _kind(spec: Mapping[str, Any], version: Mapping[str, Any]) -> Kind:
    names = spec["names"]
    return Kind(
        spec["group"],
        version["name"],
        names["plural"],
        names["kind"],
        spec["scope"] == "Namespaced",
        tuple(names.get("shortNames", ())),
        tuple(names.get("categories", ())),
        subresources=tuple(version.get("subresources") or ()),
        singular=names.get("singular", "") or names["kind"].lower(),
        list_name=names.get("listKind", ""),
    )


def _node(version: Mapping[str, Any]) -> Node:
    node = read_node(version["schema"]["openAPIV3Schema"], builtin.node)
    node.type = "object"
    node.fields = {
        **node.fields,
        "apiVersion": Node(type="string"),
        "kind": Node(type="string"),
        "metadata": builtin.node(_META),
    }
    return node


def _problems(crd: Object) -> Iterator[dict[str, str]]:
    spec = crd.get("spec") or {}
    names = spec.get("names") or {}
    required = {
        "spec.group": spec.get("group"),
        "spec.scope": spec.get("scope"),
        "spec.names.plural": names.get("plural"),
        "spec.names.kind": names.get("kind"),
        "spec.names.listKind": names.get("kind"),  # which it is made of
    }
    for field, value in required.items():
        if not value:
            yield _cause("FieldValueRequired", field, "Required value")
    name = crd.get("metadata", {}).get("name")
    if name != f"{names.get('plural', '')}.{spec.get('group', '')}":
        yield _cause(
            "FieldValueInvalid",
            "metadata.name",
            f'Invalid value: "{name}": must be spec.names.plural+"."+spec.group',
        )
    if spec.get("scope") not in (None, "", "Namespaced", "Cluster"):
        yield _cause(
            "FieldValueNotSupported",
            "spec.scope",
            f'Unsupported value: "{spec["scope"]}": supported values: "Cluster", "Namespaced"',
        )
    yield from _wrong_versions(spec.get("versions"))


def _wrong_versions(versions: Any) -> Iterator[dict[str, str]]:
    stored = sum(bool(each.get("storage")) for each in versions or ())
    if stored != 1:
        said = json.dumps(versions if stored else versions and [], separators=(",", ":"))
        yield _cause(
            "FieldValueInvalid",
            "spec.versions",
            f"Invalid value: {said}: must have exactly one version marked as storage version",
        )
    if not stored:
        yield _cause(
            "FieldValueInvalid",
            "status.storedVersions",
            "Invalid value: null: must have at least one stored version",
        )
    for at, version in enumerate(versions or ()):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            yield _cause(
                "FieldValueRequired",
                f"spec.versions[{at}].schema.openAPIV3Schema",
                "Required value: schemas are required",
            )


def _cause(reason: str, field: str, message: str) -> dict[str, str]:
    return {"reason": reason, "message": message, "field": field}
