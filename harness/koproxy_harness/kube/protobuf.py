"""Kubernetes' protobuf bodies, of the few kinds that clients send here in no other encoding.

kubectl's own commands (`auth whoami`, `auth can-i`, `create configmap`) encode what they create
so. Pure, and only for reading: answers are JSON, which every client takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"

_MAGIC = b"k8s\x00"
_LENGTH_DELIMITED = 2
_VARINT = 0
_FIXED = {1: 8, 5: 4}  # wire type: bytes

# A message is {field number: (its name in JSON, str | "map" | the message's own fields)}, as in
# the generated.proto files of k8s.io/api; a field that isn't here is left out.
_METADATA: dict[int, tuple[str, Any]] = {
    1: ("name", str),
    2: ("generateName", str),
    3: ("namespace", str),
    11: ("labels", "map"),
    12: ("annotations", "map"),
}
_ATTRIBUTES: dict[int, tuple[str, Any]] = {
    1: ("namespace", str),
    2: ("verb", str),
    3: ("group", str),
    4: ("version", str),
    5: ("resource", str),
    6: ("subresource", str),
    7: ("name", str),
}
_KINDS: dict[str, dict[int, tuple[str, Any]]] = {
    "Namespace": {1: ("metadata", _METADATA)},
    "ConfigMap": {1: ("metadata", _METADATA), 2: ("data", "map")},
    "SelfSubjectReview": {1: ("metadata", _METADATA)},
    "SelfSubjectAccessReview": {
        1: ("metadata", _METADATA),
        2: ("spec", {1: ("resourceAttributes", _ATTRIBUTES)}),
    },
}
_UNKNOWN: dict[int, tuple[str, Any]] = {
    1: ("type", {1: ("apiVersion", str), 2: ("kind", str)}),
    2: ("raw", bytes),
}


def decode(data: bytes) -> dict[str, Any]:
    """Give the object in `data`; raises `ValueError` for what it can't read.

    https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
    """
    if not data.startswith(_MAGIC):
        raise ValueError("a protobuf body begins with 'k8s' and a zero byte")
    envelope = _message(data[len(_MAGIC) :], _UNKNOWN)
    named = envelope.get("type", {})
    fields = _KINDS.get(named.get("kind", ""))
    if fields is None:
        raise ValueError(f"the kind {named.get('kind')!r} is not read from protobuf")
    return {**named, **_message(envelope.get("raw", b""), fields)}


def _message(data: bytes, fields: dict[int, tuple[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {}
    for number, value in _fields(data):
        name, kind = fields.get(number, ("", None))
        if kind is None or (kind is str and not value):  # Go writes empty strings out
            continue
        if kind == "map":
            entry = _message(value, {1: ("key", str), 2: ("value", str)})
            message.setdefault(name, {})[entry.get("key", "")] = entry.get("value", "")
        elif isinstance(kind, dict):
            message[name] = _message(value, kind)
        else:
            message[name] = value.decode() if kind is str else value
    return message


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the length-delimited fields; the others are numbers, which nothing here needs."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire_type = tag & 7
        if wire_type == _VARINT:
            _, at = _varint(data, at)
            continue
        if wire_type == _LENGTH_DELIMITED:
            size, at = _varint(data, at)
        elif wire_type in _FIXED:
            size = _FIXED[wire_type]
        else:
            raise ValueError(f"there is no wire type {wire_type} in Kubernetes' protobuf")
        if at + size > len(data):
            raise ValueError("the protobuf body is cut")
        if wire_type == _LENGTH_DELIMITED:
            yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            raise ValueError("the protobuf body is cut")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number in the protobuf body is too long")
