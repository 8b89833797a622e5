"""The cells of what a cluster has besides: nodes, namespaces, limits, settings. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from koproxy_harness.kube.tables.parts import (
    NONE,
    UNKNOWN,
    Cells,
    Object,
    Printer,
    part,
)


def _node(made: Object, old: str, now: float) -> Cells:
    status = part(made, "status")
    ready = [each for each in status.get("conditions") or () if each.get("type") == "Ready"]
    state = "Unknown"
    if ready:
        state = "Ready" if ready[-1].get("status") == "True" else "NotReady"
    if part(made, "spec").get("unschedulable"):
        state += ",SchedulingDisabled"
    info, addresses = part(status, "nodeInfo"), status.get("addresses") or ()
    known = {each.get("type", ""): each.get("address", "") for each in reversed(addresses)}
    kernel, machine = info.get("kernelVersion") or UNKNOWN, info.get("architecture")
    return [
        *(state, ",".join(_roles(made)) or NONE, old, info.get("kubeletVersion", "")),
        *(known.get("InternalIP", NONE), known.get("ExternalIP", NONE)),
        info.get("osImage") or UNKNOWN,
        f"{kernel} ({machine})" if machine else kernel,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _roles(made: Object) -> list[str]:
    prefix, roles = "node-role.kubernetes.io/", set()
    for key, value in part(made["metadata"], "labels").items():
        if key.startswith(prefix):
            roles.add(key.removeprefix(prefix))
        elif key == "kubernetes.io/role":
            roles.add(value)
    return sorted(roles - {""})


def _quota(made: Object, old: str, now: float) -> Cells:
    status = part(made, "status")
    used = part(status, "used")
    requests: list[str] = []
    limits: list[str] = []
    for name, hard in sorted(part(status, "hard").items()):
        said = limits if name.startswith("limits.") else requests
        said.append(f"{name}: {used.get(name, '0')}/{hard}")
    return [", ".join(requests), ", ".join(limits), old]


def _component(made: Object, old: str, now: float) -> Cells:
    for each in made.get("conditions") or ():
        if each.get("type") == "Healthy":
            state = "Healthy" if each.get("status") == "True" else "Unhealthy"
            return [state, each.get("message", ""), each.get("error", "")]
    return ["Unknown", "", ""]


def _config_map(made: Object, old: str, now: float) -> Cells:
    return [len(part(made, "data")) + len(part(made, "binaryData")), old]


def _priority_class(made: Object, old: str, now: float) -> Cells:
    default = made.get("globalDefault", False)
    return [made.get("value", 0), default, old, made.get("preemptionPolicy", "")]


PRINTERS: Mapping[tuple[str, str], Printer] = {
    ("", "componentstatuses"): _component,
    ("", "configmaps"): _config_map,
    ("", "namespaces"): lambda made, old, now: [part(made, "status").get("phase", ""), old],
    ("", "nodes"): _node,
    ("", "resourcequotas"): _quota,
    ("", "secrets"): lambda made, old, now: [made.get("type", ""), len(part(made, "data")), old],
    ("", "serviceaccounts"): lambda made, old, now: [old],
    ("coordination.k8s.io", "leases"): lambda made, old, now: [
        part(made, "spec").get("holderIdentity", ""),
        old,
    ],
    ("node.k8s.io", "runtimeclasses"): lambda made, old, now: [made.get("handler", ""), old],
    ("scheduling.k8s.io", "priorityclasses"): _priority_class,
}
