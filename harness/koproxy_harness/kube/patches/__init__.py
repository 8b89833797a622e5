"""How objects change: the kinds of patches, and who manages which field.

https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply
"""

from __future__ import annotations

import json
from typing import Any

from koproxy_harness.kube.patches.applying import applied, track
from koproxy_harness.kube.patches.json_patch import Impossible, json_patched
from koproxy_harness.kube.patches.merge_patch import merge_patched
from koproxy_harness.kube.patches.strategic import strategic_patched
from koproxy_harness.kube.schema.node import Node
from koproxy_harness.kube.status import Refusal

__all__ = ["applied", "patched", "track"]

_JSON = "application/json-patch+json"
_STRATEGIC = "application/strategic-merge-patch+json"
_CUSTOM = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"


def patched(
    node: Node, old: dict[str, Any], body: bytes, content_type: str, custom: bool = False
) -> Any:
    """Give what a patch of this content type makes of `old`.

    Raises `Refusal`: 400 for a patch that can't be read, 422 for one that can't be done, 415 for a
    strategic one to an object of a `custom` kind.
    """
    if custom and content_type == _STRATEGIC:
        raise Refusal(
            415,
            "the body of the request was in an unknown format - accepted media types include: "
            + _CUSTOM,
        )
    try:
        patch = json.loads(body)
    except ValueError as error:
        raise Refusal(400, f"error decoding patch: {error}") from None
    if content_type == _JSON:
        if not isinstance(patch, list) or not all(isinstance(each, dict) for each in patch):
            raise Refusal(400, "error decoding patch: a JSON patch is a list of operations")
        try:
            return json_patched(old, patch)
        except Impossible:
            raise Refusal(
                422, "the server rejected our request due to an error in our request"
            ) from None
    if not isinstance(patch, dict):
        raise Refusal(400, "error decoding patch: a merge patch is an object")
    if content_type == _STRATEGIC:
        try:
            return strategic_patched(node, old, patch)
        except ValueError as error:
            raise Refusal(400, str(error)) from None
    return merge_patched(old, patch)
