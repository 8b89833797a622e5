"""Defaults that go by what else an object says: of each type, what is done to it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

Made = dict[str, Any]

_RBAC = "rbac.authorization.k8s.io"


def _pod(pod: Made) -> None:
    spec = pod["spec"] = {**(pod.get("spec") or {})}
    spec.setdefault("enableServiceLinks", True)
    for kind in ("containers", "initContainers"):
        if spec.get(kind):
            spec[kind] = [_with_requests(container) for container in spec[kind]]


def _pod_spec(spec: Made) -> None:
    if spec.get("hostNetwork"):
        for kind in ("containers", "initContainers"):
            if spec.get(kind):
                spec[kind] = [_on_host(container) for container in spec[kind]]


def _on_host(container: Made) -> Made:
    if not container.get("ports"):
        return container
    ports = [{"hostPort": port.get("containerPort"), **port} for port in container["ports"]]
    return {**container, "ports": ports}


def _with_requests(container: Made) -> Made:
    """What is a limit is asked for too."""
    resources = container.get("resources") or {}
    limits = resources.get("limits")
    if not limits:
        return container
    requests = {**limits, **(resources.get("requests") or {})}
    return {**container, "resources": {**resources, "requests": requests}}


def _container(container: Made) -> None:
    if container.get("imagePullPolicy") is None and container.get("image"):
        name = container["image"].partition("@")
        tag = name[0].rpartition("/")[2].partition(":")[2]
        fixed = name[2] or tag not in ("", "latest")
        container["imagePullPolicy"] = "IfNotPresent" if fixed else "Always"
    if container.get("resources") is None:
        container["resources"] = {}


_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def _probe(probe: Made) -> None:
    for name, each in _PROBE.items():
        probe[name] = probe.get(name) or each


def _volume(volume: Made) -> None:
    if set(volume) <= {"name"}:
        volume["emptyDir"] = {}


def _deployment_strategy(strategy: Made) -> None:
    if strategy["type"] == "RollingUpdate" and strategy.get("rollingUpdate") is None:
        strategy["rollingUpdate"] = {}


_JOB = {
    "manualSelector": False,
    "backoffLimit": 6,
    "completionMode": "NonIndexed",
    "suspend": False,
    "podReplacementPolicy": "TerminatingOrFailed",
}


def _job(job: Made) -> None:
    """Of a job itself: the one in a CronJob stays as it is."""
    spec = {**_JOB, **(job.get("spec") or {})}
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    if spec.get("parallelism") is None:
        spec["parallelism"] = 1
    job["spec"] = spec


def _stateful_set(spec: Made) -> None:
    claims = spec.get("volumeClaimTemplates")
    if claims:
        named = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        status = {"status": {"phase": "Pending"}}
        spec["volumeClaimTemplates"] = [{**named, **status, **claim} for claim in claims]


def _replication_controller(controller: Made) -> None:
    spec = controller.get("spec") or {}
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if labels and not spec.get("selector"):
        controller["spec"] = {**spec, "selector": labels}
    if labels and not controller["metadata"].get("labels"):
        controller["metadata"] = {**controller["metadata"], "labels": labels}


def _autoscaler(autoscaler: Made) -> None:
    if autoscaler.get("minReplicas") is None:
        autoscaler["minReplicas"] = 1
    if "targetCPUUtilizationPercentage" not in autoscaler and not autoscaler.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        autoscaler["metrics"] = [
            {"type": "Resource", "resource": {"name": "cpu", "target": target}}
        ]


def _limit(limit: Made) -> None:
    if limit.get("type") == "Container":
        limit["default"] = {**(limit.get("max") or {}), **(limit.get("default") or {})}
        known = {**(limit.get("min") or {}), **limit["default"]}
        limit["defaultRequest"] = {**known, **(limit.get("defaultRequest") or {})}


def _endpoint_slice(made: Made) -> None:
    made["ports"] = [{"name": "", **port} for port in made.get("ports") or ()] or None


def _secret(secret: Made) -> None:
    plain = secret.pop("stringData", None) or {}
    if plain:
        coded = {name: b64encode(text.encode()).decode() for name, text in plain.items()}
        secret["data"] = {**(secret.get("data") or {}), **coded}


def _service(service: Made) -> None:
    outside = service["type"] in ("NodePort", "LoadBalancer")
    if outside:
        service.setdefault("externalTrafficPolicy", "Cluster")
    if service["type"] == "LoadBalancer":
        service.setdefault("allocateLoadBalancerNodePorts", True)
    if service["type"] == "ExternalName":
        service.pop("internalTrafficPolicy", None)
    else:
        service.setdefault("ipFamilyPolicy", "SingleStack")
        service.setdefault("ipFamilies", ["IPv4"])
    if service["sessionAffinity"] == "ClientIP":
        service.setdefault("sessionAffinityConfig", {"clientIP": {"timeoutSeconds": 10800}})


def _service_port(port: Made) -> None:
    if port.get("targetPort") in (None, 0, "") and "port" in port:
        port["targetPort"] = port["port"]


def _network_policy(policy: Made) -> None:
    if policy.get("podSelector") is None:
        policy["podSelector"] = {}
    if not policy.get("policyTypes"):
        policy["policyTypes"] = ["Ingress", *(["Egress"] if policy.get("egress") else [])]


def _subject(subject: Made) -> None:
    if subject.get("apiGroup") is None and subject.get("kind") in ("User", "Group"):
        subject["apiGroup"] = _RBAC


RULES: Mapping[str, Callable[[Made], None]] = {
    "Pod": _pod,
    "PodSpec": _pod_spec,
    "Container": _container,
    "EphemeralContainer": _container,
    "Probe": _probe,
    "Volume": _volume,
    "DeploymentStrategy": _deployment_strategy,
    "StatefulSetUpdateStrategy": _deployment_strategy,
    "DaemonSetUpdateStrategy": _deployment_strategy,
    "Job": _job,
    "StatefulSetSpec": _stateful_set,
    "ReplicationController": _replication_controller,
    "ServiceSpec": _service,
    "ServicePort": _service_port,
    "NetworkPolicySpec": _network_policy,
    "Subject": _subject,
    "HorizontalPodAutoscalerSpec": _autoscaler,
    "LimitRangeItem": _limit,
    "EndpointSlice": _endpoint_slice,
    "Secret": _secret,
}
