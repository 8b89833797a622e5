"""The roles and bindings that are in every cluster from its start.

Facts, built once a process; nobody may change what is in `BOOTSTRAP`. Of the roles that Kubernetes
makes, those of its own components are left out, which aren't here.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from koproxy_harness.kube.access.aggregation import Object, rules_of
from koproxy_harness.kube.access.rbac import GROUP
from koproxy_harness.kube.access.rules import Rule
from koproxy_harness.kube.access.users import AUTHENTICATED, MASTERS, UNAUTHENTICATED

_AGGREGATE = f"{GROUP}/aggregate-to-"
_READ = "get list watch"
_WRITE = "create delete deletecollection patch update"
_BOTH = "create delete deletecollection get list patch update watch"
_CORE = '""'


def _rule(groups: str, resources: str, verbs: str) -> Rule:
    """A rule from words with blanks between them."""
    return {
        "apiGroups": ["" if group == _CORE else group for group in groups.split()],
        "resources": resources.split(),
        "verbs": verbs.split(),
    }


def _urls(urls: str, verbs: str = "get") -> Rule:
    return {"nonResourceURLs": urls.split(), "verbs": verbs.split()}


def _metadata(name: str, **labels: str) -> dict[str, Any]:
    return {
        "name": name,
        "labels": {"kubernetes.io/bootstrapping": "rbac-defaults", **labels},
        "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
    }


def _role(name: str, *rules: Rule, into: str = "", gathers: str = "") -> Object:
    """A ClusterRole that is gathered `into` another, or `gathers` others itself."""
    role: Object = {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": _metadata(name, **({f"{_AGGREGATE}{into}": "true"} if into else {})),
        "rules": list(rules),
    }
    if gathers:
        labels = {f"{_AGGREGATE}{gathers}": "true"}
        role["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": labels}]}
    return role


def _binding(role: str, *groups: str) -> Object:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": _metadata(role),
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": group} for group in groups],
    }


_HEALTH = "/healthz /livez"
_VERSION = "/readyz /version /version/"

_ROLES = (
    _role("cluster-admin", _rule("*", "*", "*"), _urls("*", "*")),
    _role("admin", gathers="admin"),
    _role("edit", into="admin", gathers="edit"),
    _role("view", into="edit", gathers="view"),
    _role(
        "system:basic-user",
        _rule("authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews", "create"),
        _rule("authentication.k8s.io", "selfsubjectreviews", "create"),
    ),
    _role(
        "system:discovery",
        _urls(f"/api /api/* /apis /apis/* {_HEALTH} /openapi /openapi/* {_VERSION}"),
    ),
    _role("system:public-info-viewer", _urls(f"{_HEALTH} {_VERSION}")),
    _role(
        "system:monitoring",
        _urls(
            "/flagz /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/* "
            "/statusz"
        ),
        _rule(_CORE, "nodes/metrics", "get"),
    ),
    _role(
        "system:auth-delegator",
        _rule("authentication.k8s.io", "tokenreviews", "create"),
        _rule("authorization.k8s.io", "subjectaccessreviews", "create"),
    ),
    _role(
        "system:service-account-issuer-discovery",
        _urls(
            "/.well-known/openid-configuration /.well-known/openid-configuration/ "
            "/openid/v1/jwks /openid/v1/jwks/"
        ),
    ),
    _role(
        "system:aggregate-to-admin",
        _rule("authorization.k8s.io", "localsubjectaccessreviews", "create"),
        _rule(GROUP, "rolebindings roles", _BOTH),
        into="admin",
    ),
    _role(
        "system:aggregate-to-edit",
        _rule(
            _CORE,
            "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy",
            _READ,
        ),
        _rule(_CORE, "serviceaccounts", "impersonate"),
        _rule(_CORE, "pods pods/attach pods/exec pods/portforward pods/proxy", _WRITE),
        _rule(_CORE, "pods/eviction", "create"),
        _rule(
            _CORE,
            "configmaps persistentvolumeclaims replicationcontrollers "
            "replicationcontrollers/scale secrets serviceaccounts services services/proxy",
            _WRITE,
        ),
        _rule(_CORE, "serviceaccounts/token", "create"),
        _rule(f"{_CORE} events.k8s.io", "events", _WRITE),
        _rule(
            "apps",
            "daemonsets deployments deployments/rollback deployments/scale replicasets "
            "replicasets/scale statefulsets statefulsets/scale",
            _WRITE,
        ),
        _rule("autoscaling", "horizontalpodautoscalers", _WRITE),
        _rule("batch", "cronjobs jobs", _WRITE),
        _rule(
            "extensions",
            "daemonsets deployments deployments/rollback deployments/scale ingresses "
            "networkpolicies replicasets replicasets/scale replicationcontrollers/scale",
            _WRITE,
        ),
        _rule("policy", "poddisruptionbudgets", _WRITE),
        _rule("networking.k8s.io", "ingresses networkpolicies", _WRITE),
        _rule("coordination.k8s.io", "leases", _BOTH),
        _rule("resource.k8s.io", "resourceclaims resourceclaimtemplates", _WRITE),
        into="edit",
    ),
    _role(
        "system:aggregate-to-view",
        _rule(
            _CORE,
            "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods "
            "replicationcontrollers replicationcontrollers/scale serviceaccounts services "
            "services/status",
            _READ,
        ),
        _rule(
            _CORE,
            "bindings limitranges namespaces/status pods/log pods/status "
            "replicationcontrollers/status resourcequotas resourcequotas/status",
            _READ,
        ),
        _rule(_CORE, "namespaces", _READ),
        _rule(f"{_CORE} events.k8s.io", "events", _READ),
        _rule("discovery.k8s.io", "endpointslices", _READ),
        _rule(
            "apps",
            "controllerrevisions daemonsets daemonsets/status deployments deployments/scale "
            "deployments/status replicasets replicasets/scale replicasets/status statefulsets "
            "statefulsets/scale statefulsets/status",
            _READ,
        ),
        _rule("autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status", _READ),
        _rule("batch", "cronjobs cronjobs/status jobs jobs/status", _READ),
        _rule(
            "extensions",
            "daemonsets daemonsets/status deployments deployments/scale deployments/status "
            "ingresses ingresses/status networkpolicies replicasets replicasets/scale "
            "replicasets/status replicationcontrollers/scale",
            _READ,
        ),
        _rule("policy", "poddisruptionbudgets poddisruptionbudgets/status", _READ),
        _rule("networking.k8s.io", "ingresses ingresses/status networkpolicies", _READ),
        _rule(
            "resource.k8s.io",
            "resourceclaims resourceclaims/status resourceclaimtemplates",
            _READ,
        ),
        into="view",
    ),
)


def _filled(roles: Iterable[Object]) -> list[Object]:
    """Give the roles with what they gather in their rules, as they are seen in a cluster."""
    ordered = sorted(roles, key=lambda role: str(role["metadata"]["name"]))
    return [{**role, "rules": rules_of(role, ordered)} for role in roles]


BOOTSTRAP: tuple[Object, ...] = (
    *_filled(_ROLES),
    _binding("cluster-admin", MASTERS),
    _binding("system:basic-user", AUTHENTICATED),
    _binding("system:discovery", AUTHENTICATED),
    _binding("system:public-info-viewer", AUTHENTICATED, UNAUTHENTICATED),
    _binding("system:monitoring", "system:monitoring"),
    _binding("system:service-account-issuer-discovery", "system:serviceaccounts"),
)
