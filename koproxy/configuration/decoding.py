"""The text of a Kubernetes file decoded into its fields, as strictly as kube-apiserver can do it.

Unknown fields, fields that are there twice and values of another type are errors, and all of them
are found, each with its line. No message shows more of the file than names of fields.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml

from koproxy.configuration.problems import Problem
from koproxy.kubernetes_yaml import Loader, json_as_yaml

_NULL = "tag:yaml.org,2002:null"
_TYPES = {
    str: ("string", "tag:yaml.org,2002:str"),
    bool: ("bool", "tag:yaml.org,2002:bool"),
    int: ("number", "tag:yaml.org,2002:int"),
}
_FOUND = {
    "str": "string",
    "int": "number",
    "float": "number",
    "bool": "bool",
    "seq": "array",
    "map": "object",
}


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Schema(Generic[T]):
    """What a file may be: its kind, the values of ``apiVersion``, and the class of its fields."""

    kind: str
    versions: tuple[str, ...]
    fields: type[T]


@dataclass(frozen=True, slots=True)
class Decoded(Generic[T]):
    """What came of a text: the configuration if nothing is wrong, and the lines of its fields."""

    configuration: T | None
    problems: tuple[Problem, ...]
    lines: dict[str, int]


def decode(content: bytes, schema: Schema[T]) -> Decoded[T]:
    """Read a configuration in YAML or JSON."""
    if not content.strip():
        return Decoded(None, (Problem("", "empty config data"),), {})
    text: bytes | str = content
    if content.lstrip().startswith(b"{"):
        try:
            text = json_as_yaml(content)
        except ValueError as wrong:
            line = getattr(wrong, "lineno", 0)
            what = getattr(wrong, "msg", "it can't be decoded")
            return Decoded(None, (Problem("", f"it is not valid JSON: {what}", line),), {})
    try:
        node = yaml.compose(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        return Decoded(None, (Problem("", "it is not valid YAML", line),), {})
    except (yaml.YAMLError, ValueError, RecursionError):
        return Decoded(None, (Problem("", "it is not valid YAML"),), {})
    decoder = _Decoder(schema, is_json=text is not content)
    if node is None:
        decoder.wrong("", f"Object 'Kind' is missing: write kind: {schema.kind}", 1)
        return Decoded(None, tuple(decoder.problems), {})
    made = decoder.document(node)
    problems = tuple(decoder.problems)
    return Decoded(None if problems else made, problems, decoder.lines)


class _Decoder(Generic[T]):
    """Decodes one document, and remembers what was wrong and where everything stands."""

    def __init__(self, schema: Schema[T], *, is_json: bool) -> None:
        self._schema = schema
        self.problems: list[Problem] = []
        self.lines: dict[str, int] = {}
        self._is_json = is_json

    def wrong(self, path: str, text: str, line: int) -> None:
        self.problems.append(Problem(path, text, line))

    def document(self, node: yaml.Node) -> T | None:
        """Decode the whole document."""
        kind, versions = self._schema.kind, self._schema.versions
        if not isinstance(node, yaml.MappingNode):
            self.wrong("", f"it has no fields: write apiVersion: {versions[0]}, kind: {kind}", 1)
            return None
        members = dict(self._members(node, ""))
        for name, wanted in (("apiVersion", versions), ("kind", (kind,))):
            found = members.pop(name, None)
            said = self._scalar(str, found, name) if found is not None else None
            if said not in wanted:
                line = found.start_mark.line + 1 if found is not None else 1
                what = "is missing" if said is None else f"is {said!r}"
                self.wrong(name, f"{what}: it has to be {' or '.join(wanted)}", line)
        if self.problems:
            return None
        made: T | None = self._object(self._schema.fields, members, "")
        return made

    def _members(self, node: yaml.MappingNode, path: str) -> Iterator[tuple[str, yaml.Node]]:
        try:
            Loader("").flatten_mapping(node)  # merge keys
        except yaml.MarkedYAMLError:
            self.wrong(path, "it merges (<<) what is no object", _line(node))
            return
        seen = set()
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            where = f"{path}.{name}" if path else name
            line = key.start_mark.line + 1
            if name in seen:
                self.wrong(where, "this field is there twice", line)
            seen.add(name)
            self.lines[where] = line
            yield name, value

    def _object(self, cls: type, members: dict[str, yaml.Node], path: str) -> Any:
        known = {
            each.metadata.get("name", each.name): (each.name, hint)
            for each in fields(cls)
            for hint in [get_type_hints(cls)[each.name]]
        }
        given: dict[str, Any] = {}
        for name, node in members.items():
            where = f"{path}.{name}" if path else name
            if name not in known:
                names = ", ".join(known)
                self.wrong(
                    where, f"unknown field: {path or 'the file'} has {names}", self.lines[where]
                )
                continue
            attribute, hint = known[name]
            if node.tag != _NULL:  # a null is an absent field
                given[attribute] = self._value(hint, node, where)
        return None if self.problems else cls(**given)

    def _value(self, hint: Any, node: yaml.Node, path: str) -> Any:
        if get_origin(hint) in (Union, UnionType):
            (hint,) = [each for each in get_args(hint) if each is not NoneType]
        if hint is object:  # nobody looks into it
            return None
        if is_dataclass(hint):
            if not isinstance(node, yaml.MappingNode):
                return self._mistyped(node, path, "object")
            assert isinstance(hint, type)  # noqa: S101 - of the two that is_dataclass takes
            return self._object(hint, dict(self._members(node, path)), path)
        if get_origin(hint) is tuple:
            if not isinstance(node, yaml.SequenceNode):
                return self._mistyped(node, path, "array")
            return tuple(self._items(get_args(hint)[0], node, path))
        return self._scalar(hint, node, path)

    def _items(self, hint: Any, node: yaml.SequenceNode, path: str) -> Iterator[Any]:
        for at, each in enumerate(node.value):
            where = f"{path}[{at}]"
            self.lines[where] = each.start_mark.line + 1
            # A null in a list is the empty value of its type.
            yield self._value(hint, each, where) if each.tag != _NULL else hint()

    def _scalar(self, hint: Any, node: yaml.Node, path: str) -> Any:
        name, *tags = _TYPES[hint]
        if not isinstance(node, yaml.ScalarNode) or node.tag not in tags:
            return self._mistyped(node, path, name)
        if hint is not str:
            try:
                return Loader("").construct_object(node)
            except ValueError:  # digits without one (0x_), or more of them than Python reads
                self.wrong(path, f"it has to be {_a(name)}, and can't be read as one", _line(node))
                return None
        whole = _whole(node.value)
        if whole != node.value and not self._is_json:
            self.wrong(path, "it has an escape for half a character", _line(node))
        return whole

    def _mistyped(self, node: yaml.Node, path: str, wanted: str) -> None:
        found = _FOUND.get(node.tag.rpartition(":")[2], "value of another kind")
        self.wrong(path, f"it has to be {_a(wanted)}, and is {_a(found)}", _line(node))


def _whole(text: str) -> str:
    """Put the halves of characters together: JSON writes those beyond 16 bits as two escapes.

    A half without its other one is no character; U+FFFD stands for it, as in Go.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _a(word: str) -> str:
    return f"an {word}" if word[0] in "ao" else f"a {word}"


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line + 1
    return line
