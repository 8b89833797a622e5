"""Kubernetes' protobuf bodies, of every built-in kind, as the objects that JSON would have.

kubectl's own commands and typed clients encode what they send so. Pure, and only for reading:
answers are JSON, which every client takes.
https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from koproxy_harness.kube.schema import builtin

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"

_MAGIC = b"k8s\x00"
_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5
_FIXED = {_DOUBLE: 8, _FLOAT: 4}  # bytes
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."

# Kinds that belong to every group and version.
_EVERYWHERE = ("DeleteOptions", "Status")

Value = int | bytes


def decode(data: bytes) -> dict[str, Any]:
    """Give the object in `data`; raises `ValueError` for what it can't read."""
    if not data.startswith(_MAGIC):
        raise ValueError("a protobuf body begins with 'k8s' and a zero byte")
    envelope = dict(_fields(data[len(_MAGIC) :]))  # a runtime.Unknown
    named = {number: _text(value) for number, value in _fields(_bytes(envelope.get(1, b"")))}
    api_version, kind = named.get(1, ""), named.get(2, "")
    group, _, version = api_version.rpartition("/")
    name = builtin.names().get((group, version, kind))
    if kind in _EVERYWHERE:
        name = f"{_META}{kind}"
    if name is None:
        raise ValueError(f"the kind {kind!r} of {api_version!r} is not read from protobuf")
    try:
        fields = _message(name, _bytes(envelope.get(2, b"")))
    except (struct.error, OverflowError, RecursionError) as error:
        raise ValueError(f"the protobuf body of a {kind} can't be read: {error}") from None
    return {"apiVersion": api_version, "kind": kind, **fields}


def _message(name: str, data: bytes) -> dict[str, Any]:
    schema = builtin.facts()["schemas"][name]
    message: dict[str, Any] = {}
    _read(message, schema, schema["x-numbers"], data)
    return message


def _read(
    message: dict[str, Any], schema: Mapping[str, Any], numbers: Mapping[str, Any], data: bytes
) -> None:
    """Put the fields of `data` into `message`; `numbers` are of the type or of a part of it."""
    members = {number: member for member, number in numbers["fields"].items()}
    inline = numbers.get("inline", {})
    for number, value in _fields(data):
        if number in members:
            _put(message, members[number], schema, value)
        elif (part := inline.get(str(number))) is not None:
            _read(message, schema, part, _bytes(value))
    for member in numbers.get("omit", ()):
        if not message.get(member, True):
            del message[member]


def _put(message: dict[str, Any], member: str, schema: Mapping[str, Any], value: Value) -> None:
    declared = schema["properties"].get(member)
    if declared is None:
        return
    if declared.get("type") == "array":
        message.setdefault(member, []).append(_value(declared["items"], value))
    elif "additionalProperties" in declared:
        entry = dict(_fields(_bytes(value)))
        key = _text(entry.get(1, b""))
        message.setdefault(member, {})[key] = _value(
            declared["additionalProperties"], entry.get(2, b"")
        )
    else:
        read = _value(declared, value)
        if read is not None:
            message[member] = read


def _value(declared: Mapping[str, Any], value: Value) -> Any:
    reference = declared.get("$ref") or (declared.get("allOf") or [{}])[0].get("$ref")
    if reference is not None:
        name = reference.rpartition("/")[2]
        special = _SPECIAL.get(name)
        return _message(name, _bytes(value)) if special is None else special(_bytes(value))
    match declared.get("type"):
        case "string" if declared.get("format") == "byte":
            return base64.b64encode(_bytes(value)).decode()
        case "string":
            return _text(value)
        case "integer":
            number = value if isinstance(value, int) else 0
            return number - (1 << 64) if number >> 63 else number
        case "boolean":
            return bool(value)
        case "number":
            return struct.unpack("<d", _bytes(value))[0]
        case "array":  # of lists, as in the values of a map of lists
            return [_value(declared["items"], each) for _, each in _fields(_bytes(value))]
    raise ValueError(f"a field of the type {declared.get('type')!r} is not read from protobuf")


# Types whose JSON is not made of their fields


def _time(data: bytes) -> str | None:
    fields = dict(_fields(data))
    seconds, nanos = _signed(fields.get(1, 0)), _signed(fields.get(2, 0))
    if not fields or seconds <= -62135596800:  # Go's zero time
        return None
    then = datetime.fromtimestamp(seconds, UTC)
    return f"{then:%Y-%m-%dT%H:%M:%S}Z" if not nanos else f"{then:%Y-%m-%dT%H:%M:%S}.{nanos:09}Z"


def _micro_time(data: bytes) -> str | None:
    text = _time(data)
    if text is None:
        return None
    whole, _, rest = text.rstrip("Z").partition(".")
    return f"{whole}.{rest[:6].ljust(6, '0')}Z"


def _int_or_string(data: bytes) -> int | str:
    fields = dict(_fields(data))
    return _text(fields.get(3, b"")) if fields.get(1) else _signed(fields.get(2, 0))


def _raw(data: bytes) -> Any:
    raw = _bytes(dict(_fields(data)).get(1, b""))
    return json.loads(raw) if raw else None


def _quantity(data: bytes) -> str:
    return _text(dict(_fields(data)).get(1, b""))


def _schema_or_bool(data: bytes) -> Any:
    fields = dict(_fields(data))
    if 2 in fields:
        return _message(f"{_EXTENSIONS}JSONSchemaProps", _bytes(fields[2]))
    return bool(fields.get(1))


def _schema_or_array(data: bytes) -> Any:
    fields = list(_fields(data))
    read = [_message(f"{_EXTENSIONS}JSONSchemaProps", _bytes(value)) for _, value in fields]
    return read[0] if fields and fields[0][0] == 1 else read


_SPECIAL: dict[str, Callable[[bytes], Any]] = {
    f"{_META}Time": _time,
    f"{_META}MicroTime": _micro_time,
    f"{_META}FieldsV1": _raw,
    "io.k8s.apimachinery.pkg.api.resource.Quantity": _quantity,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
    "io.k8s.apimachinery.pkg.runtime.RawExtension": _raw,
    f"{_EXTENSIONS}JSON": _raw,
    f"{_EXTENSIONS}JSONSchemaPropsOrBool": _schema_or_bool,
    f"{_EXTENSIONS}JSONSchemaPropsOrArray": _schema_or_array,
}

# The wire


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Give the numbers and values of a message's fields, in their order."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire_type = tag & 7
        if wire_type == _VARINT:
            number, at = _varint(data, at)
            yield tag >> 3, number
            continue
        if wire_type == _BYTES:
            size, at = _varint(data, at)
        elif wire_type in _FIXED:
            size = _FIXED[wire_type]
        else:
            raise ValueError(f"there is no wire type {wire_type} in Kubernetes' protobuf")
        if at + size > len(data):
            raise ValueError("the protobuf body is cut")
        yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("the protobuf body is cut")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & ((1 << 64) - 1), at
    raise ValueError("a number in the protobuf body is too long")


def _bytes(value: Value) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number is where the protobuf body should have bytes")
    return value


def _text(value: Value) -> str:
    return _bytes(value).decode()


def _signed(value: Value) -> int:
    number = value if isinstance(value, int) else 0
    return number - (1 << 64) if number >> 63 else number
