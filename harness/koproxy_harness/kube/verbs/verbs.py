"""Answers to requests about objects: the verbs, each from what is asked to what is answered.

What an object has to be is checked and completed in the other modules of this room; here it is put
into the store. https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from koproxy_harness.kube import bodies, patches
from koproxy_harness.kube.access.escalation import Escalation
from koproxy_harness.kube.access.users import User
from koproxy_harness.kube.kinds import Kind, Kinds
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.schema.limits import broken, defaulted
from koproxy_harness.kube.schema.node import Node
from koproxy_harness.kube.schema.schemas import Schemas
from koproxy_harness.kube.selectors import selection
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.store import Object, Place, Store
from koproxy_harness.kube.tables import rendering
from koproxy_harness.kube.verbs import deleting, making, reading, scaling
from koproxy_harness.kube.verbs.definitions import DEFINITIONS, Definitions
from koproxy_harness.kube.verbs.lists import page
from koproxy_harness.kube.verbs.refusals import (
    already_exists,
    invalid,
    not_allowed,
    not_found,
    not_served,
    unversioned,
)
from koproxy_harness.kube.verbs.watches import Watches

if TYPE_CHECKING:
    from koproxy_harness.serving.clock import Clock
    from koproxy_harness.serving.exchange import Exchange, Request

_APPLY = "application/apply-patch+yaml"
_PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    _APPLY,
)
_PARTS = ("status", "finalize", "approval", "ephemeralcontainers", "resize")


class Verbs:
    """Does what is asked with the objects of one store."""

    def __init__(
        self,
        store: Store,
        kinds: Kinds,
        schemas: Schemas,
        definitions: Definitions,
        watches: Watches,
        escalation: Escalation,
        clock: Clock,
    ) -> None:
        self._store = store
        self._kinds = kinds
        self._schemas = schemas
        self._definitions = definitions
        self._watches = watches
        self._escalation = escalation
        self._clock = clock

    def answer(self, exchange: Exchange, info: RequestInfo, user: User) -> None:
        """Answer a request about objects; raises `Refusal`."""
        kind = self._kinds.find(info.group, info.version, info.resource)
        if kind is None or (info.subresource and info.subresource not in kind.subresources):
            raise not_served()
        if kind.namespaced and not info.namespace and (info.name or info.verb == "create"):
            raise not_served()
        if not kind.namespaced and info.namespace not in ("", info.name):
            raise not_served()
        request = _Asked(exchange, info, user, kind, self._schemas.of(kind))
        if info.subresource:
            self._below(request)
            return
        verbs: dict[str, Callable[[_Asked], None]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }
        # A new object is named by its body, one that is changed by the URL.
        named = {"create": False, "update": True, "patch": True}.get(info.verb, bool(info.name))
        if info.verb not in kind.verbs or bool(info.name) != named:
            raise not_allowed()
        verbs[info.verb](request)

    def _below(self, asked: _Asked) -> None:
        match asked.info.subresource, asked.info.verb:
            case _, "get" if asked.info.subresource in _PARTS:
                self._get(asked)
            case "scale", "get":
                there = self._there(asked)
                asked.respond(200, scaling.scale_of(there, self._definitions.scale(asked.kind)))
            case "scale", ("update" | "patch"):
                self._scale(asked)
            case "eviction", "create":
                self._evict(asked)
            case "binding", "create":
                self._bind(asked)
            case part, "update" if part in _PARTS:
                self._update(asked)
            case part, "patch" if part in _PARTS:
                self._patch(asked)
            case _:
                raise not_allowed()

    # Reading

    def _get(self, asked: _Asked) -> None:
        self._show(asked, 200, self._there(asked))

    def _list(self, asked: _Asked) -> None:
        kind, query = asked.kind, asked.query
        chosen = selection(kind, query, self._definitions.fields(kind)).matches
        found, metadata = page(self._store, kind.resource, asked.info.namespace, query, chosen)
        shown = [asked.in_its_version(each) for each in found]
        rendered = self._rendering(asked)
        if rendered is not None:
            asked.respond(200, rendered.list(shown, metadata))
            return
        name = kind.list_name or f"{kind.name}List"
        asked.respond(
            200,
            {
                "kind": name,
                "apiVersion": kind.group_version,
                "metadata": metadata,
                "items": shown,
            },
        )

    def _watch(self, asked: _Asked) -> None:
        chosen = selection(asked.kind, asked.query, self._definitions.fields(asked.kind)).matches
        rendered = self._rendering(asked)

        def shown(made: Object) -> Object:
            versioned = asked.in_its_version(made)
            return versioned if rendered is None else rendered.event(versioned)

        self._watches.begin(asked.exchange, asked.kind, asked.info.namespace, chosen, shown)

    # Writing

    def _create(self, asked: _Asked) -> None:
        kind, namespace = asked.kind, asked.info.namespace
        body = reading.given(asked.request, kind)
        if kind.namespaced:
            self._namespace(asked, body["metadata"].get("namespace"))
        body = self._typed(asked, body)
        made = making.new(kind, body, namespace, self._clock.text)
        self._check(asked, made)
        place = (made["metadata"].get("namespace", ""), made["metadata"]["name"])
        if self._store.find(*kind.resource, *place) is not None:
            raise already_exists(kind, place[1])
        self._escalation.check(asked.user, asked.info, made)
        made = patches.track(asked.node, None, made, asked.manager, self._clock.text)
        self._show(asked, 201, self._keep(asked, place, made))

    def _update(self, asked: _Asked) -> None:
        old = self._there(asked)
        body = reading.given(asked.request, asked.kind)
        self._named(asked, body)
        conditional = asked.kind.resource in _CONDITIONAL or self._schemas.is_custom(asked.kind)
        if conditional and not body["metadata"].get("resourceVersion"):
            raise unversioned(asked.kind, asked.info.name)
        body = self._typed(asked, body)
        new = making.changed(asked.kind, old, body, self._part(asked))
        self._show(asked, 200, self._change(asked, old, new))

    def _patch(self, asked: _Asked) -> None:
        kind, named = asked.kind, bodies.content_type(asked.request)
        if named not in _PATCHES:
            raise Refusal(
                415,
                "the body of the request was in an unknown format - accepted media types include: "
                + ", ".join(_PATCHES),
            )
        if named == _APPLY:
            self._apply(asked)
            return
        old = self._there(asked)
        body = patches.patched(
            asked.node,
            asked.in_its_version(old),
            asked.request.body,
            named,
            custom=self._schemas.is_custom(kind),
        )
        body = self._typed(asked, reading.of_kind(body, kind))
        new = making.changed(kind, old, body, self._part(asked))
        self._show(asked, 200, self._change(asked, old, new))

    def _apply(self, asked: _Asked) -> None:
        kind, name, query = asked.kind, asked.info.name, asked.query
        old = self._store.find(*kind.resource, *asked.place)
        manager = query.get("fieldManager", "")
        if not manager:
            raise Refusal(
                422,
                'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required '
                "for apply patch",
                "Invalid",
            )
        if old is None and asked.info.subresource:
            raise not_found(kind, name)
        if kind.namespaced and old is None:
            self._namespace(asked, None)
        now = self._clock.text
        seen = None if old is None else asked.in_its_version(old)
        merged = patches.applied(
            *(asked.node, kind, seen, asked.request.body, manager),
            query.get("force") in ("true", "1"),
            now,
            asked.info.subresource,
        )
        body = self._typed(asked, reading.of_kind(merged, kind))
        fields = body["metadata"].get("managedFields")
        if old is None:
            made = making.new(kind, body, asked.info.namespace, now)
            self._check(asked, made)
            self._escalation.check(asked.user, asked.info, made)
            self._show(asked, 201, self._keep(asked, asked.place, _managed(made, fields)))
            return
        new = making.changed(kind, old, body, self._part(asked))
        self._show(asked, 200, self._change(asked, old, _managed(new, fields), tracked=True))

    def _scale(self, asked: _Asked) -> None:
        old, paths = self._there(asked), self._definitions.scale(asked.kind)
        scale = scaling.scale_of(old, paths)
        if asked.info.verb == "patch":
            named = bodies.content_type(asked.request)
            node = self._schemas.of(scaling.SCALE)
            wanted = patches.patched(node, scale, asked.request.body, named)
        else:
            wanted = reading.given(asked.request, scaling.SCALE)
        new = scaling.scaled(old, wanted, paths)
        if not making.same(old, new) and "generation" in old["metadata"]:
            generation = old["metadata"]["generation"] + 1
            new = {**new, "metadata": {**new["metadata"], "generation": generation}}
        # Nobody notes the time of a change of scale.
        changed = self._change(
            asked,
            old,
            patches.track(*(asked.node, old, new, asked.manager), "", "scale"),
            tracked=True,
        )
        asked.respond(200, scaling.scale_of(changed, paths))

    def _bind(self, asked: _Asked) -> None:
        old = self._there(asked)
        target = reading.of_kind(bodies.read(asked.request), _BINDING).get("target") or {}
        if old.get("spec", {}).get("nodeName"):
            raise Refusal(
                409,
                f'Operation cannot be fulfilled on pods/binding "{asked.info.name}": '
                f"pod {asked.info.name} is already assigned to node",
            )
        spec = {**old.get("spec", {}), "nodeName": target.get("name", "")}
        self._change(asked, old, {**old, "spec": spec})
        asked.respond(201, _success())

    # Deleting

    def _evict(self, asked: _Asked) -> None:
        there = self._there(asked)
        try:
            body = bodies.read(asked.request) if asked.request.body else {}
        except ValueError as wrong:
            raise Refusal(400, f"the Eviction can't be read: {wrong}") from None
        options = (body.get("deleteOptions") if isinstance(body, dict) else None) or {}
        deleting.check(asked.kind, there, options)
        if not asked.dry and not options.get("dryRun"):
            self._remove(asked.kind, asked.place, orphan=False)
        asked.respond(201, _success())

    def _delete(self, asked: _Asked) -> None:
        options = self._options(asked)
        there = self._there(asked)
        deleting.protect(asked.kind, there)
        deleting.check(asked.kind, there, options)
        orphan = deleting.orphans(options)
        if asked.dry:
            self._show(asked, 200, there)
            return
        last, gone = self._remove(asked.kind, asked.place, orphan)
        if not gone or asked.kind.resource in (("", "pods"), ("", "namespaces")):
            self._show(asked, 200, last)
            return
        metadata = there["metadata"]
        details = {
            "name": metadata["name"],
            "group": asked.kind.group,
            "kind": asked.kind.plural,
            "uid": metadata["uid"],
        }
        asked.respond(200, _success({key: value for key, value in details.items() if value}))

    def _delete_collection(self, asked: _Asked) -> None:
        orphan = deleting.orphans(self._options(asked))
        kind = asked.kind
        chosen = selection(kind, asked.query, self._definitions.fields(kind)).matches
        found, metadata = page(
            self._store, kind.resource, asked.info.namespace, asked.query, chosen
        )
        for each in found if not asked.dry else ():
            place = (each["metadata"].get("namespace", ""), each["metadata"]["name"])
            if self._store.find(*kind.resource, *place) is not None:
                self._remove(kind, place, orphan)
        asked.respond(
            200,
            {
                "kind": kind.list_name or f"{kind.name}List",
                "apiVersion": kind.group_version,
                "metadata": metadata,
                "items": [asked.in_its_version(each) for each in found],
            },
        )

    def _remove(self, kind: Kind, place: Place, orphan: bool) -> tuple[Object, bool]:
        last, gone = deleting.delete(
            self._store, kind.resource, place, self._clock.text, orphan=orphan
        )
        if gone and kind.resource == DEFINITIONS:
            self._definitions.drop(last)
        return last, gone

    def _options(self, asked: _Asked) -> Mapping[str, Any]:
        options: dict[str, Any] = {
            name: asked.query[name]
            for name in ("propagationPolicy", "gracePeriodSeconds")
            if name in asked.query
        }
        if asked.request.body:
            try:
                body = bodies.read(asked.request)
            except ValueError as wrong:
                raise Refusal(400, f"the DeleteOptions can't be read: {wrong}") from None
            options |= body if isinstance(body, dict) else {}
        if options.get("dryRun"):
            asked.dry = True
        return options

    # What these have in common

    def _there(self, asked: _Asked) -> Object:
        found = self._store.find(*asked.kind.resource, *asked.place)
        if found is None:
            raise not_found(asked.kind, asked.info.name)
        return found

    def _namespace(self, asked: _Asked, said: str | None) -> None:
        name = asked.info.namespace
        if said and said != name:
            raise Refusal(
                400,
                "the namespace of the provided object does not match the namespace sent on the "
                "request",
            )
        there = self._store.find("", "namespaces", "", name)
        if there is None:
            raise not_found(_NAMESPACE, name)
        if "deletionTimestamp" in there["metadata"]:
            raise Refusal(
                403,
                f"unable to create new content in namespace {name} because it is being terminated",
            )

    def _named(self, asked: _Asked, body: Object) -> None:
        metadata, name = body["metadata"], asked.info.name
        if metadata.setdefault("name", name) != name:
            raise Refusal(
                400,
                f"the name of the object ({metadata['name']}) does not match the name on the URL "
                f"({name})",
            )
        if asked.kind.namespaced and metadata.get("namespace") not in (
            None,
            "",
            asked.info.namespace,
        ):
            raise Refusal(
                400,
                "the namespace of the provided object does not match the namespace sent on the "
                "request",
            )

    def _part(self, asked: _Asked) -> str:
        if asked.info.subresource == "status" and "status" in asked.kind.subresources:
            return "status"
        return ""

    def _typed(self, asked: _Asked, body: Object) -> Object:
        custom = self._schemas.is_custom(asked.kind)
        try:
            kept, asked.headers = reading.typed(asked.kind, asked.node, body, asked.query, custom)
        except reading.Strict as strict:
            if not custom or asked.info.verb != "patch":
                raise
            # Of a patch to a custom object the whole result is said to be wrong.
            said = json.dumps(json.dumps(body, separators=(",", ":"), sort_keys=True))
            cause = {
                "reason": "FieldValueInvalid",
                "message": f"Invalid value: {said}: {strict.why}",
                "field": "patch",
            }
            message = f' "" is invalid: patch: {cause["message"]}'
            raise Refusal(422, message, "Invalid", {"causes": [cause]}) from None
        return defaulted(asked.node, kept) if custom else kept

    def _check(self, asked: _Asked, made: Object) -> None:
        kind, name = asked.kind, made["metadata"]["name"]
        if self._schemas.is_custom(kind):
            causes = list(broken(asked.node, made))
        else:
            causes = list(making.required(asked.node, made))
        if causes:
            raise invalid(kind, name, causes)

    def _change(self, asked: _Asked, old: Object, new: Object, *, tracked: bool = False) -> Object:
        self._check(asked, new)
        self._escalation.check(asked.user, asked.info, new, old)
        if not tracked:
            new = patches.track(
                *(asked.node, old, new, asked.manager, self._clock.text),
                subresource=asked.info.subresource,
            )
        if making.same(old, new) and _fields(old) == _fields(new):
            return old
        place = asked.place
        if "deletionTimestamp" in new["metadata"] and not new["metadata"].get("finalizers"):
            if asked.dry:
                return new
            self._store.put(asked.kind.resource, place, new)
            last = deleting.remove(self._store, asked.kind.resource, place, self._clock.text)
            if asked.kind.resource == DEFINITIONS:
                self._definitions.drop(last)
            return last
        return self._keep(asked, place, new)

    def _keep(self, asked: _Asked, place: Place, made: Object) -> Object:
        if asked.dry:
            return made
        if asked.kind.resource == DEFINITIONS and asked.info.subresource == "":
            made = self._definitions.take(made, self._clock.text)
        return self._store.put(asked.kind.resource, place, made)

    def _rendering(self, asked: _Asked) -> Any:
        accept = ",".join(asked.request.values("accept"))
        return rendering(accept, asked.kind, asked.query, self._definitions.columns(asked.kind))

    def _show(self, asked: _Asked, status: int, made: Object) -> None:
        shown = asked.in_its_version(made)
        rendered = self._rendering(asked)
        asked.respond(status, shown if rendered is None else rendered.one(shown))


# What is only updated by who says which version it is that they have read.
_CONDITIONAL = (DEFINITIONS, ("coordination.k8s.io", "leases"))
_NAMESPACE = Kind("", "v1", "namespaces", "Namespace", False)
_BINDING = Kind("", "v1", "bindings", "Binding", True)


class _Asked:
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
        self.headers: reading.Headers = ()

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


def _fields(made: Object) -> Any:
    return made["metadata"].get("managedFields")


def _managed(made: Object, fields: Any) -> Object:
    metadata = {**made["metadata"]}
    metadata.pop("managedFields", None)
    if fields:
        metadata["managedFields"] = fields
    return {**made, "metadata": metadata}


def _success(details: Mapping[str, Any] | None = None) -> Object:
    said = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return {**said, "details": dict(details)} if details else said
