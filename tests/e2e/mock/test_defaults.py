"""The mock fills in what a real kube-apiserver does: both are given objects that say little."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.mock.patch_sides import Real
from koproxy_harness import KubeAPI
from localcluster.apiserver import ApiServer, start_api_server, start_etcd
from localcluster.pki import Authority
from localcluster.processes import Processes

Object = dict[str, Any]
Pair = tuple[Real, Real]
_SPACE = "namespaces/default"
_CONTAINER: Object = {"name": "c", "image": "i"}
_TEMPLATE: Object = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [_CONTAINER]}}
_CHOSEN: Object = {"selector": {"matchLabels": {"a": "b"}}, "template": _TEMPLATE}
_ONCE: Object = {
    "template": {"spec": {"restartPolicy": "Never", "containers": [_CONTAINER]}},
}
_PROBE: Object = {"httpGet": {"port": 80}}
_SERVICE: Object = {"namespace": "default", "name": "s"}
_HOOK: Object = {
    "name": "a.example.org",
    "clientConfig": {"service": _SERVICE},
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
    "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["*"]}],
}
_CLAIM: Object = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}},
}
_WHOLE: Object = {
    "initContainers": [{"name": "i", "image": "x/y:latest"}],
    "containers": [
        {
            "name": "c",
            "image": "r.example:5000/i:1",
            "ports": [{"containerPort": 80}],
            "livenessProbe": _PROBE,
            "readinessProbe": {"grpc": {"port": 1}},
            "startupProbe": {"exec": {"command": ["a"]}, "timeoutSeconds": 9},
            "lifecycle": {"preStop": {"httpGet": {"port": "x"}}},
            "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}},
        },
        {"name": "d", "image": "i@sha256:" + "0" * 64},
    ],
    "volumes": [
        {"name": "a"},
        {"name": "b", "secret": {"secretName": "x"}},
        {"name": "c", "configMap": {"name": "x"}},
        {"name": "d", "hostPath": {"path": "/x"}},
        {"name": "e", "downwardAPI": {}},
        {
            "name": "f",
            "projected": {"sources": [{"configMap": {"name": "x"}}]},
        },
        {"name": "g", "emptyDir": {}},
        {"name": "h", "iscsi": {"targetPortal": "x", "iqn": "iqn.2001-04.com.x:y", "lun": 0}},
        {"name": "i", "ephemeral": {"volumeClaimTemplate": {"spec": _CLAIM}}},
    ],
}
_ROLE: Object = {"kind": "ClusterRole", "name": "view"}
_SUBJECTS: list[Object] = [
    {"kind": "User", "name": "u"},
    {"kind": "Group", "name": "g"},
    {"kind": "ServiceAccount", "name": "s", "namespace": "default"},
]
_RBAC = "apis/rbac.authorization.k8s.io/v1"
_ADMISSION = "apis/admissionregistration.k8s.io/v1"
# By what it is about: where to post, and the object without its name.
OBJECTS: dict[str, tuple[str, Object]] = {
    "pod": (f"api/v1/{_SPACE}/pods", {"spec": {"containers": [_CONTAINER]}}),
    "whole pod": (f"api/v1/{_SPACE}/pods", {"spec": _WHOLE}),
    "host pod": (
        f"api/v1/{_SPACE}/pods",
        {
            "spec": {
                "hostNetwork": True,
                "containers": [{**_CONTAINER, "ports": [{"containerPort": 80}]}],
            }
        },
    ),
    "pod template": (f"api/v1/{_SPACE}/podtemplates", {"template": _TEMPLATE}),
    "replication controller": (
        f"api/v1/{_SPACE}/replicationcontrollers",
        {"spec": {"template": _TEMPLATE}},
    ),
    "deployment": (f"apis/apps/v1/{_SPACE}/deployments", {"spec": _CHOSEN}),
    "recreated deployment": (
        f"apis/apps/v1/{_SPACE}/deployments",
        {"spec": {**_CHOSEN, "strategy": {"type": "Recreate"}, "replicas": 0}},
    ),
    "rolling deployment": (
        f"apis/apps/v1/{_SPACE}/deployments",
        {"spec": {**_CHOSEN, "strategy": {"rollingUpdate": {"maxSurge": 2}}}},
    ),
    "whole deployment": (
        f"apis/apps/v1/{_SPACE}/deployments",
        {
            "spec": {
                **_CHOSEN,
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": _WHOLE},
            }
        },
    ),
    "replica set": (f"apis/apps/v1/{_SPACE}/replicasets", {"spec": _CHOSEN}),
    "stateful set": (
        f"apis/apps/v1/{_SPACE}/statefulsets",
        {
            "spec": {
                **_CHOSEN,
                "volumeClaimTemplates": [{"metadata": {"name": "v"}, "spec": _CLAIM}],
            }
        },
    ),
    "stateful set on delete": (
        f"apis/apps/v1/{_SPACE}/statefulsets",
        {"spec": {**_CHOSEN, "serviceName": "s", "updateStrategy": {"type": "OnDelete"}}},
    ),
    "daemon set": (f"apis/apps/v1/{_SPACE}/daemonsets", {"spec": _CHOSEN}),
    "job": (f"apis/batch/v1/{_SPACE}/jobs", {"spec": _ONCE}),
    "parallel job": (f"apis/batch/v1/{_SPACE}/jobs", {"spec": {**_ONCE, "parallelism": 3}}),
    "cron job": (
        f"apis/batch/v1/{_SPACE}/cronjobs",
        {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": _ONCE}}},
    ),
    "autoscaler": (
        f"apis/autoscaling/v2/{_SPACE}/horizontalpodautoscalers",
        {
            "spec": {
                "maxReplicas": 3,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"},
            }
        },
    ),
    "disruption budget": (f"apis/policy/v1/{_SPACE}/poddisruptionbudgets", {"spec": {}}),
    "service": (f"api/v1/{_SPACE}/services", {"spec": {"ports": [{"port": 80}]}}),
    "headless service": (
        f"api/v1/{_SPACE}/services",
        {"spec": {"clusterIP": "None", "selector": {"a": "b"}}},
    ),
    "node port": (
        f"api/v1/{_SPACE}/services",
        {
            "spec": {
                "type": "NodePort",
                "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81, "targetPort": "x"}],
            }
        },
    ),
    "load balancer": (
        f"api/v1/{_SPACE}/services",
        {"spec": {"type": "LoadBalancer", "ports": [{"port": 80}], "sessionAffinity": "ClientIP"}},
    ),
    "external name": (
        f"api/v1/{_SPACE}/services",
        {"spec": {"type": "ExternalName", "externalName": "x.example"}},
    ),
    "endpoints": (
        f"api/v1/{_SPACE}/endpoints",
        {"subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 1}]}]},
    ),
    "endpoint slice": (
        f"apis/discovery.k8s.io/v1/{_SPACE}/endpointslices",
        {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": [{"port": 1}]},
    ),
    "ingress": (
        f"apis/networking.k8s.io/v1/{_SPACE}/ingresses",
        {"spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 1}}}}},
    ),
    "network policy": (
        f"apis/networking.k8s.io/v1/{_SPACE}/networkpolicies",
        {"spec": {"ingress": [{"ports": [{"port": 1}]}]}},
    ),
    "network policy both ways": (
        f"apis/networking.k8s.io/v1/{_SPACE}/networkpolicies",
        {"spec": {"podSelector": {"matchLabels": {"a": "b"}}, "egress": [{}]}},
    ),
    "ingress class": ("apis/networking.k8s.io/v1/ingressclasses", {"spec": {"controller": "a/b"}}),
    "config map": (f"api/v1/{_SPACE}/configmaps", {"data": {"a": "b"}}),
    "secret": (f"api/v1/{_SPACE}/secrets", {"stringData": {"a": "b"}, "data": {"c": "ZA=="}}),
    "service account": (f"api/v1/{_SPACE}/serviceaccounts", {}),
    "quota": (f"api/v1/{_SPACE}/resourcequotas", {"spec": {"hard": {"pods": "1"}}}),
    "limit range": (
        f"api/v1/{_SPACE}/limitranges",
        {"spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1"}}]}},
    ),
    "claim": (f"api/v1/{_SPACE}/persistentvolumeclaims", {"spec": _CLAIM}),
    "volume": (
        "api/v1/persistentvolumes",
        {
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "capacity": {"storage": "1Gi"},
                "hostPath": {"path": "/x"},
            }
        },
    ),
    "storage class": ("apis/storage.k8s.io/v1/storageclasses", {"provisioner": "a/b"}),
    "driver": ("apis/storage.k8s.io/v1/csidrivers", {"spec": {}}),
    "namespace": ("api/v1/namespaces", {}),
    "node": ("api/v1/nodes", {}),
    "priority class": ("apis/scheduling.k8s.io/v1/priorityclasses", {"value": 1}),
    "lease": (f"apis/coordination.k8s.io/v1/{_SPACE}/leases", {}),
    "runtime class": ("apis/node.k8s.io/v1/runtimeclasses", {"handler": "h"}),
    "role": (
        f"{_RBAC}/{_SPACE}/roles",
        {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    ),
    "role binding": (
        f"{_RBAC}/{_SPACE}/rolebindings",
        {"roleRef": _ROLE, "subjects": _SUBJECTS},
    ),
    "cluster role binding": (
        f"{_RBAC}/clusterrolebindings",
        {"roleRef": _ROLE, "subjects": _SUBJECTS},
    ),
    "validating hooks": (f"{_ADMISSION}/validatingwebhookconfigurations", {"webhooks": [_HOOK]}),
    "mutating hooks": (f"{_ADMISSION}/mutatingwebhookconfigurations", {"webhooks": [_HOOK]}),
    "admission policy": (
        f"{_ADMISSION}/validatingadmissionpolicies",
        {
            "spec": {
                "matchConstraints": {"resourceRules": _HOOK["rules"]},
                "validations": [{"expression": "true"}],
            }
        },
    ),
    "policy binding": (
        f"{_ADMISSION}/validatingadmissionpolicybindings",
        {"spec": {"policyName": "a", "validationActions": ["Deny"], "matchResources": {}}},
    ),
}
# What admission adds, and what is given out by chance.
_ADDED = {
    "Pod": ("tolerations", "priority", "preemptionPolicy"),
    "Job": ("selector",),
    "Node": ("taints",),
}
_MARKS = ("annotations", "finalizers")
_UNLIKE = ("uid", "resourceVersion", "creationTimestamp", "managedFields")


@pytest.fixture(scope="module")
def api(parts: Processes, authority: Authority) -> ApiServer:
    """A kube-apiserver without controllers, as the mock has none."""
    return start_api_server(parts, authority, start_etcd(parts), name="defaults")


@pytest.fixture(scope="module")
def both(api: ApiServer) -> Iterator[Pair]:
    """The mock and the real one."""
    with KubeAPI() as mock:
        sides = (
            Real(mock.url, str(mock.ca_file), mock.admin_token),
            Real(api.url, str(api.ca), api.admin_token),
        )
        yield sides
        for side in sides:
            side.close()


@pytest.mark.parametrize("name", OBJECTS)
def test_what_is_filled_in(both: Pair, name: str) -> None:
    place, given = OBJECTS[name]
    called = {**given, "metadata": {"name": name.replace(" ", "-"), "labels": {"l": "m"}}}
    found = []
    for side in both:
        status, made = side.ask("POST", f"/{place}", json.dumps(called).encode())
        assert status == 201, made
        found.append(_alike(made))
    assert found[0] == found[1]


def _alike(made: Object) -> Object:
    metadata = {
        name: each for name, each in made["metadata"].items() if name not in _UNLIKE + _MARKS
    }
    kept = {**made, "metadata": metadata}
    if "spec" in made:
        added = _ADDED.get(made["kind"], ())
        kept["spec"] = {name: each for name, each in made["spec"].items() if name not in added}
        for port in kept["spec"].get("ports") or ():
            if "nodePort" in port:
                port["nodePort"] = "one"
    if kept.get("spec", {}).get("clusterIP", "None") != "None":
        kept["spec"] |= {"clusterIP": "one", "clusterIPs": ["one"]}
    if made["kind"] == "Job":
        del kept["spec"]["template"]["metadata"]
    kept.get("status", {}).pop("lastPhaseTransitionTime", None)
    return kept
