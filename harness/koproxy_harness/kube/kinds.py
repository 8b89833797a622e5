"""The kinds of objects that one API server serves, and how to find them.

Pure. A kind is what Kubernetes calls a resource: one of these for each version that it is served
in. The kinds of custom resources come and go while the server runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

OBJECT_VERBS = (
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object in one version, or a review that is only ever created.

    `subresources` are the names below an object (`status`, `scale`, `exec`), `resource` is what
    all versions of a kind have in common.
    """

    group: str  # "" is the core group
    version: str
    plural: str
    name: str  # as in `kind:`
    namespaced: bool
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = OBJECT_VERBS
    subresources: tuple[str, ...] = ()
    singular: str = ""  # by default the name in lower case
    list_name: str = ""  # by default the name with List behind it

    @property
    def group_version(self) -> str:
        """As in `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> tuple[str, str]:
        """The group and the plural: what RBAC rules and the store go by."""
        return self.group, self.plural

    @property
    def qualified(self) -> str:
        """The plural with its group, as Kubernetes' messages have it: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


class Kinds:
    """The kinds that a server serves, in the order in which they were added."""

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self.changes = 0  # how often the kinds have changed: what is kept of them is stale then
        for kind in kinds:
            self.add(kind)

    def __iter__(self) -> Iterator[Kind]:
        return iter(tuple(self._kinds.values()))

    def add(self, kind: Kind) -> None:
        """Serve this kind from now on."""
        self._kinds[kind.group, kind.version, kind.plural] = kind
        self.changes += 1

    def remove(self, group: str, plural: str) -> None:
        """Serve no version of it any more."""
        for kind in self:
            if kind.resource == (group, plural):
                del self._kinds[kind.group, kind.version, kind.plural]
        self.changes += 1

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """Give the kind that a path names."""
        return self._kinds.get((group, version, plural))

    def named(self, api_version: str, name: str) -> Kind | None:
        """Give the kind that an object names."""
        for kind in self:
            if (kind.group_version, kind.name) == (api_version, name):
                return kind
        return None
