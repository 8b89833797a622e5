"""The cells of Events, of the old group and of the new one. Pure."""

from __future__ import annotations

from koproxy_harness.kube.tables.ages import age
from koproxy_harness.kube.tables.parts import Cells, Object, part


def event(made: Object, now: float) -> Cells:
    """Give an Event's whole row."""
    about = part(made, "involvedObject") or part(made, "regarding")
    series, micro = part(made, "series"), made.get("eventTime")
    first = made.get("firstTimestamp") or made.get("deprecatedFirstTimestamp") or micro
    last = made.get("lastTimestamp") or made.get("deprecatedLastTimestamp") or first
    count = made.get("count") or made.get("deprecatedCount") or 1
    if series:
        last, count = series.get("lastObservedTime"), series.get("count", 0)
    source = part(made, "source") or part(made, "deprecatedSource")
    component = source.get("component") or made.get("reportingComponent") or ""
    component = component or made.get("reportingController") or ""
    host = source.get("host") or made.get("reportingInstance") or ""
    kind, name = about.get("kind", "").lower(), about.get("name", "")
    return [
        *(age(last, now), made.get("type", ""), made.get("reason", "")),
        *(f"{kind}/{name}" if name else kind, about.get("fieldPath", "")),
        f"{component}, {host}" if host else component,
        *((made.get("message") or made.get("note") or "").strip(), age(first, now), count),
        made["metadata"]["name"],
    ]
