"""Field selectors: what is asked of some of an object's fields, read as API servers read it. Pure.

https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.quoting import quoted
from koproxy_harness.kube.status import Refusal

_EVERY = ("metadata.name", "metadata.namespace")
_EVENTS = (
    *("involvedObject.kind", "involvedObject.namespace", "involvedObject.name"),
    *("involvedObject.uid", "involvedObject.apiVersion", "involvedObject.resourceVersion"),
    *("involvedObject.fieldPath", "reason", "reportingComponent", "source", "type"),
)
# The fields by which an API server lets objects be selected, beside their name and namespace.
_FIELDS: Mapping[tuple[str, str], Sequence[str]] = {
    ("", "pods"): (
        *("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName"),
        *("spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs"),
        "status.nominatedNodeName",
    ),
    ("", "events"): _EVENTS,
    ("events.k8s.io", "events"): (
        *("reason", "reportingController", "type"),
        *(field.replace("involvedObject", "regarding") for field in _EVENTS[:7]),
    ),
    ("", "secrets"): ("type",),
    ("", "namespaces"): ("status.phase",),
    ("", "nodes"): ("spec.unschedulable",),
    ("", "services"): ("spec.clusterIP", "spec.type"),
    ("", "replicationcontrollers"): ("status.replicas",),
    ("batch", "jobs"): ("status.successful",),
    ("certificates.k8s.io", "certificatesigningrequests"): ("spec.signerName",),
}
# What a field is taken for where an object doesn't have it.
_DEFAULTS = {"spec.unschedulable": "false", "spec.hostNetwork": "false"} | dict.fromkeys(
    ("status.replicas", "status.successful"), "0"
)


_TERM = re.compile(r"(?:\\.|[^,\\])*\\?", re.DOTALL)
_SIGN = re.compile("!=|==|=")
_ESCAPED = re.compile(r"\\(.?)|([,=])", re.DOTALL)


@dataclass(frozen=True)
class Term:
    """One of the fields: its path, what it is compared with, and whether it has to be that."""

    path: str
    value: str
    wanted: bool

    def matches(self, made: Mapping[str, Any]) -> bool:
        """Whether an object's field is so."""
        found: Any = made
        for part in self.path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        if found is None:
            found = _DEFAULTS.get(self.path, "")
        said = str(found).lower() if isinstance(found, bool) else str(found)
        return (said == self.value) is self.wanted


def terms(text: str) -> list[Term]:
    """Take a field selector apart; raises `Refusal` 400 for one that can't be read."""
    return [_term(text, each) for each in sorted(_TERM.findall(text)) if each]


def field_terms(kind: Kind, text: str, custom: Sequence[str]) -> Iterator[Term]:
    """Read what is asked of a kind's objects.

    Raises `Refusal` 400 for what can't be read, and for fields that aren't known; `custom` are the
    paths that a definition makes known.
    """
    extra = (*_FIELDS.get(kind.resource, ()), *(path.removeprefix(".") for path in custom))
    known = {*_EVERY, *extra}
    if extra and not kind.namespaced:
        known.remove("metadata.namespace")
    for term in terms(text):
        if not (term.path or term.value):
            continue  # nothing is asked of no field
        if term.path not in known:
            raise _unknown(kind, term.path, bool(extra))
        yield term


def _term(text: str, said: str) -> Term:
    sign = _SIGN.search(said)
    if sign is None:
        raise Refusal(400, f"invalid selector: '{text}'; can't understand '{said}'")
    value = _ESCAPED.sub(_unescaped, said[sign.end() :])
    return Term(said[: sign.start()], value, sign[0] != "!=")


def _unescaped(match: re.Match[str]) -> str:
    if match[2]:
        raise Refusal(400, f"invalid field selector: unescaped character in value: {ord(match[2])}")
    if match[1] not in ("\\", ",", "="):
        raise Refusal(400, f"invalid field selector: invalid escape sequence: {match[0]}")
    return match[1]


def _unknown(kind: Kind, path: str, has_more: bool) -> Refusal:
    if not has_more:
        names = ", ".join(f'"{each}"' for each in _EVERY)
        return Refusal(400, f"{quoted(path)} is not a known field selector: only {names}")
    if kind.resource == ("batch", "jobs"):
        return Refusal(400, f"field label {quoted(path)} not supported for Job")
    return Refusal(400, f"field label not supported: {path}")
