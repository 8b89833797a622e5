"""The verbs of Kubernetes by which a fault is told whom to meet. Pure.

What verb a request has is `request_info`'s business.
https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb
"""

from __future__ import annotations

from koproxy_harness.errors import HarnessError

_READING = ("GET", "HEAD")
_METHODS = {
    "get": _READING,
    "list": _READING,
    "watch": _READING,
    "create": ("POST",),
    "update": ("PUT",),
    "patch": ("PATCH",),
    "delete": ("DELETE",),
    "deletecollection": ("DELETE",),
}


def known(verb: str, method: str) -> str:
    """Give the verb as requests have it; `*` is any, of a verb and of a method.

    Raises `HarnessError` for one that there is not, and for one that no such request has.
    """
    if verb == "*":
        return verb
    if not isinstance(verb, str) or verb.lower() not in _METHODS:
        raise HarnessError(
            f"{verb!r} is no verb of Kubernetes; there are {', '.join(_METHODS)}, and * for all"
        )
    if method != "*" and str(method).upper() not in _METHODS[verb.lower()]:
        never = str(method).upper()
        raise HarnessError(
            f"a request to {verb.lower()} is never a {never}: leave verb or method out"
        )
    return verb.lower()
