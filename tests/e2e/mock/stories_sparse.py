"""Objects that say as little as they may, as a story: a server fills in what kubectl goes by."""

from __future__ import annotations

import json
from typing import Any

_LABELS = {"a": "b"}
_PODS = {"containers": [{"name": "c", "image": "x"}]}
_TEMPLATE = {"metadata": {"labels": _LABELS}, "spec": _PODS}
_CHOSEN = {"selector": {"matchLabels": _LABELS}, "template": _TEMPLATE}
_ONCE = {"template": {"spec": {"restartPolicy": "Never", **_PODS}}}
_STORED = {"accessModes": ["ReadWriteOnce"]}
_HALF = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}}
_PATH = {
    "path": "/",
    "pathType": "Prefix",
    "backend": {"service": {"name": "svc", "port": {"number": 80}}},
}


def _made(version: str, kind: str, name: str, **parts: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **parts}


_OBJECTS = [
    _made("apps/v1", "Deployment", "d", spec=_CHOSEN),
    _made("apps/v1", "StatefulSet", "s", spec={**_CHOSEN, "serviceName": "x"}),
    _made("apps/v1", "ReplicaSet", "r", spec=_CHOSEN),
    _made("apps/v1", "DaemonSet", "ds", spec=_CHOSEN),
    _made("v1", "ReplicationController", "rc", spec={"selector": _LABELS, "template": _TEMPLATE}),
    _made(
        "batch/v1", "CronJob", "cj", spec={"schedule": "* * * * *", "jobTemplate": {"spec": _ONCE}}
    ),
    _made("v1", "Service", "svc", spec={"selector": _LABELS, "ports": [{"port": 80}]}),
    _made("v1", "Service", "np", spec={"type": "NodePort", "ports": [{"port": 80}]}),
    _made("v1", "Service", "en", spec={"type": "ExternalName", "externalName": "x.example"}),
    _made(
        "networking.k8s.io/v1",
        "Ingress",
        "ing",
        spec={"rules": [{"host": "a.b", "http": {"paths": [_PATH]}}]},
    ),
    _made("networking.k8s.io/v1", "NetworkPolicy", "pol", spec={"podSelector": {}}),
    _made(
        "v1",
        "PersistentVolumeClaim",
        "pvc",
        spec={**_STORED, "resources": {"requests": {"storage": "1Gi"}}},
    ),
    _made("autoscaling/v2", "HorizontalPodAutoscaler", "h", spec={"maxReplicas": 3, **_HALF}),
    _made("policy/v1", "PodDisruptionBudget", "pdb", spec={"selector": {"matchLabels": _LABELS}}),
    _made("v1", "ResourceQuota", "q", spec={"hard": {"pods": "9"}}),
    _made("v1", "LimitRange", "l", spec={"limits": [{"type": "Container", "min": {"cpu": "1m"}}]}),
    _made("v1", "Secret", "sec", stringData={"a": "b"}),
    _made("v1", "Pod", "p", spec=_PODS),
    _made("coordination.k8s.io/v1", "Lease", "le"),
    _made(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        "es",
        addressType="IPv4",
        endpoints=[{"addresses": ["10.0.0.1"]}],
        ports=[{"port": 1}],
    ),
]
SPARSE = "---\n".join(json.dumps(each) + "\n" for each in _OBJECTS)
# Addresses are each server's own, and a real one adds marks for its controllers.
UNLIKE = ("svc/svc", "svc/np", "pod/p", "ds/ds", "pvc/pvc")
DESCRIBED = (
    *("deploy/d", "sts/s", "rs/r", "rc/rc", "cj/cj", "svc/en", "ing/ing", "netpol/pol"),
    *("hpa/h", "pdb/pdb", "quota/q", "limits/l", "secret/sec", "endpointslice/es"),
)
