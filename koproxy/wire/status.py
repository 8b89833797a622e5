"""The proxy's own answers: a Kubernetes ``Status`` object, which kubectl prints.

Follows "Response status kinds" in Kubernetes' API conventions. It may not repeat a token or any
other bytes that came from the network: the sentences are the callers'.
"""

import json
from http import HTTPStatus

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    405: "MethodNotAllowed",
    408: "Timeout",
    429: "TooManyRequests",
    500: "InternalError",
    502: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def status_body(code: int, message: str) -> bytes:
    """A ``Status`` object as JSON."""
    return json.dumps(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": _REASONS.get(code, ""),
            "code": code,
        }
    ).encode()


def status_answer(
    code: int,
    message: str,
    *,
    keep_alive: bool,
    head_only: bool = False,
    retry_after: int = 0,
    noted: bytes = b"",
) -> bytes:
    """A whole HTTP/1.1 answer with a ``Status``.

    ``retry_after`` in seconds is sent if it isn't zero: client-go then asks again by itself.
    ``noted`` is a line with the name of the request in logs, or empty.
    """
    body = status_body(code, message)
    head = f"HTTP/1.1 {code} {HTTPStatus(code).phrase}\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\nCache-Control: no-cache, private\r\n"
    if code == 401:
        head += "WWW-Authenticate: Bearer\r\n"
    if retry_after:
        head += f"Retry-After: {retry_after}\r\n"
    head += "Connection: keep-alive\r\n" if keep_alive else "Connection: close\r\n"
    return head.encode() + noted + b"\r\n" + (b"" if head_only else body)
