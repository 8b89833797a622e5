"""What the checker has to know: variables, and functions by their signatures. Pure.

Google's library reads its environments as YAML, of which JSON is a part.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf import struct_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from koproxy.cel.overloads import Overload, Type, read_type

_EXTENSIONS = (
    {"name": "lists", "version": 2},
    {"name": "sets"},
    {"name": "optional", "version": 2},
    {"name": "two-var-comprehensions"},
)
_TYPES = ("net.IP", "net.CIDR")
"""The types of Kubernetes' that expressions can name: ``type(x) == net.IP``."""


def environment(variables: Mapping[str, str], overloads: Iterable[Overload]) -> str:
    """Write an environment: the types of variables by their names, and the functions.

    A function that the library knows only some overloads of is declared anew with all of them. So
    is one of which two look alike but for their types: where a type is not known, the first that
    fits it makes it known (``claims.groups.distinct()[0] + x``), so that their order counts.
    """
    functions: dict[str, list[Overload]] = {}
    for overload in overloads:
        functions.setdefault(overload.name, []).append(overload)
    declared = {
        name: found
        for name, found in functions.items()
        if not all(overload.known for overload in found) or _some_look_alike(found)
    }
    known = [name for name, found in declared.items() if any(each.known for each in found)]
    return json.dumps(
        {
            "stdlib": {"exclude_functions": [{"name": name} for name in known]},
            "extensions": _EXTENSIONS,
            "variables": [
                *(_variable(name, read_type(type_)) for name, type_ in variables.items()),
                *(_variable(name, Type("type", (Type(name),))) for name in _TYPES),
            ],
            "functions": [
                {"name": name, "overloads": [_overload(each) for each in found]}
                for name, found in declared.items()
            ],
        }
    )


def user_messages() -> DescriptorPool:
    """Give the message that the variable ``user`` is.

    A map of protocol buffers holds no lists, so that the type of ``extra`` is a rough one here.
    """
    file = FileDescriptorProto(
        name="user.proto",
        package="kubernetes",
        dependency=["google/protobuf/struct.proto"],
        syntax="proto3",
    )
    message = file.message_type.add(name="UserInfo")
    one, many = FieldDescriptorProto.LABEL_OPTIONAL, FieldDescriptorProto.LABEL_REPEATED
    text, other = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_MESSAGE
    message.field.add(name="username", number=1, label=one, type=text)
    message.field.add(name="uid", number=2, label=one, type=text)
    message.field.add(name="groups", number=3, label=many, type=text)
    entry = message.nested_type.add(name="ExtraEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=one, type=text)
    values = ".google.protobuf.ListValue"
    entry.field.add(name="value", number=2, label=one, type=other, type_name=values)
    entries = ".kubernetes.UserInfo.ExtraEntry"
    message.field.add(name="extra", number=4, label=many, type=other, type_name=entries)
    pool = DescriptorPool()
    pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool


def _some_look_alike(overloads: Sequence[Overload]) -> bool:
    """Whether nothing but types tells some apart."""
    shapes = [each.shape for each in overloads]
    return len(shapes) > len(set(shapes))


def _variable(name: str, type_: Type) -> dict[str, Any]:
    return {"name": name, **_type(type_)}


def _overload(overload: Overload) -> dict[str, Any]:
    written: dict[str, Any] = {
        "id": overload.signature,
        "args": list(map(_type, overload.arguments)),
        "return": _type(overload.result),
    }
    if overload.target is not None:
        written["target"] = _type(overload.target)
    return written


def _type(type_: Type) -> dict[str, Any]:
    if type_.is_parameter:
        return {"type_name": type_.name, "is_type_param": True}
    return {"type_name": type_.name, "params": list(map(_type, type_.parameters))}
