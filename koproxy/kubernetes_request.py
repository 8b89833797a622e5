"""What a request is about, as Kubernetes names it: verb, resource, namespace, name. Pure.

Follows "Determine the request verb" in the Kubernetes documentation (Authorization) and
kube-apiserver's own reading of paths. It is for logs and counts: nothing is decided by it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

VERBS = frozenset(
    (
        *("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"),
        *("post", "put", "head", "options", "proxy"),
    )
)
"""The verbs that requests have which Kubernetes serves; a client may send any other one."""

_VERBS = {
    b"POST": "create",
    b"GET": "get",
    b"HEAD": "get",
    b"PUT": "update",
    b"PATCH": "patch",
    b"DELETE": "delete",
}
_VERBS_IN_PATHS = frozenset({"proxy", "watch"})
_OF_NAMESPACES = frozenset({"status", "finalize"})
_LONGEST_KEPT = 512  # bytes of a target, with several thousand of which kept

_WATCH = re.compile(rb"(?:\A|&)watch(?:=([^&;]*))?(?=&|\Z)")
_FIELDS = re.compile(rb"(?:\A|&)fieldSelector=([^&;]*)(?=&|\Z)")
_NAME = re.compile(r"(?:\A|,)metadata\.name==?([^=,!/%\\]+)(?=,|\Z)")


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """A request's verb, and the resource that it is about if ``is_resource``, else its path.

    The verb of a request that is about none is its method in lower case. What isn't there is empty.
    """

    verb: str
    path: str
    is_resource: bool = False
    api_prefix: str = ""
    api_group: str = ""
    api_version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""


def read_request_info(method: bytes, target: bytes) -> RequestInfo:
    """Say what a request's first line is about; any method, and any target in origin form."""
    return _kept(method, target) if len(target) <= _LONGEST_KEPT else _read(method, target)


def _read(method: bytes, target: bytes) -> RequestInfo:
    escaped, _, query = target.partition(b"?")
    path = (unquote_to_bytes(escaped) if b"%" in escaped else escaped).decode(errors="replace")
    parts = path.strip("/").split("/")
    prefix = parts[0]
    group, rest = ("", parts[1:]) if prefix == "api" else (parts[1:2], parts[2:])
    if prefix not in ("api", "apis") or len(rest) < 2:
        return RequestInfo(method.decode().lower(), path)
    version, rest = rest[0], rest[1:]
    verb = _VERBS.get(method, "")
    if rest[0] in _VERBS_IN_PATHS:
        verb, rest = rest[0], rest[1:]
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _OF_NAMESPACES:
            rest = rest[2:]
    resource, name, subresource = (*rest[:3], "", "", "")[:3]
    if verb == "proxy":
        subresource = ""
    if not name:
        verb = {"get": "watch" if _watches(query) else "list", "delete": "deletecollection"}.get(
            verb, verb
        )
        if verb in ("list", "watch") and method in (b"GET", b"HEAD"):
            name = _selected(query)
    return RequestInfo(
        verb=verb,
        path=path,
        is_resource=True,
        api_prefix=prefix,
        api_group="".join(group),
        api_version=version,
        namespace=namespace,
        resource=resource,
        subresource=subresource,
        name=name,
    )


_kept = lru_cache(maxsize=4096)(_read)


def _watches(query: bytes) -> bool:
    found = _WATCH.search(query)
    return found is not None and (found[1] or b"").lower() not in (b"false", b"0")


def _selected(query: bytes) -> str:
    """The one name that a field selector leaves, if it does."""
    found = _FIELDS.search(query)
    if found is None:
        return ""
    selector = unquote_to_bytes(found[1].replace(b"+", b" ")).decode(errors="replace")
    name = _NAME.search(selector)
    return name[1] if name is not None and name[1] not in (".", "..") else ""
