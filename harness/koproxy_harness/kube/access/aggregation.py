"""The rules of a ClusterRole, those that it gathers from other ClusterRoles among them.

Pure. In a cluster a controller writes gathered rules into the role; here they are gathered
whenever they are asked for, so they never lag behind.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from koproxy_harness.kube.access.rules import Rule

Object = dict[str, Any]


def rules_of(role: Object, cluster_roles: Iterable[Object]) -> list[Rule]:
    """Give the rules of `role`; `cluster_roles` are all that there are, in the order to gather."""
    if role.get("aggregationRule") is None:
        return role.get("rules") or []
    return _gathered(role, list(cluster_roles), ())


def _gathered(role: Object, others: list[Object], on_the_way: tuple[str, ...]) -> list[Rule]:
    """Give a role's rules, without those of roles that are being gathered into it already."""
    aggregation = role.get("aggregationRule")
    if aggregation is None:
        return role.get("rules") or []
    on_the_way = (*on_the_way, role["metadata"]["name"])
    rules: list[Rule] = []
    for selector in aggregation.get("clusterRoleSelectors") or ():
        for other in others:
            metadata = other["metadata"]
            if metadata["name"] in on_the_way or not _selects(selector, metadata.get("labels")):
                continue
            rules += [rule for rule in _gathered(other, others, on_the_way) if rule not in rules]
    return rules


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str] | None) -> bool:
    labels = labels or {}
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _meets(expression, labels) for expression in selector.get("matchExpressions") or ()
    )


def _meets(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False
