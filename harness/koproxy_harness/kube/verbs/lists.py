"""Lists of objects, whole or in pages that belong together.

Pure. A page says where the next begins and of which moment all of them are, so that nothing that
happens in between is in them:
https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.store import Object, Place, Resource, Store

_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)


def page(
    store: Store,
    resource: Resource,
    namespace: str,
    query: Mapping[str, str],
    chosen: Callable[[Object], bool],
) -> tuple[list[Object], dict[str, Any]]:
    """Give the objects that a list request is about, and the list's metadata.

    Raises `Refusal`: 400 for parameters that make no sense, 410 for a page of too long ago.
    """
    version, after = _start(query.get("continue", ""), store.version)
    limit = number(query, "limit")
    wanted = number(query, "resourceVersion")
    if query.get("continue") and wanted:
        raise Refusal(400, "specifying resource version is not allowed when using continue")
    if wanted > store.version:
        store.at(resource, wanted)
    if query.get("resourceVersionMatch") == "Exact" and wanted:
        version = wanted
    try:
        there = store.at(resource, version)
    except Refusal as refusal:
        if not query.get("continue"):
            raise
        again = {"continue": _token(store.version, after)} if after else {}
        raise Refusal(410, _EXPIRED, "Expired", again) from refusal
    found = [
        (place, each)
        for place, each in there
        if (not namespace or place[0] == namespace) and (after is None or place > after)
        if chosen(each)
    ]
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    if limit and len(found) > limit:
        found, rest = found[:limit], len(found) - limit
        metadata["continue"] = _token(version, found[-1][0])
        if not (query.get("labelSelector") or query.get("fieldSelector")):
            metadata["remainingItemCount"] = rest
    return [each for _, each in found], metadata


def number(query: Mapping[str, str], name: str) -> int:
    """Give a parameter that is a number, 0 without it; raises `Refusal` 400 for another."""
    text = query.get(name) or "0"
    if not (text.isascii() and text.isdigit()):
        raise Refusal(400, f'{name}: Invalid value: "{text}": strconv.ParseUint: invalid syntax')
    return int(text)


def _token(version: int, place: Place) -> str:
    said = json.dumps({"v": version, "after": place}, separators=(",", ":"))
    return base64.urlsafe_b64encode(said.encode()).decode()


def _start(token: str, now: int) -> tuple[int, Place | None]:
    if not token:
        return now, None
    try:
        said = json.loads(base64.urlsafe_b64decode(token))
        namespace, name = said["after"]
        return int(said["v"]), (str(namespace), str(name))
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise Refusal(400, "continue key is not valid") from None
