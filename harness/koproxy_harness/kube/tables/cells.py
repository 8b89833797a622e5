"""The cells of the built-in kinds' tables, as a function of the object and the time. Pure.

Each function gives what stands behind the name, in the order of `columns.COLUMNS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from koproxy_harness.kube.tables.ages import age, duration, moment
from koproxy_harness.kube.tables.pods import pod

Object = Mapping[str, Any]
Cells = list[Any]
NONE, UNSET = "<none>", "<unset>"


def cells(resource: tuple[str, str], made: Object, now: float) -> Cells:
    """Give an object's row."""
    metadata = made["metadata"]
    old = age(metadata.get("creationTimestamp"), now)
    if resource[1] == "events":
        return [*_event(made, now), metadata["name"]]
    printer = _PRINTERS.get(resource)
    if printer is None:
        return [metadata["name"], metadata.get("creationTimestamp")]
    return [metadata["name"], *printer(made, old, now)]


def _part(made: Object, name: str) -> Any:
    return made.get(name) or {}


def _labels(labels: Mapping[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def _selector(selector: Mapping[str, Any] | None) -> str:
    found = selector or {}
    said = [(key, f"{key}={value}") for key, value in (found.get("matchLabels") or {}).items()]
    for each in found.get("matchExpressions") or ():
        key, values = each["key"], ",".join(sorted(each.get("values") or ()))
        forms = {
            "Exists": key,
            "DoesNotExist": f"!{key}",
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
        }
        said.append((key, forms[each["operator"]]))
    return ",".join(word for _, word in sorted(said, key=lambda pair: pair[0])) or NONE


def _images(template: Object) -> Cells:
    containers = _part(_part(template, "spec"), "containers") or ()
    return [",".join(each[name] for each in containers) for name in ("name", "image")]


def _replicas(made: Object, old: str, now: float) -> Cells:
    spec, status = _part(made, "spec"), _part(made, "status")
    counts = [status.get(name, 0) for name in ("replicas", "readyReplicas")]
    selector = spec.get("selector")
    shown = (
        _labels(selector) if made.get("kind") == "ReplicationController" else _selector(selector)
    )
    return [spec.get("replicas", 0), *counts, old, *_images(_part(spec, "template")), shown]


def _deployment(made: Object, old: str, now: float) -> Cells:
    spec, status = _part(made, "spec"), _part(made, "status")
    return [
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        *(status.get(name, 0) for name in ("updatedReplicas", "availableReplicas")),
        *(old, *_images(_part(spec, "template")), _selector(spec.get("selector"))),
    ]


def _stateful_set(made: Object, old: str, now: float) -> Cells:
    spec, ready = _part(made, "spec"), _part(made, "status").get("readyReplicas", 0)
    return [f"{ready}/{spec.get('replicas', 0)}", old, *_images(_part(spec, "template"))]


def _daemon_set(made: Object, old: str, now: float) -> Cells:
    spec, status = _part(made, "spec"), _part(made, "status")
    counts = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady")
    template = _part(spec, "template")
    return [
        *(status.get(name, 0) for name in (*counts, "updatedNumberScheduled", "numberAvailable")),
        *(_labels(_part(template, "spec").get("nodeSelector")), old),
        *(*_images(template), _selector(spec.get("selector"))),
    ]


def _job(made: Object, old: str, now: float) -> Cells:
    spec, status = _part(made, "spec"), _part(made, "status")
    done, wanted = status.get("succeeded", 0), spec.get("completions")
    parallel = spec.get("parallelism", 0)
    total = wanted if wanted is not None else (f"1 of {parallel}" if parallel > 1 else 1)
    begun, ended = status.get("startTime"), status.get("completionTime")
    took = duration((moment(ended) if ended else now) - moment(begun)) if begun else ""
    true = {c["type"] for c in status.get("conditions") or () if c["status"] == "True"}
    state = "Running"
    for condition, said in (
        *(("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")),
        *(("FailureTarget", "FailureTarget"), ("SuccessCriteriaMet", "SuccessCriteriaMet")),
    ):
        if condition in true:
            state = said
            break
    else:
        state = "Terminating" if "deletionTimestamp" in made["metadata"] else state
    pods = (*_images(_part(spec, "template")), _selector(spec.get("selector")))
    return [state, f"{done}/{total}", took, old, *pods]


def _cron_job(made: Object, old: str, now: float) -> Cells:
    spec, status = _part(made, "spec"), _part(made, "status")
    last = status.get("lastScheduleTime")
    job = _part(_part(spec, "jobTemplate"), "spec")
    return [
        *(spec.get("schedule"), spec.get("timeZone", NONE), str(spec.get("suspend", False))),
        *(len(status.get("active") or ()), age(last, now) if last else NONE, old),
        *(*_images(_part(job, "template")), _selector(job.get("selector"))),
    ]


def _service(made: Object, old: str, now: float) -> Cells:
    spec = _part(made, "spec")
    type_, outer = spec.get("type", "ClusterIP"), list(spec.get("externalIPs") or ())
    if type_ == "LoadBalancer":
        given = _part(_part(made, "status"), "loadBalancer").get("ingress") or ()
        outer = [each.get("ip") or each.get("hostname", "") for each in given] + outer
    external = ",".join(outer) or ("<pending>" if type_ == "LoadBalancer" else NONE)
    if type_ == "ExternalName":
        external = spec.get("externalName", "")
    ports = [
        f"{each['port']}{':' + str(each['nodePort']) if each.get('nodePort') else ''}"
        f"/{each.get('protocol', 'TCP')}"
        for each in spec.get("ports") or ()
    ]
    address = (spec.get("clusterIPs") or [spec.get("clusterIP") or NONE])[0]
    return [type_, address, external, ",".join(ports) or NONE, old, _labels(spec.get("selector"))]


def _ingress(made: Object, old: str, now: float) -> Cells:
    spec = _part(made, "spec")
    hosts = [each["host"] for each in spec.get("rules") or () if each.get("host")]
    more = f" + {len(hosts) - 3} more..." if len(hosts) > 3 else ""
    given = _part(_part(made, "status"), "loadBalancer").get("ingress") or ()
    addresses = ",".join(each.get("ip") or each.get("hostname", "") for each in given)
    class_ = spec.get("ingressClassName") or NONE
    ports = "80, 443" if spec.get("tls") else "80"
    return [class_, (",".join(hosts[:3]) or "*") + more, addresses, ports, old]


def _node(made: Object, old: str, now: float) -> Cells:
    spec, status, labels = (
        _part(made, "spec"),
        _part(made, "status"),
        made["metadata"].get("labels"),
    )
    ready = [c["status"] for c in status.get("conditions") or () if c["type"] == "Ready"]
    state = {"True": "Ready", "": "Unknown"}.get(ready[0] if ready else "", "NotReady")
    if spec.get("unschedulable"):
        state += ",SchedulingDisabled"
    prefix, roles = "node-role.kubernetes.io/", set()
    for key, value in (labels or {}).items():
        if key.startswith(prefix) and key != prefix:
            roles.add(key.removeprefix(prefix))
        elif key == "kubernetes.io/role" and value:
            roles.add(value)
    info, addresses = _part(status, "nodeInfo"), status.get("addresses") or ()
    known = {each["type"]: each["address"] for each in reversed(addresses)}
    return [
        *(state, ",".join(sorted(roles)) or NONE, old, info.get("kubeletVersion", "")),
        *(known.get(name, NONE) for name in ("InternalIP", "ExternalIP")),
        *(
            info.get(name) or "<unknown>"
            for name in ("osImage", "kernelVersion", "containerRuntimeVersion")
        ),
    ]


def _event(made: Object, now: float) -> Cells:
    about = made.get("involvedObject") or made.get("regarding") or {}
    series = _part(made, "series")
    micro = made.get("eventTime")
    first = made.get("firstTimestamp") or made.get("deprecatedFirstTimestamp") or micro
    last = made.get("lastTimestamp") or made.get("deprecatedLastTimestamp") or first
    count = made.get("count") or made.get("deprecatedCount") or 0
    if series:
        last, count = series.get("lastObservedTime") or last, series.get("count", count)
    elif not count:
        count = 1
    source = made.get("source") or made.get("deprecatedSource") or {}
    component = source.get("component") or made.get("reportingComponent") or ""
    component = component or made.get("reportingController") or ""
    host = source.get("host") or made.get("reportingInstance") or ""
    kind, name = about.get("kind", "").lower(), about.get("name", "")
    return [
        *(age(last, now), made.get("type", ""), made.get("reason", "")),
        *(f"{kind}/{name}" if name else kind, about.get("fieldPath", "")),
        *(f"{component}, {host}" if host else component,),
        *((made.get("message") or made.get("note") or "").strip(), age(first, now), count),
    ]


def _binding(made: Object, old: str, now: float) -> Cells:
    by: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for each in made.get("subjects") or ():
        space = f"{each.get('namespace', '')}/" if each["kind"] == "ServiceAccount" else ""
        by[each["kind"]].append(space + each["name"])
    role = made["roleRef"]
    return [f"{role['kind']}/{role['name']}", old, *(", ".join(names) for names in by.values())]


_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def _modes(modes: Sequence[str] | None) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or ()))


