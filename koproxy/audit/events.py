"""Audit events: what happened, as ``audit.k8s.io/v1`` has it. Pure.

Beside what kube-apiserver says, an event's annotations tell what koproxy decided and why, and by
which issuer's rules. No event has a token or a body in it.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from koproxy.identity.user import Identity
from koproxy.kubernetes_request import RequestInfo

_LONGEST_AGENT = 1024  # characters, as at kube-apiserver

Event = dict[str, Any]


def user_agent(value: bytes) -> str:
    """Give what a client calls itself, by the value of its ``User-Agent``."""
    return value[:_LONGEST_AGENT].decode(errors="replace")


def timestamp(seconds: float) -> str:
    """Write seconds since the epoch as Kubernetes' MicroTime."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def first_event(
    *, name: str, uri: str, info: RequestInfo, client: str, agent: str, received: float
) -> Event:
    """Begin what all events of a request say; ``received`` in seconds since the epoch."""
    event: Event = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": name,
        "stage": "RequestReceived",
        "requestURI": uri,
        "verb": info.verb,
        "user": {},
        "sourceIPs": [client],
        "requestReceivedTimestamp": timestamp(received),
        "stageTimestamp": timestamp(received),
    }
    if agent:
        event["userAgent"] = agent
    if info.is_resource:
        event["objectRef"] = object_reference(info)
    return event


def object_reference(info: RequestInfo) -> dict[str, str]:
    """Say which object a request is about."""
    found = {
        "resource": info.resource,
        "namespace": info.namespace,
        "name": info.name,
        "apiGroup": info.api_group,
        "apiVersion": info.api_version,
        "subresource": info.subresource,
    }
    return {key: value for key, value in found.items() if value}


def user_info(identity: Identity) -> dict[str, Any]:
    """Say who asks."""
    found: dict[str, Any] = {"username": identity.username}
    if identity.uid:
        found["uid"] = identity.uid
    if identity.groups:
        found["groups"] = list(identity.groups)
    if identity.extra:
        found["extra"] = {key: list(values) for key, values in identity.extra}
    return found


def response_status(code: int, message: str) -> dict[str, Any]:
    """Say how it ended; ``message`` is koproxy's own."""
    status: dict[str, Any] = {"metadata": {}, "code": code}
    if message or code >= HTTPStatus.BAD_REQUEST:
        status["status"] = "Failure"
    if message:
        status["message"] = message
    return status
