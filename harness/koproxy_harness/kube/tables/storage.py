"""The cells of volumes, of claims to them and of what provides them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from koproxy_harness.kube.tables.parts import (
    NONE,
    UNSET,
    Cells,
    Object,
    Printer,
    part,
    phase,
)

_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_CLASS = "volume.beta.kubernetes.io/storage-class"  # how a class was named at first


def _modes(modes: Sequence[str] | None) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or ()))


def _class(made: Object) -> str:
    named: str = part(made, "spec").get("storageClassName", "")
    return str(part(made["metadata"], "annotations").get(_CLASS, named))


def _claim(made: Object, old: str, now: float) -> Cells:
    spec, volume = part(made, "spec"), part(made, "spec").get("volumeName", "")
    bound = part(made, "status") if volume else {}
    return [
        *(phase(made), volume, part(bound, "capacity").get("storage", "0") if volume else ""),
        *(_modes(bound.get("accessModes")), _class(made)),
        *(spec.get("volumeAttributesClassName", UNSET), old, spec.get("volumeMode", UNSET)),
    ]


def _volume(made: Object, old: str, now: float) -> Cells:
    spec, claim = part(made, "spec"), part(made, "spec").get("claimRef")
    return [
        *(part(spec, "capacity").get("storage", "0"), _modes(spec.get("accessModes"))),
        *(spec.get("persistentVolumeReclaimPolicy", ""), phase(made)),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        *(_class(made), spec.get("volumeAttributesClassName", UNSET)),
        *(part(made, "status").get("reason", ""), old, spec.get("volumeMode", UNSET)),
    ]


def _storage_class(made: Object, old: str, now: float) -> Cells:
    return [
        *(made.get("provisioner", ""), made.get("reclaimPolicy", "Delete")),
        made.get("volumeBindingMode", "Immediate"),
        *(made.get("allowVolumeExpansion", False), old),
    ]


def _attributes_class(made: Object, old: str, now: float) -> Cells:
    return [made.get("driverName", ""), old]


def _driver(made: Object, old: str, now: float) -> Cells:
    spec = part(made, "spec")
    tokens = spec.get("tokenRequests")
    audiences = UNSET if tokens is None else ",".join(each.get("audience", "") for each in tokens)
    return [
        *(spec.get("attachRequired", True), spec.get("podInfoOnMount", False)),
        *(spec.get("storageCapacity", False), audiences, spec.get("requiresRepublish", False)),
        *(",".join(spec.get("volumeLifecycleModes") or ()) or NONE, old),
    ]


def _drivers(made: Object, old: str, now: float) -> Cells:
    return [len(part(made, "spec").get("drivers") or ()), old]


def _attachment(made: Object, old: str, now: float) -> Cells:
    spec = part(made, "spec")
    return [
        *(spec.get("attacher", ""), part(spec, "source").get("persistentVolumeName", "")),
        *(spec.get("nodeName", ""), part(made, "status").get("attached", False), old),
    ]


PRINTERS: Mapping[tuple[str, str], Printer] = {
    ("", "persistentvolumeclaims"): _claim,
    ("", "persistentvolumes"): _volume,
    ("storage.k8s.io", "csidrivers"): _driver,
    ("storage.k8s.io", "csinodes"): _drivers,
    ("storage.k8s.io", "storageclasses"): _storage_class,
    ("storage.k8s.io", "volumeattachments"): _attachment,
    ("storage.k8s.io", "volumeattributesclasses"): _attributes_class,
}
