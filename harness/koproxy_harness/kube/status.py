"""Kubernetes' `Status` objects: how an API server says no.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class Refusal(Exception):
    """A request that the API server refuses, with its status code and a message for people.

    `reason` is the word that clients go by, `details` what the `Status` says of the object.
    """

    def __init__(
        self, code: int, message: str, reason: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason or _REASONS.get(code, "")
        self.details = dict(details or {})

    @property
    def body(self) -> dict[str, Any]:
        """As a `Status` object."""
        return status(self.code, str(self), self.reason, self.details)


def together(messages: list[str]) -> str:
    """Give several messages as one, each once, as Kubernetes puts errors together."""
    once = list(dict.fromkeys(messages))
    return once[0] if len(once) == 1 else f"[{', '.join(once)}]"


def status(
    code: int, message: str, reason: str = "", details: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A `Status` object for a refusal with this HTTP status."""
    said: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason or _REASONS.get(code, ""),
    }
    if details:
        said["details"] = dict(details)
    return {**said, "code": code}
