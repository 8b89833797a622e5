"""A request about objects: what it asks, and how it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from koproxy_harness.kube.access.users import User
from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.schema.node import Node
from koproxy_harness.kube.store import Object, Place
from koproxy_harness.kube.verbs.reading import Headers

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Exchange, Request


class Asked:
    """One request about objects: what it asks, and how it is answered."""

    def __init__(
        self, exchange: Exchange, info: RequestInfo, user: User, kind: Kind, node: Node
    ) -> None:
        self.exchange = exchange
        self.request: Request = exchange.request
        self.query: Mapping[str, str] = exchange.request.query
        self.info = info
        self.user = user
        self.kind = kind
        self.node = node
        self.place: Place = (info.namespace if kind.namespaced else "", info.name)
        self.dry = self.query.get("dryRun") == "All"
        self.headers: Headers = ()

    @property
    def manager(self) -> str:
        """Who changes fields: whom the request names, else the client's name for itself."""
        agent = (self.request.values("user-agent") or ["unknown"])[0]
        return self.query.get("fieldManager") or agent.partition("/")[0] or "unknown"

    def in_its_version(self, made: Object) -> Object:
        """Give an object in the version that is asked for."""
        if made.get("apiVersion") == self.kind.group_version and made.get("kind") == self.kind.name:
            return made
        return {**made, "apiVersion": self.kind.group_version, "kind": self.kind.name}

    def respond(self, status: int, body: Object) -> None:
        """Answer."""
        self.exchange.respond(status, body, self.headers)


def success(details: Mapping[str, Any] | None = None) -> Object:
    """Give a `Status` that says yes."""
    said = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return {**said, "details": dict(details)} if details else said
