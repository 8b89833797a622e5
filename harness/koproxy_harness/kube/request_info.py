"""What a request to an API server is about: its verb, and the resource that its path names.

Pure. It reads a path as Kubernetes' own `RequestInfo` does, since roles are written in those words:
https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_VERBS = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
# Below a namespace's own name these are subresources of the namespace and not resources in it.
_OF_NAMESPACES = ("status", "finalize")


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
        other = cls(method.lower(), path)
        parts = [part for part in path.split("/") if part]
        match parts:
            case ["api", version, *place]:
                group = ""
            case ["apis", group, version, *place]:
                pass
            case _:
                return other
        if not place:
            return other
        verb = _VERBS.get(method, "")
        namespace = ""
        match place:
            case ["namespaces", namespace, inside, *more] if inside not in _OF_NAMESPACES:
                place = [inside, *more]
            case ["namespaces", namespace, *_]:
                pass
        resource, name, subresource, *rest = [*place, "", "", ""][: max(3, len(place))]
        if not name and verb == "get":
            watching = query.get("watch") in ("1", "true")
            verb = "watch" if watching else "list"
            if (named := _named(query.get("fieldSelector", ""))) is not None:
                name = named
        elif not name and verb == "delete":
            verb = "deletecollection"
        return cls(
            verb, path, True, group, version, namespace, resource, subresource, name, tuple(rest)
        )


def _named(selector: str) -> str | None:
    """Give the one name that a field selector leaves, None where it leaves more."""
    for term in selector.split(","):
        field, equals, value = term.partition("=")
        if field == "metadata.name" and equals and not value.startswith("="):
            return value
        if field == "metadata.name" and value.startswith("="):
            return value[1:]
    return None
