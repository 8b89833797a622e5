"""What a request is about, as Kubernetes names it: verb, resource, namespace, name. Pure.

Follows "Determine the request verb" in the Kubernetes documentation (Authorization) and
kube-apiserver's own reading of paths. It is for logs and counts: nothing is decided by it. A field
selector counts even beside another parameter that kube-apiserver can't read, and one that is longer
than anybody's leaves no name.
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
_LONGEST_SELECTOR = 2048  # characters

_TERM = re.compile(r"(?:[^\\,]|\\.?)*", re.DOTALL)
_OPERATOR = re.compile("!=|==|=")
_ESCAPED = re.compile(r"\\([\\,=])")
_VALUE = re.compile(r"(?:[^\\,=]|\\[\\,=])*", re.DOTALL)
_NO_NAMES = frozenset({"", ".", ".."})


def _named(name: bytes) -> re.Pattern[bytes]:
    """Find a parameter in a query, however its name is escaped, without reading the others.

    The query is a stranger's, and may be thousands of parameters.
    """
    key = b"".join(b"(?:%c|%%(?i:%02x))" % (each, each) for each in name)
    return re.compile(b"(?:^|&)" + key + rb"(?:=((?:[^&;%]|%[0-9A-Fa-f]{2})*))?(?=&|$)")


_WATCH, _FIELD_SELECTOR = _named(b"watch"), _named(b"fieldSelector")


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
    return (_kept if len(target) <= _LONGEST_KEPT else _kept_for_now)(method, target)


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
        if verb == "get":
            verb = "watch" if _watches(query) else "list"
            name = _selected(_parameter(_FIELD_SELECTOR, query) or "")
        elif verb == "delete":
            verb = "deletecollection"
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
_kept_for_now = lru_cache(maxsize=16)(_read)  # for all who ask about one request


def _parameter(pattern: re.Pattern[bytes], query: bytes) -> str | None:
    """Give its first value, as Go reads them: what isn't well-formed is none."""
    found = pattern.search(query)
    if found is None:
        return None
    return unquote_to_bytes((found[1] or b"").replace(b"+", b" ")).decode(errors="replace")


def _watches(query: bytes) -> bool:
    asked = _parameter(_WATCH, query)
    return asked is not None and asked.lower() not in ("false", "0")


def _selected(selector: str) -> str:
    """Give the one name that a field selector leaves, if it does and is well-formed."""
    if len(selector) > _LONGEST_SELECTOR:
        return ""
    names: list[str] = []
    # In their order, which decides where two names are asked for.
    for term in sorted(filter(None, _TERM.findall(selector))):
        operator = _OPERATOR.search(term)
        if operator is None:
            return ""
        value = term[operator.end() :]
        if not _VALUE.fullmatch(value):
            return ""
        if term[: operator.start()] == "metadata.name" and operator[0] != "!=":
            names.append(_ESCAPED.sub(r"\1", value))
    name = names[0] if names else ""
    return "" if name in _NO_NAMES or "/" in name or "%" in name else name
