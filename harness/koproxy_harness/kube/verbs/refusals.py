"""How an API server says no to what is asked of its objects. Pure.

Clients go by the reason and the details, people by the message:
https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.status import Refusal

Cause = dict[str, str]


def _details(kind: Kind, name: str, uid: str = "") -> dict[str, Any]:
    found = {"name": name, "group": kind.group, "kind": kind.plural, "uid": uid}
    return {key: value for key, value in found.items() if value}


def not_found(kind: Kind, name: str) -> Refusal:
    """Nothing of this name is there."""
    return Refusal(404, f'{kind.qualified} "{name}" not found', "NotFound", _details(kind, name))


def already_exists(kind: Kind, name: str) -> Refusal:
    """Something of this name is there already."""
    return Refusal(
        409, f'{kind.qualified} "{name}" already exists', "AlreadyExists", _details(kind, name)
    )


def conflict(kind: Kind, name: str, why: str) -> Refusal:
    """It is not what the client takes it for."""
    return Refusal(
        409,
        f'Operation cannot be fulfilled on {kind.qualified} "{name}": {why}',
        "Conflict",
        _details(kind, name),
    )


def modified(kind: Kind, name: str) -> Refusal:
    """Somebody else has changed it since the client has read it."""
    return conflict(
        kind,
        name,
        "the object has been modified; please apply your changes to the latest version and try "
        "again",
    )


def invalid(kind: Kind, name: str, causes: Iterable[Cause]) -> Refusal:
    """It is not what an object of its kind may be; `causes` have reason, message and field."""
    found = list(causes)
    said = [f"{each['field']}: {each['message']}" for each in found]
    text = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    group = f".{kind.group}" if kind.group else ""
    details = {"name": name, "group": kind.group, "kind": kind.name, "causes": found}
    return Refusal(
        422,
        f'{kind.name}{group} "{name}" is invalid: {text}',
        "Invalid",
        {key: value for key, value in details.items() if value},
    )


def unversioned(kind: Kind, name: str) -> Refusal:
    """It can't be replaced by who doesn't say which version of it they have read."""
    field, why = "metadata.resourceVersion", "Invalid value: 0: must be specified for an update"
    causes = [{"reason": "FieldValueInvalid", "message": why, "field": field}]
    return Refusal(
        422,
        f'{kind.qualified} "{name}" is invalid: {field}: {why}',
        "Invalid",
        {**_details(kind, name), "causes": causes},
    )


def not_allowed() -> Refusal:
    """There is no such method for this."""
    return Refusal(405, "the server does not allow this method on the requested resource")


def not_served() -> Refusal:
    """There is no such resource."""
    return Refusal(404, "the server could not find the requested resource")
