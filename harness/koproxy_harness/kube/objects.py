"""Requests about objects: a request's path and method, and what the store says to it.

https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from koproxy_harness.kube import protobuf
from koproxy_harness.kube.resources import KINDS, Kind
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.store import Event, Selection, Store

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from koproxy_harness.serving.exchange import Exchange, Request

JSON = (("Content-Type", "application/json"),)
TUNNELS = ("exec", "attach", "portforward")

_NOT_FOUND = "the server could not find the requested resource"
_BY_PLURAL = {kind.plural: kind for kind in KINDS}


def serve(exchange: Exchange, store: Store, place: list[str], clock: IReactorTime) -> None:
    """Answer a request under `/api/v1`, where `place` is the rest of its path.

    Raises `Refusal`.
    """
    match place:
        case ["namespaces", namespace, "pods", name, part] if part in TUNNELS:
            store.get(_BY_PLURAL["pods"], namespace, name)
            _echo(exchange)
        case ["namespaces", namespace, plural, *name] if len(name) < 2:
            _serve(exchange, store, _kind(plural, True), namespace, name, clock)
        case [plural]:
            _serve(exchange, store, _kind(plural), "", [], clock)
        case [plural, name]:
            _serve(exchange, store, _kind(plural, False), "", [name], clock)
        case _:
            raise Refusal(404, _NOT_FOUND)


def review(exchange: Exchange, kind: Kind, verdict: Callable[[Any], dict[str, Any]]) -> None:
    """Answer a review of `kind` with the status that `verdict` gives for its spec."""
    if exchange.request.method != "POST":
        raise Refusal(405, f"{exchange.request.method} is not served here")
    asked = _body(exchange.request)
    answer = {
        "apiVersion": kind.group_version,
        "kind": kind.name,
        "metadata": {},
        "status": verdict(asked.get("spec") or {}),
    }
    exchange.respond(201, answer)


def _kind(plural: str, namespaced: bool | None = None) -> Kind:
    kind = _BY_PLURAL.get(plural)
    if kind is None or namespaced not in (None, kind.namespaced):
        raise Refusal(404, _NOT_FOUND)
    return kind


def _serve(
    exchange: Exchange,
    store: Store,
    kind: Kind,
    namespace: str,
    names: list[str],
    clock: IReactorTime,
) -> None:
    request = exchange.request
    match request.method, names:
        case (("GET" | "HEAD"), []):
            selection = _selection(request, kind, namespace)
            if request.query.get("watch") in ("1", "true"):
                _watch(exchange, store, selection, clock)
            else:
                _list(exchange, store, selection)
        case (("GET" | "HEAD"), [name]):
            exchange.respond(200, store.get(kind, namespace, name))
        case "POST", []:
            exchange.respond(201, store.create(kind, _body(request), namespace))
        case "DELETE", [name]:
            exchange.respond(200, store.delete(kind, namespace, name))
        case _:
            raise Refusal(405, f"{request.method} is not served here")


def _selection(request: Request, kind: Kind, namespace: str) -> Selection:
    if request.query.get("labelSelector"):
        raise Refusal(400, "label selectors are not served")
    name = None
    fields = request.query.get("fieldSelector")
    if fields:
        field, _, name = fields.partition("=")
        if field != "metadata.name" or "," in name:
            raise Refusal(400, f"the field selector {fields!r} is not served")
    return Selection(kind, namespace or None, name)


def _list(exchange: Exchange, store: Store, selection: Selection) -> None:
    kind = selection.kind
    answer = {
        "apiVersion": kind.group_version,
        "kind": f"{kind.name}List",
        "metadata": {"resourceVersion": str(store.version)},
        "items": store.select(selection),
    }
    exchange.respond(200, answer)


def _watch(exchange: Exchange, store: Store, selection: Selection, clock: IReactorTime) -> None:
    query = exchange.request.query
    if query.get("sendInitialEvents") == "true":
        raise Refusal(400, "sendInitialEvents is not served")
    try:
        since = int(query.get("resourceVersion") or 0)
        seconds = float(query.get("timeoutSeconds") or 0)
    except ValueError:
        raise Refusal(400, "resourceVersion and timeoutSeconds must be numbers") from None

    def listener(event: Event) -> None:
        exchange.send(json.dumps(event.json).encode() + b"\n")

    past, unwatch = store.watch(selection, since, listener)
    exchange.begin(200, JSON)
    for event in past:
        listener(event)
    exchange.when_gone(unwatch)
    if seconds:
        ending = clock.callLater(seconds, exchange.end)
        exchange.when_gone(lambda: ending.cancel() if ending.active() else None)


def _echo(exchange: Exchange) -> None:
    protocols = exchange.request.values("upgrade")
    if not protocols or "upgrade" not in exchange.request.tokens("connection"):
        raise Refusal(400, "you must request an upgrade")
    exchange.tunnel(protocols[0].partition(",")[0].strip(), exchange.write)


def _body(request: Request) -> dict[str, Any]:
    try:
        if request.tokens("content-type") == [protobuf.CONTENT_TYPE]:
            return protobuf.decode(request.body)
        body = request.json()
    except ValueError as error:
        raise Refusal(400, f"the body can't be read: {error}") from None
    if not isinstance(body, dict):
        raise Refusal(400, "the body is not an object")
    return body
