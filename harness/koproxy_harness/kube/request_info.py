"""What a request to an API server is about: its verb, and the resource that its path names.

Pure. It reads a path as Kubernetes' own `RequestInfo` does, since roles are written in those words:
https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from koproxy_harness.kube.selectors.fields import terms
from koproxy_harness.kube.status import Refusal

_VERBS = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
# These stand where a resource does, and are the verb themselves: `/api/v1/watch/pods`.
_VERBS_IN_PATHS = ("proxy", "watch")
# Below a namespace's own name these are subresources of the namespace and not resources in it.
_OF_NAMESPACES = ("status", "finalize")
_NOT_TRUE = ("false", "0")


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """A request in the words of roles.

    For a path that is none of a resource (`is_resource` is false), `verb` is the method in lower
    case and only `path` says more.
    """

    verb: str
    path: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    rest: tuple[str, ...] = ()  # what follows a subresource, as in `services/web/proxy/a/b`

    @classmethod
    def of(cls, method: str, path: str, query: Mapping[str, str]) -> RequestInfo:
        """Read a request's method, percent-decoded path and query."""
        match path.strip("/").split("/"):
            case ["api", version, first, *more]:
                group = ""
            case ["apis", group, version, first, *more]:
                pass
            case _:
                return cls(method.lower(), path)
        verb = _VERBS.get(method, "")
        if first in _VERBS_IN_PATHS:
            verb = first
            if not more:
                return cls(method.lower(), path, True, group, version)
            first, *more = more
        place = [first, *more]
        namespace = ""
        if first == "namespaces" and more:
            namespace = more[0]
            if len(more) > 1 and more[1] not in _OF_NAMESPACES:
                place = more[1:]
        resource, name, subresource, *rest = [*place, "", "", ""][: max(3, len(place))]
        if verb == "proxy":
            rest, subresource = place[2:], ""
        if not name and verb == "get":
            verb = "watch" if _is_true(query.get("watch")) else "list"
            name = _named(query)
        elif not name and verb == "delete":
            verb = "deletecollection"
        return cls(
            verb, path, True, group, version, namespace, resource, subresource, name, tuple(rest)
        )


def _is_true(value: str | None) -> bool:
    """Whether a parameter is set: in Kubernetes whatever isn't false is true, even nothing."""
    return value is not None and value.lower() not in _NOT_TRUE


def _named(query: Mapping[str, str]) -> str:
    """Give the one name that a list is narrowed to by its field selector, or nothing.

    Nothing too where a parameter can't be read, or where the name could not be in a path.
    """
    try:
        for parameter in ("limit", "timeoutSeconds"):
            if query.get(parameter):
                int(query[parameter])
        selected = terms(query.get("fieldSelector", ""))
    except (ValueError, Refusal):
        return ""
    names = (term.value for term in selected if term.wanted and term.path == "metadata.name")
    name = next(names, "")
    return "" if name in (".", "..") or "/" in name or "%" in name else name
