"""How an API server says that somebody may not do something.

Pure; the words are the API server's own, since clients and people match on them.
"""

from __future__ import annotations

from koproxy_harness.kube.access.users import User
from koproxy_harness.kube.quoting import quoted
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.status import Refusal

# Nothing that a browser could take for HTML.
_HARMLESS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def forbidden(user: User, info: RequestInfo, reason: str = "") -> Refusal:
    """Give the refusal of a request that is not allowed."""
    who = f"User {quoted(user.username)} cannot {info.verb}"
    if info.is_resource:
        resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
        said = f"{who} resource {quoted(resource)} in API group {quoted(info.group)}"
        if info.namespace:
            said += f" in the namespace {quoted(info.namespace)}"
        else:
            said += " at the cluster scope"
    else:
        said = f"{who} path {quoted(info.path)}"
    said = said.translate(_HARMLESS)
    return about(info.group, info.resource, info.name, f"{said}: {reason}" if reason else said)


def about(group: str, resource: str, name: str, why: str) -> Refusal:
    """Give a refusal that names a resource, or the one object `name` of it, and says why."""
    qualified = f"{resource}.{group}" if group and resource else resource
    subject = f"{qualified} {quoted(name)}" if name and resource else qualified
    details = {"name": name, "group": group, "kind": resource}
    return Refusal(
        403,
        f"{subject} is forbidden: {why}" if resource else f"forbidden: {why}",
        details={key: value for key, value in details.items() if value},
    )
