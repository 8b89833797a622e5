"""Requests as JSON, for those who assert on them from another language. Pure."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request
    from koproxy_harness.serving.server import Refused


def as_json(number: int, request: Request) -> dict[str, Any]:
    """Give what was asked in the `number`th request, from 0.

    `body` is text, or null for one that is not UTF-8; `body_base64` and `raw_base64` are the
    bytes. `headers` are pairs in their order on the wire.
    """
    try:
        body: str | None = request.body.decode()
    except UnicodeDecodeError:
        body = None
    return {
        "number": number,
        "method": request.method,
        "target": request.target,
        "path": request.path,
        "query": request.query,
        "headers": [list(pair) for pair in request.headers],
        "body": body,
        "body_base64": base64.b64encode(request.body).decode(),
        "raw_base64": base64.b64encode(request.raw).decode(),
        "complete": request.complete,
        "status": request.status,
        "user": request.user,
        "connection": request.connection,
    }


def refused_as_json(refused: Refused) -> dict[str, Any]:
    """Give why bytes were refused, on which connection they came, and which they are."""
    return {
        "reason": refused.reason,
        "connection": refused.connection,
        "raw_base64": base64.b64encode(refused.raw).decode(),
    }
