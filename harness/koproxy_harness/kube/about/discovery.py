"""Discovery: which groups, versions and resources there are, in both of Kubernetes' forms.

Pure. Everything is made from aggregated discovery, which says the most:
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.schema import builtin

Document = dict[str, Any]

# In the order in which custom kinds have them.
_VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
_STATUS = ("get", "patch", "update")


def groups(custom: Iterable[Kind]) -> list[Document]:
    """Give aggregated discovery's items, the core group first; `custom` kinds come last."""
    added: dict[str, dict[str, list[Document]]] = {}
    for kind in custom:
        added.setdefault(kind.group, {}).setdefault(kind.version, []).append(_resource(kind))
    return [
        *builtin.facts()["groups"],
        *(
            {
                "metadata": {"name": group},
                "versions": [
                    {"version": version, "resources": resources, "freshness": "Current"}
                    for version, resources in versions.items()
                ],
            }
            for group, versions in added.items()
        ),
    ]


def aggregated(items: list[Document]) -> Document:
    """Give `/api` or `/apis` as aggregated discovery."""
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def group_list(items: list[Document]) -> Document:
    """Give `/apis` as clients had it before."""
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [group(each) for each in items],
    }


def group(item: Document) -> Document:
    """Give one group."""
    name = item["metadata"]["name"]
    versions = [
        {"groupVersion": f"{name}/{each['version']}", "version": each["version"]}
        for each in item["versions"]
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def resource_list(item: Document, version: str) -> Document | None:
    """Give the resources of one version of a group, None where there is no such version."""
    name = item["metadata"].get("name", "")
    for each in item["versions"]:
        if each["version"] == version:
            return {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": f"{name}/{version}" if name else version,
                "resources": [
                    entry for resource in each["resources"] for entry in _entries(name, resource)
                ],
            }
    return None


def _entries(group: str, resource: Document) -> Iterable[Document]:
    plural, namespaced = resource["resource"], resource["scope"] == "Namespaced"
    yield {
        "name": plural,
        "singularName": resource.get("singularResource", ""),
        "namespaced": namespaced,
        "kind": resource["responseKind"]["kind"],
        "verbs": resource["verbs"],
        **({"shortNames": resource["shortNames"]} if "shortNames" in resource else {}),
        **({"categories": resource["categories"]} if "categories" in resource else {}),
    }
    for below in resource.get("subresources", ()):
        kind = below.get("responseKind") or {}
        entry = {
            "name": f"{plural}/{below['subresource']}",
            "singularName": "",
            "namespaced": namespaced,
            "kind": kind.get("kind", ""),
            "verbs": below["verbs"],
        }
        if kind.get("group", "") not in ("", group):
            entry["group"], entry["version"] = kind["group"], kind["version"]
        yield entry


def _resource(kind: Kind) -> Document:
    response = {"group": kind.group, "version": kind.version, "kind": kind.name}
    made: Document = {
        "resource": kind.plural,
        "responseKind": response,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular or kind.name.lower(),
        "verbs": sorted(kind.verbs, key=_VERBS.index),
    }
    if kind.short:
        made["shortNames"] = list(kind.short)
    if kind.categories:
        made["categories"] = list(kind.categories)
    if kind.subresources:
        scale = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        made["subresources"] = [
            {
                "subresource": name,
                "responseKind": scale if name == "scale" else response,
                "verbs": list(_STATUS),
            }
            for name in kind.subresources
        ]
    return made
