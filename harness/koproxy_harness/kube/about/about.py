"""Answers to what clients ask before they ask for objects: version, health, discovery, OpenAPI.

What is made for a client is kept until the kinds change; what is the same for every server is made
once a process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from koproxy_harness.kube.about import discovery, openapi
from koproxy_harness.kube.kinds import Kind, Kinds
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.schema import builtin
from koproxy_harness.kube.status import Refusal

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Exchange, Request

Document = dict[str, Any]
T = TypeVar("T")

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
# A document of version 2 with nothing in it, in protobuf: clients ask for one where version 3
# doesn't have a kind, and want to be told that nobody has it.
_EMPTY_V2 = b"\x0a\x032.0\x12\x0f\x0a\x0aKubernetes\x12\x01v"
_HEALTH = ("healthz", "livez", "readyz")
_CHECKS = ("ping", "log", "etcd")


class About:
    """Describes one server. `schemas` gives those of custom kinds, as OpenAPI has them."""

    def __init__(self, kinds: Kinds, schemas: Callable[[], Mapping[Kind, Document]]) -> None:
        self._groups: _Kept[list[Document]] = _Kept(kinds, lambda: discovery.groups(schemas()))
        self._documents: _Kept[dict[str, bytes]] = _Kept(
            kinds, lambda: {**_builtin_documents(), **_custom_documents(schemas())}
        )

    def answer(self, exchange: Exchange, info: RequestInfo) -> None:
        """Answer a request for a path that is none of a resource; raises `Refusal`."""
        request = exchange.request
        if request.method not in ("GET", "HEAD"):
            raise Refusal(405, "the server does not allow this method on the requested resource")
        parts = [part for part in info.path.split("/") if part]
        match parts:
            case ["version"]:
                exchange.respond(200, version())
            case [name, *checks] if name in _HEALTH and len(checks) < 2:
                self._health(exchange, name, checks)
            case ["openapi", "v2"]:
                exchange.respond(200, _EMPTY_V2, (("Content-Type", _V2),))
            case ["openapi", "v3", *place]:
                self._openapi(exchange, "/".join(place))
            case _:
                document = self._discovery(request, parts)
                if document is None:
                    raise Refusal(404, "the server could not find the requested resource")
                kind = _AGGREGATED if "items" in document else "application/json"
                _cacheable(exchange, json.dumps(document).encode(), kind)

    def _health(self, exchange: Exchange, name: str, checks: list[str]) -> None:
        if checks and checks[0] not in _CHECKS:
            raise Refusal(404, "the server could not find the requested resource")
        text = "ok"
        if "verbose" in exchange.request.query and not checks:
            text = "".join(f"[+]{check} ok\n" for check in _CHECKS) + f"{name} check passed\n"
        exchange.respond(200, text, (("Content-Type", "text/plain; charset=utf-8"),))

    def _discovery(self, request: Request, parts: list[str]) -> Document | None:
        groups = self._groups.now
        match parts:
            case ["api"] if _wants_aggregated(request):
                return discovery.aggregated(groups[:1])
            case ["apis"] if _wants_aggregated(request):
                return discovery.aggregated(groups[1:])
            case ["api"]:
                return {"kind": "APIVersions", "versions": ["v1"]}
            case ["apis"]:
                return discovery.group_list(groups[1:])
            case ["api", wanted]:
                return discovery.resource_list(groups[0], wanted)
            case ["apis", name, *versions] if len(versions) < 2:
                for group in groups[1:]:
                    if group["metadata"]["name"] == name:
                        if versions:
                            return discovery.resource_list(group, versions[0])
                        found = discovery.group(group)
                        return {"kind": "APIGroup", "apiVersion": "v1", **found}
        return None

    def _openapi(self, exchange: Exchange, place: str) -> None:
        documents = self._documents.now
        if not place:
            paths = {
                path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={_hash(document)}"}
                for path, document in documents.items()
            }
            exchange.respond(200, {"paths": paths})
        elif place in documents:
            _cacheable(exchange, documents[place], "application/json")
        else:
            raise Refusal(404, "the server could not find the requested resource")


class _Kept(Generic[T]):
    """What is made of a server's kinds, made again when they have changed."""

    def __init__(self, kinds: Kinds, make: Callable[[], T]) -> None:
        self._kinds = kinds
        self._make = make
        self._made: tuple[int, T] | None = None

    @property
    def now(self) -> T:
        """Give it as it is for the kinds of now."""
        if self._made is None or self._made[0] != self._kinds.changes:
            self._made = (self._kinds.changes, self._make())
        return self._made[1]


@cache
def version() -> Document:
    """Give what `/version` says: Kubernetes', and whose it is."""
    known = builtin.facts()["version"]
    named = f"{known['gitVersion'].partition('+')[0]}+koproxy-harness"
    return {
        "major": known["major"],
        "minor": known["minor"],
        "gitVersion": named,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "linux/amd64",
    }


@cache
def _builtin_documents() -> dict[str, bytes]:
    return {
        _path(each): json.dumps(openapi.of_builtin(each)).encode()
        for each in dict.fromkeys(kind.group_version for kind in builtin.kinds())
    }


def _custom_documents(custom: Mapping[Kind, Document]) -> dict[str, bytes]:
    versions: dict[str, dict[Kind, Document]] = {}
    for kind, schema in custom.items():
        versions.setdefault(kind.group_version, {})[kind] = schema
    return {
        _path(each): json.dumps(openapi.of_custom(schemas)).encode()
        for each, schemas in versions.items()
    }


def _path(group_version: str) -> str:
    return f"apis/{group_version}" if "/" in group_version else f"api/{group_version}"


def _wants_aggregated(request: Request) -> bool:
    return any(
        "as=apigroupdiscoverylist" in accepted and "v=v2;" in f"{accepted};"
        for accepted in request.tokens("accept")
    )


def _hash(document: bytes) -> str:
    return sha256(document).hexdigest().upper()


def _cacheable(exchange: Exchange, document: bytes, kind: str) -> None:
    """Answer with a tag, or say that what the client has is still right (RFC 9110, 13.1.2)."""
    tag = f'"{_hash(document)}"'
    if tag in exchange.request.values("if-none-match"):
        exchange.respond(304, headers=(("ETag", tag),))
        return
    headers = (("Content-Type", kind), ("ETag", tag), ("Vary", "Accept"))
    exchange.respond(200, document, headers)
