"""How objects change: the kinds of patches, and who manages which field.

https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply
"""

from __future__ import annotations

import json
from typing import Any

from koproxy_harness.kube.patches.applying import applied, track
from koproxy_harness.kube.patches.go import go_type, syntax_error
from koproxy_harness.kube.patches.json_patch import Impossible, json_patched
from koproxy_harness.kube.patches.merge_patch import merge_patched
from koproxy_harness.kube.patches.strategic import strategic_patched
from koproxy_harness.kube.schema.node import Node
from koproxy_harness.kube.status import Refusal

__all__ = ["applied", "patched", "track"]

_JSON = "application/json-patch+json"
_STRATEGIC = "application/strategic-merge-patch+json"
_CUSTOM = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
_OPERATIONS = 10_000


def patched(
    node: Node, old: dict[str, Any], body: bytes, content_type: str, custom: bool = False
) -> Any:
    """Give what a patch of this content type makes of `old`.

    Raises `Refusal`: 400 for a patch that can't be read, 413 for one of too many operations, 415
    for a strategic one to an object of a `custom` kind, 422 for one that can't be done, 500 for a
    strategic one with unknown directives.
    """
    if custom and content_type == _STRATEGIC:
        raise Refusal(
            415,
            "the body of the request was in an unknown format - accepted media types include: "
            + _CUSTOM,
        )
    before = "" if content_type == _STRATEGIC else "error decoding patch: "
    try:
        patch = json.loads(body)
    except ValueError as error:
        raise Refusal(400, before + syntax_error(body, error)) from None
    if content_type == _JSON:
        return _json_patched(old, patch)
    if patch is None and content_type == _STRATEGIC:
        return old
    if patch is None:
        raise Refusal(400, "Invalid JSON Patch")
    if not isinstance(patch, dict):
        raise _mistyped(before, patch, "value of type map[string]interface {}")
    if content_type == _STRATEGIC:
        return strategic_patched(node, old, patch)
    return merge_patched(old, patch)


def _json_patched(old: dict[str, Any], patch: Any) -> Any:
    before = "error decoding patch: "
    if not isinstance(patch, list | None):
        raise _mistyped(before, patch, "value of type []handlers.jsonPatchOp")
    operations = []
    for each in patch or ():
        if not isinstance(each, dict | None):
            raise _mistyped(before, each, "value of type handlers.jsonPatchOp")
        operation = each or {}
        for name in ("op", "path", "from"):
            if not isinstance(operation.get(name), str | None):
                field = f"struct field jsonPatchOp.{name} of type string"
                raise _mistyped(before, operation[name], field)
        operations.append(operation)
    if len(operations) > _OPERATIONS:
        raise Refusal(
            413,
            f"The allowed maximum operations in a JSON patch is {_OPERATIONS}, got "
            f"{len(operations)}",
            "RequestEntityTooLarge",
        )
    try:
        return json_patched(old, operations)
    except Impossible:
        raise Refusal(
            422, "the server rejected our request due to an error in our request"
        ) from None


def _mistyped(before: str, value: Any, wanted: str) -> Refusal:
    return Refusal(400, f"{before}json: cannot unmarshal {go_type(value)} into Go {wanted}")
