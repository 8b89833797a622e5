"""The cells of what says who may do what: bindings, admission, certificates. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from koproxy_harness.kube.tables.ages import duration
from koproxy_harness.kube.tables.parts import (
    NONE,
    UNSET,
    Cells,
    Object,
    Printer,
    part,
)

_ADMISSION, _RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"


def _binding(made: Object, old: str, now: float) -> Cells:
    by: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for each in made.get("subjects") or ():
        space = each.get("namespace") if each.get("kind") == "ServiceAccount" else ""
        name = each.get("name", "")
        by.get(each.get("kind", ""), []).append(f"{space}/{name}" if space else name)
    role = part(made, "roleRef")
    return [
        f"{role.get('kind', '')}/{role.get('name', '')}",
        old,
        *(", ".join(names) for names in by.values()),
    ]


def _webhooks(made: Object, old: str, now: float) -> Cells:
    return [len(made.get("webhooks") or ()), old]


def _policy(what: str, made: Object, old: str, now: float) -> Cells:
    spec = part(made, "spec")
    kind = spec.get("paramKind")
    shown = f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET
    return [len(spec.get(what) or ()), shown, old]


def _policy_binding(made: Object, old: str, now: float) -> Cells:
    spec = part(made, "spec")
    parameters, shown = part(spec, "paramRef"), UNSET
    if parameters.get("name"):
        shown = f"{parameters.get('namespace') or '*'}/{parameters.get('name', '')}"
    elif parameters.get("selector") is not None:
        shown = _selector(parameters["selector"])
    return [spec.get("policyName", ""), shown, old]


def _selector(selector: Object) -> str:
    """As a server written in Go has it in its memory, which is what is printed here."""
    labels = sorted(part(selector, "matchLabels").items())
    said = "".join(f"{key}: {value}," for key, value in labels)
    rules = "".join(
        f"LabelSelectorRequirement{{Key:{each.get('key', '')},Operator:{each.get('operator', '')},"
        f"Values:[{' '.join(each.get('values') or ())}],}},"
        for each in selector.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{said}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{rules}}},}}"
    )


def _signing_request(made: Object, old: str, now: float) -> Cells:
    spec, status = part(made, "spec"), part(made, "status")
    types = {each.get("type", "") for each in status.get("conditions") or ()}
    state = next((each for each in ("Denied", "Approved") if each in types), "Pending")
    failed = ",Failed" if "Failed" in types else ""
    issued = ",Issued" if status.get("certificate") else ""
    seconds = spec.get("expirationSeconds")
    asked = NONE if seconds is None else duration(seconds)
    return [
        *(old, spec.get("signerName") or NONE, spec.get("username", ""), asked),
        state + failed + issued,
    ]


PRINTERS: Mapping[tuple[str, str], Printer] = {
    (_ADMISSION, "mutatingadmissionpolicies"): partial(_policy, "mutations"),
    (_ADMISSION, "mutatingadmissionpolicybindings"): _policy_binding,
    (_ADMISSION, "mutatingwebhookconfigurations"): _webhooks,
    (_ADMISSION, "validatingadmissionpolicies"): partial(_policy, "validations"),
    (_ADMISSION, "validatingadmissionpolicybindings"): _policy_binding,
    (_ADMISSION, "validatingwebhookconfigurations"): _webhooks,
    ("certificates.k8s.io", "certificatesigningrequests"): _signing_request,
    (_RBAC, "clusterrolebindings"): _binding,
    (_RBAC, "rolebindings"): _binding,
}
