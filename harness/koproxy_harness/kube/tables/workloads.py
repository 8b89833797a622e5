"""The cells of what makes Pods, and of what limits their loss. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from koproxy_harness.kube.tables.ages import age, duration, moment
from koproxy_harness.kube.tables.parts import (
    NONE,
    UNSET,
    Cells,
    Object,
    Printer,
    containers,
    count,
    labels_shown,
    part,
    selector_shown,
)


def _replicas(made: Object, old: str, now: float) -> Cells:
    spec = part(made, "spec")
    return [*_counted(made, old), selector_shown(spec.get("selector"))]


def _replication_controller(made: Object, old: str, now: float) -> Cells:
    return [*_counted(made, old), labels_shown(part(made, "spec").get("selector"))]


def _counted(made: Object, old: str) -> Cells:
    spec, status = part(made, "spec"), part(made, "status")
    counts = (*count(spec, "replicas"), *count(status, "replicas", "readyReplicas"))
    return [*counts, old, *containers(part(spec, "template"))]


def _deployment(made: Object, old: str, now: float) -> Cells:
    spec, status = part(made, "spec"), part(made, "status")
    return [
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        *(*count(status, "updatedReplicas", "availableReplicas"), old),
        *(*containers(part(spec, "template")), selector_shown(spec.get("selector"))),
    ]


def _stateful_set(made: Object, old: str, now: float) -> Cells:
    spec, ready = part(made, "spec"), part(made, "status").get("readyReplicas", 0)
    return [f"{ready}/{spec.get('replicas', 0)}", old, *containers(part(spec, "template"))]


def _daemon_set(made: Object, old: str, now: float) -> Cells:
    spec, status = part(made, "spec"), part(made, "status")
    counts = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady")
    template = part(spec, "template")
    return [
        *count(status, *counts, "updatedNumberScheduled", "numberAvailable"),
        *(labels_shown(part(template, "spec").get("nodeSelector")), old),
        *(*containers(template), selector_shown(spec.get("selector"))),
    ]


def _job(made: Object, old: str, now: float) -> Cells:
    spec, status = part(made, "spec"), part(made, "status")
    done, wanted = status.get("succeeded", 0), spec.get("completions")
    parallel = spec.get("parallelism", 0)
    total = wanted if wanted is not None else (f"1 of {parallel}" if parallel > 1 else 1)
    begun, ended = status.get("startTime"), status.get("completionTime")
    took = duration((moment(ended) if ended else now) - moment(begun)) if begun else ""
    pods = (*containers(part(spec, "template")), selector_shown(spec.get("selector")))
    return [_job_state(made), f"{done}/{total}", took, old, *pods]


def _job_state(made: Object) -> str:
    conditions = part(made, "status").get("conditions") or ()
    true = {each.get("type", "") for each in conditions if each.get("status") == "True"}
    if "deletionTimestamp" in made["metadata"]:
        true.add("Terminating")
    order = ("Complete", "Failed", "Terminating", "Suspended", "FailureTarget")
    return next((each for each in (*order, "SuccessCriteriaMet") if each in true), "Running")


def _cron_job(made: Object, old: str, now: float) -> Cells:
    spec, status = part(made, "spec"), part(made, "status")
    last = status.get("lastScheduleTime")
    job = part(part(spec, "jobTemplate"), "spec")
    return [
        *(spec.get("schedule", ""), spec.get("timeZone", NONE), str(spec.get("suspend", UNSET))),
        *(len(status.get("active") or ()), age(last, now) if last else NONE, old),
        *(*containers(part(job, "template")), selector_shown(job.get("selector"))),
    ]


def _revision(made: Object, old: str, now: float) -> Cells:
    for owner in made["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            group = owner.get("apiVersion", "").rpartition("/")[0]
            kind = owner.get("kind", "").lower() + (f".{group}" if group else "")
            return [f"{kind}/{owner.get('name', '')}", made.get("revision", 0), old]
    return [NONE, made.get("revision", 0), old]


def _template(made: Object, old: str, now: float) -> Cells:
    template = part(made, "template")
    return [*containers(template), labels_shown(part(template, "metadata").get("labels"))]


def _budget(made: Object, old: str, now: float) -> Cells:
    spec = part(made, "spec")
    limits = [str(spec.get(name, "N/A")) for name in ("minAvailable", "maxUnavailable")]
    return [*limits, *count(part(made, "status"), "disruptionsAllowed"), old]


PRINTERS: Mapping[tuple[str, str], Printer] = {
    ("", "podtemplates"): _template,
    ("", "replicationcontrollers"): _replication_controller,
    ("apps", "controllerrevisions"): _revision,
    ("apps", "daemonsets"): _daemon_set,
    ("apps", "deployments"): _deployment,
    ("apps", "replicasets"): _replicas,
    ("apps", "statefulsets"): _stateful_set,
    ("batch", "cronjobs"): _cron_job,
    ("batch", "jobs"): _job,
    ("policy", "poddisruptionbudgets"): _budget,
}
