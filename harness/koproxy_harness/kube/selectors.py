"""Which objects a list or a watch is about: label and field selectors. Pure.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.status import Refusal

Object = Mapping[str, Any]

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
    ("apps", "replicasets"): ("status.replicas",),
    ("batch", "jobs"): ("status.successful",),
    ("certificates.k8s.io", "certificatesigningrequests"): ("spec.signerName",),
}
# What a field is taken for where an object doesn't have it.
_DEFAULTS = {"spec.unschedulable": "false", "spec.hostNetwork": "false"} | dict.fromkeys(
    ("status.replicas", "status.successful"), "0"
)

_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_KEY = re.compile(rf"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?{_NAME}")
_VALUE = re.compile(rf"({_NAME})?")
_TOKEN = re.compile(r"\s*(?:(?P<sign>==|=|!=|!|\(|\)|,)|(?P<word>[^\s=!(),<>]+)|(?P<other>[<>]))")

Test = Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True)
class Selector:
    """What is asked of an object's labels and fields."""

    labels: tuple[Test, ...] = ()
    fields: tuple[tuple[str, bool, str], ...] = ()  # a path, whether it is to be so, and what

    def matches(self, made: Object) -> bool:
        """Whether an object is meant."""
        labels = made["metadata"].get("labels") or {}
        return all(test(labels) for test in self.labels) and all(
            (_field(made, path) == value) is wanted for path, wanted, value in self.fields
        )


def selection(kind: Kind, query: Mapping[str, str], custom: Sequence[str] = ()) -> Selector:
    """Read the selectors of a request; raises `Refusal` 400 for one that can't be read.

    `custom` are the paths by which a definition lets its objects be selected.
    """
    labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
    known = {
        *_EVERY,
        *_FIELDS.get(kind.resource, ()),
        *(path.removeprefix(".") for path in custom),
    }
    return Selector(tuple(_requirements(labels)), tuple(_field_terms(fields, known)))


# Labels


class _Reader:
    """Reads a label selector from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split(text))
        self._at = 0

    def _split(self, text: str) -> Iterator[str]:
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise self.wrong(f"found '{text[at]}'")
            yield match[0].strip()
            at = match.end()

    @property
    def more(self) -> bool:
        return self._at < len(self._tokens)

    def peek(self) -> str:
        return self._tokens[self._at] if self.more else ""

    def next(self) -> str:
        token = self.peek()
        self._at += 1
        return token

    def wrong(self, why: str) -> Refusal:
        return Refusal(400, f"unable to parse requirement: {why}")


def _requirements(text: str) -> Iterator[Test]:
    reader = _Reader(text)
    while reader.more:
        yield _requirement(reader)
        if reader.more and reader.next() != ",":
            raise reader.wrong(f"found '{text}', expected: ',' or 'end of string'")
        if text.rstrip().endswith(",") and not reader.more:
            raise reader.wrong("found '', expected: identifier after ','")


def _requirement(reader: _Reader) -> Test:
    absent = reader.peek() == "!"
    if absent:
        reader.next()
    key = _checked_key(reader, reader.next())
    if absent:
        return lambda labels: key not in labels
    match reader.peek():
        case "" | ",":
            return lambda labels: key in labels
        case "=" | "==":
            reader.next()
            value = _one(reader, key)
            return lambda labels: labels.get(key) == value
        case "!=":
            reader.next()
            other = _one(reader, key)
            return lambda labels: labels.get(key) != other
        case "in":
            reader.next()
            chosen = _several(reader, key)
            return lambda labels: labels.get(key) in chosen
        case "notin":
            reader.next()
            avoided = _several(reader, key)
            return lambda labels: labels.get(key) not in avoided
        case "<" | ">":
            sign, limit = reader.next(), _number(reader, reader.next())
            return lambda labels: _compare(labels.get(key), sign, limit)
    raise reader.wrong(f"found '{reader.peek()}', expected: in, notin, =, ==, !=, gt, lt")


def _one(reader: _Reader, key: str) -> str:
    value = "" if reader.peek() in ("", ",") else reader.next()
    return _checked_value(reader, key, value)


def _several(reader: _Reader, key: str) -> frozenset[str]:
    if (token := reader.next()) != "(":
        raise reader.wrong(f"found '{token}' expected: '('")
    values = []
    while (token := reader.next()) != ")":
        if token == ",":
            if reader.peek() in (",", ")"):
                values.append("")
            continue
        if not token:
            raise reader.wrong("found '', expected: ',' or ')'")
        values.append(_checked_value(reader, key, token))
    return frozenset(values or [""])


def _checked_key(reader: _Reader, key: str) -> str:
    if not key or not _KEY.fullmatch(key) or len(key.rpartition("/")[2]) > 63:
        raise reader.wrong(f'<nil>: Invalid value: "{key}": it is no name of a label')
    return key


def _checked_value(reader: _Reader, key: str, value: str) -> str:
    if not _VALUE.fullmatch(value) or len(value) > 63:
        raise reader.wrong(f'values[0][{key}]: Invalid value: "{value}": it is no label\'s value')
    return value


def _number(reader: _Reader, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise reader.wrong(f"found '{text}', expected: an integer") from None


def _compare(value: str | None, sign: str, limit: int) -> bool:
    try:
        number = int(value or "")
    except ValueError:
        return False
    return number < limit if sign == "<" else number > limit


# Fields


def _field_terms(text: str, known: set[str]) -> Iterator[tuple[str, bool, str]]:
    for term in re.findall(r"(?:\\.|[^,\\])+", text):
        match = re.match(r"((?:\\.|[^=!\\])*)(==|!=|=)(.*)", term)
        if match is None:
            raise Refusal(400, f"invalid selector: '{text}'; can't understand '{term}'")
        path, sign, value = match[1], match[2], re.sub(r"\\([\\,=])", r"\1", match[3])
        if path not in known:
            if known == set(_EVERY):
                raise Refusal(
                    400,
                    f'"{path}" is not a known field selector: only "metadata.name", '
                    '"metadata.namespace"',
                )
            raise Refusal(400, f"field label not supported: {path}")
        yield path, sign != "!=", value


def _field(made: Object, path: str) -> str:
    value: Any = made
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None:
        return _DEFAULTS.get(path, "")
    return str(value).lower() if isinstance(value, bool) else str(value)
