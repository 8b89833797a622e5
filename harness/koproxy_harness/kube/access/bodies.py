"""The body of a review, whatever it is encoded in.

Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from koproxy_harness.kube import bodies
from koproxy_harness.kube.access.aggregation import Object
from koproxy_harness.kube.quoting import quoted
from koproxy_harness.kube.status import Refusal

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request


def body(request: Request, namespace: str, api_version: str, kind: str) -> Object:
    """Give the object in a request, which has to be of this kind; it may leave out to say so.

    So it is with its namespace. Raises `Refusal`: 415 for an encoding that isn't known, 400 for
    what can't be read in it, or is of another kind or namespace.
    """
    try:
        given = bodies.read(request)
    except ValueError as wrong:
        why = f"couldn't get version/kind; {wrong}"
        raise Refusal(400, _unknown(kind, why)) from None
    if not isinstance(given, dict):
        raise Refusal(400, _unknown(kind, "it is no object"))
    for field in ("metadata", "spec"):
        if not isinstance(given.get(field) or {}, dict):
            raise Refusal(400, _unknown(kind, f"its {field} is no object"))
    said = (given.get("apiVersion") or api_version, given.get("kind") or kind)
    if said != (api_version, kind):
        version = api_version.rpartition("/")[2]
        raise Refusal(
            400,
            f"{said[1]} in version {quoted(version)} cannot be handled as a {kind}: no kind "
            f"{quoted(said[1])} is registered for version {quoted(said[0])} here",
        )
    metadata = given.get("metadata") or {}
    if metadata.get("namespace") not in (None, "", namespace):
        raise Refusal(
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        )
    return {**given, "metadata": metadata, "apiVersion": api_version, "kind": kind}


def _unknown(kind: str, why: str) -> str:
    return f"the object provided is unrecognized (must be of type {kind}): {why}"
