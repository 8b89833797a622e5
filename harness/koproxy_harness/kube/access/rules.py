"""What one rule of a role allows.

Pure. https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/role-v1/
"""

from __future__ import annotations

from typing import Any

from koproxy_harness.kube.request_info import RequestInfo

Rule = dict[str, Any]

ALL = "*"


def allows(rule: Rule, info: RequestInfo) -> bool:
    """Whether this rule alone allows the request."""
    if not _names(rule.get("verbs"), info.verb):
        return False
    if not info.is_resource:
        return any(_covers(url, info.path) for url in rule.get("nonResourceURLs") or ())
    named = rule.get("resourceNames")
    return (
        _names(rule.get("apiGroups"), info.group)
        and _resources(rule.get("resources") or (), info.resource, info.subresource)
        and (not named or info.name in named)
    )


def _names(values: list[str] | None, value: str) -> bool:
    return values is not None and (value in values or ALL in values)


def _resources(resources: list[str] | tuple[str, ...], resource: str, subresource: str) -> bool:
    if ALL in resources:
        return True
    if not subresource:
        return resource in resources
    return f"{resource}/{subresource}" in resources or f"*/{subresource}" in resources


def _covers(url: str, path: str) -> bool:
    return url == path or (url.endswith(ALL) and path.startswith(url.rstrip(ALL)))
