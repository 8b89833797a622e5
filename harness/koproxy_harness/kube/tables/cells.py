"""The cells of the built-in kinds' tables, as a function of the object and the time. Pure.

What stands behind the name, in the order of `columns.COLUMNS`, is made by the modules beside.
"""

from __future__ import annotations

from collections.abc import Mapping

from koproxy_harness.kube.tables import cluster, network, rules, storage, workloads
from koproxy_harness.kube.tables.ages import age
from koproxy_harness.kube.tables.events import event
from koproxy_harness.kube.tables.parts import Cells, Object, Printer, part
from koproxy_harness.kube.tables.pods import pod
from koproxy_harness.kube.tables.scaling import autoscaler

_PRINTERS: Mapping[tuple[str, str], Printer] = {
    ("", "pods"): pod,
    ("autoscaling", "horizontalpodautoscalers"): autoscaler,
    **cluster.PRINTERS,
    **network.PRINTERS,
    **rules.PRINTERS,
    **storage.PRINTERS,
    **workloads.PRINTERS,
}
_DEFAULTS = {
    ("networking.k8s.io", "ingressclasses"): ("ingressclass.kubernetes.io/is-default-class",),
    ("storage.k8s.io", "storageclasses"): (
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    ),
}
"""The annotations that make one of a kind the one that is taken when none is named."""


def cells(resource: tuple[str, str], made: Object, now: float) -> Cells:
    """Give an object's row; `now` is in seconds since the epoch."""
    metadata = made["metadata"]
    if resource[1] == "events":
        return event(made, now)
    printer = _PRINTERS.get(resource)
    if printer is None:
        return [metadata["name"], metadata.get("creationTimestamp")]
    name, annotations = metadata["name"], part(metadata, "annotations")
    if "true" in (annotations.get(each) for each in _DEFAULTS.get(resource, ())):
        name += " (default)"
    return [name, *printer(made, age(metadata.get("creationTimestamp"), now), now)]