def _claim(made: Object, old: str, now: float) -> Cells:
    spec, status = _part(made, "spec"), _part(made, "status")
    bound, volume = {}, spec.get("volumeName", "")
    phase = "Terminating" if "deletionTimestamp" in made["metadata"] else status.get("phase", "")
    if volume:
        bound = status
    return [
        *(phase, volume, _part(bound, "capacity").get("storage", "0") if volume else ""),
        *(_modes(bound.get("accessModes")), spec.get("storageClassName", "")),
        *(spec.get("volumeAttributesClassName") or UNSET, old),
        spec.get("volumeMode") or UNSET,
    ]


def _volume(made: Object, old: str, now: float) -> Cells:
    spec, status = _part(made, "spec"), _part(made, "status")
    claim = spec.get("claimRef")
    phase = "Terminating" if "deletionTimestamp" in made["metadata"] else status.get("phase", "")
    return [
        *(_part(spec, "capacity").get("storage", "0"), _modes(spec.get("accessModes"))),
        *(spec.get("persistentVolumeReclaimPolicy", ""), phase),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        *(spec.get("storageClassName", ""), spec.get("volumeAttributesClassName") or UNSET),
        *(status.get("reason", ""), old, spec.get("volumeMode") or UNSET),
    ]


def _budget(made: Object, old: str, now: float) -> Cells:
    spec = _part(made, "spec")
    limits = [str(spec.get(name, "N/A")) for name in ("minAvailable", "maxUnavailable")]
    return [*limits, _part(made, "status").get("disruptionsAllowed", 0), old]


