"""Objects that come in: read, and checked against their type. Pure.

https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from koproxy_harness.kube import bodies
from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.schema.checking import Mistyped, checked
from koproxy_harness.kube.schema.node import Node
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.store import Object

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request

Headers = tuple[tuple[str, str], ...]


class Strict(Refusal):
    """Fields that nobody knows, in a request that asks to be refused for them."""

    def __init__(self, kind: Kind, problems: Iterable[str]) -> None:
        self.why = f"strict decoding error: {', '.join(problems)}"
        super().__init__(400, _unreadable(kind, self.why))


def given(request: Request, kind: Kind) -> Object:
    """Give the object in a body, which has to be of this kind; raises `Refusal`."""
    try:
        body = bodies.read(request)
    except ValueError as wrong:
        raise Refusal(
            400,
            f"the object provided is unrecognized (must be of type {kind.name}): "
            f"couldn't get version/kind; {wrong}",
        ) from None
    return of_kind(body, kind)


def of_kind(body: Any, kind: Kind) -> Object:
    """Give `body` as an object of this kind, which it may leave out to say; raises `Refusal`."""
    if not isinstance(body, dict):
        raise Refusal(
            400, f"the object provided is unrecognized (must be of type {kind.name}): no object"
        )
    said, named = body.get("apiVersion") or kind.group_version, body.get("kind") or kind.name
    if said != kind.group_version:
        raise Refusal(
            400,
            f"the API version in the data ({said}) does not match the expected API version "
            f"({kind.group_version})",
        )
    if named != kind.name:
        raise Refusal(
            400,
            f'{named} in version "{kind.version}" cannot be handled as a {kind.name}: '
            f"converting ({named}) to ({kind.name}): unknown conversion",
        )
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise Refusal(400, _unreadable(kind, "json: cannot unmarshal metadata into an object"))
    return {**body, "apiVersion": said, "kind": named, "metadata": metadata}


def typed(
    kind: Kind, node: Node, body: Object, query: Mapping[str, str], custom: bool = False
) -> tuple[Object, Headers]:
    """Give the object as its type has it, and fields for the answer that warn of what it hasn't.

    `query` says what is done about unknown fields. Raises `Refusal` 400.
    """
    try:
        kept, problems = checked(node, body, custom)
    except Mistyped as wrong:
        raise Refusal(400, _unreadable(kind, str(wrong))) from None
    match query.get("fieldValidation", "Warn"):
        case "Strict" if problems:
            raise Strict(kind, problems)
        case "Warn":
            return kept, tuple(("Warning", f"299 - {_quoted(each)}") for each in problems)
    return kept, ()


def _unreadable(kind: Kind, why: str) -> str:
    return f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: {why}'


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
