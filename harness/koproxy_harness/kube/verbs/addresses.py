"""The addresses and ports that a cluster gives to Services. Pure.

They follow from a Service's UID: nothing has to be remembered, and nobody gets them twice.
https://kubernetes.io/docs/concepts/services-networking/service/
"""

from __future__ import annotations

import uuid

from koproxy_harness.kube.store import Object

_NODE_PORTS = range(30000, 32768)


def addressed(service: Object) -> Object:
    """Give a Service with the addresses and node ports that it doesn't say itself."""
    spec = dict(service.get("spec") or {})
    if spec.get("type") == "ExternalName":
        return service
    number = uuid.UUID(service["metadata"]["uid"]).int
    if not spec.get("clusterIP"):
        spec["clusterIP"] = f"10.96.{number % 250 + 1}.{number // 250 % 250 + 1}"
    spec["clusterIPs"] = spec.get("clusterIPs") or [spec["clusterIP"]]
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        spec["ports"] = [
            port if port.get("nodePort") else {**port, "nodePort": _node_port(number + at)}
            for at, port in enumerate(spec.get("ports") or ())
        ]
    return {**service, "spec": spec}


def _node_port(number: int) -> int:
    return _NODE_PORTS[number % len(_NODE_PORTS)]