def _storage_class(made: Object, old: str, now: float) -> Cells:
    return [
        *(made["provisioner"], made.get("reclaimPolicy", "Delete")),
        made.get("volumeBindingMode", "Immediate"),
        *(made.get("allowVolumeExpansion", False), old),
    ]


def _priority_class(made: Object, old: str, now: float) -> Cells:
    default = made.get("globalDefault", False)
    return [made["value"], default, old, made.get("preemptionPolicy", "")]


def _endpoints(made: Object, old: str, now: float) -> Cells:
    found = []
    for subset in made.get("subsets") or ():
        ports: Sequence[Object] = subset.get("ports") or ({},)
        for port in ports:
            for each in subset.get("addresses") or ():
                found.append(f"{each['ip']}:{port['port']}" if port else each["ip"])
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return [(",".join(found[:3]) or NONE) + more, old]


_PRINTERS: Mapping[tuple[str, str], Callable[[Object, str, float], Sequence[Any]]] = {
    ("", "configmaps"): lambda made, old, now: [
        len(_part(made, "data")) + len(_part(made, "binaryData")),
        old,
    ],
    ("", "endpoints"): _endpoints,
    ("", "namespaces"): lambda made, old, now: [_part(made, "status").get("phase", ""), old],
    ("", "nodes"): _node,
    ("", "persistentvolumeclaims"): _claim,
    ("", "persistentvolumes"): _volume,
    ("", "pods"): pod,
    ("", "replicationcontrollers"): _replicas,
    ("", "secrets"): lambda made, old, now: [made.get("type", ""), len(_part(made, "data")), old],
    ("", "serviceaccounts"): lambda made, old, now: [old],
    ("", "services"): _service,
    ("apps", "daemonsets"): _daemon_set,
    ("apps", "deployments"): _deployment,
    ("apps", "replicasets"): _replicas,
    ("apps", "statefulsets"): _stateful_set,
    ("batch", "cronjobs"): _cron_job,
    ("batch", "jobs"): _job,
    ("coordination.k8s.io", "leases"): lambda made, old, now: [
        _part(made, "spec").get("holderIdentity", ""),
        old,
    ],
    ("networking.k8s.io", "ingresses"): _ingress,
    ("networking.k8s.io", "networkpolicies"): lambda made, old, now: [
        _selector(_part(made, "spec").get("podSelector")),
        old,
    ],
    ("policy", "poddisruptionbudgets"): _budget,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): _binding,
    ("rbac.authorization.k8s.io", "rolebindings"): _binding,
    ("scheduling.k8s.io", "priorityclasses"): _priority_class,
    ("storage.k8s.io", "storageclasses"): _storage_class,
}
