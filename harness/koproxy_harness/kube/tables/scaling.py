"""The cells of autoscalers: what they measure, and what they are to reach. Pure."""

from __future__ import annotations

from koproxy_harness.kube.tables.parts import (
    NONE,
    UNKNOWN,
    UNSET,
    Cells,
    Object,
    count,
    part,
    shortened,
)


def autoscaler(made: Object, old: str, now: float) -> Cells:
    """Give what stands behind an autoscaler's name, in either of its versions."""
    spec, status = part(made, "spec"), part(made, "status")
    target = part(spec, "scaleTargetRef")
    wanted, found = spec.get("metrics") or [], status.get("currentMetrics") or []
    if "targetCPUUtilizationPercentage" in spec:  # all that version 1 can say
        now_used = status.get("currentCPUUtilizationPercentage")
        wanted = [_processor("target", spec["targetCPUUtilizationPercentage"])]
        found = [] if now_used is None else [_processor("current", now_used)]
    measured = [
        _measured(each, found[number] if number < len(found) else {})
        for number, each in enumerate(wanted)
    ]
    return [
        *(
            f"{target.get('kind', '')}/{target.get('name', '')}",
            shortened(measured, 2, ", ") or NONE,
        ),
        *(str(spec.get("minReplicas", UNSET)), *count(spec, "maxReplicas")),
        *(*count(status, "currentReplicas"), old),
    ]


def _processor(when: str, percent: int) -> Object:
    return {"type": "Resource", "resource": {"name": "cpu", when: {"averageUtilization": percent}}}


def _measured(metric: Object, status: Object) -> str:
    field = metric.get("type", "")[:1].lower() + metric.get("type", "")[1:]
    source = part(metric, field)
    target, current = part(source, "target"), part(part(status, field), "current")
    name, unit, all_of = "", "", ""
    if "averageValue" in target:
        of = "averageValue"
        all_of = " (avg)" if field in ("external", "object") else ""
    else:
        of = "value" if field in ("external", "object") else "averageUtilization"
    if field in ("resource", "containerResource"):
        name = f"{source.get('name', '')}: "
        unit = "%" if of == "averageUtilization" else ""
    reached, wanted = (
        f"{each[of]}{unit}" if of in each else otherwise
        for each, otherwise in ((current, UNKNOWN), (target, "<auto>"))
    )
    return f"{name}{reached}/{wanted}{all_of}"
