"""Answers to requests about objects: which verb is asked for, and what is read.

What changes objects is in `writing` and `removing`.
https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from koproxy_harness.kube.access.escalation import Escalation
from koproxy_harness.kube.access.users import User
from koproxy_harness.kube.kinds import Kinds
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.schema.schemas import Schemas
from koproxy_harness.kube.selectors import selection
from koproxy_harness.kube.store import Object, Store
from koproxy_harness.kube.verbs import scaling
from koproxy_harness.kube.verbs.asked import Asked
from koproxy_harness.kube.verbs.definitions import Definitions
from koproxy_harness.kube.verbs.keeping import Keeping
from koproxy_harness.kube.verbs.lists import page
from koproxy_harness.kube.verbs.refusals import not_allowed, not_found, not_served
from koproxy_harness.kube.verbs.removing import Removing
from koproxy_harness.kube.verbs.watches import Watches
from koproxy_harness.kube.verbs.writing import Writing

if TYPE_CHECKING:
    from koproxy_harness.serving.clock import Clock
    from koproxy_harness.serving.exchange import Exchange

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
        self._kinds = kinds
        self._watches = watches
        self._keeping = Keeping(store, schemas, definitions, escalation, clock)
        self._writing = Writing(self._keeping)
        self._removing = Removing(self._keeping)

    def answer(self, exchange: Exchange, info: RequestInfo, user: User) -> None:
        """Answer a request about objects; raises `Refusal`."""
        kind = self._kinds.find(info.group, info.version, info.resource)
        if kind is None:
            raise not_served()
        if info.subresource and info.subresource not in kind.subresources:
            custom = self._keeping.schemas.is_custom(kind)
            raise not_found(kind, info.name) if custom else not_served()
        of_many = info.verb in ("list", "watch", "deletecollection")
        if kind.namespaced and not info.namespace and not of_many:
            raise not_served()
        if not kind.namespaced and info.namespace not in ("", info.name):
            raise not_served()
        request = Asked(exchange, info, user, kind, self._keeping.schemas.of(kind))
        self._keeping.rendering(request)  # what can't be shown is refused before anything is done
        if info.subresource:
            self._below(request)
            return
        verbs: dict[str, Callable[[Asked], None]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._writing.create,
            "update": self._writing.update,
            "patch": self._writing.patch,
            "delete": self._removing.delete,
            "deletecollection": self._removing.delete_collection,
        }
        # A new object is named by its body, one that is changed by the URL.
        named = {"create": False, "update": True, "patch": True}.get(info.verb, bool(info.name))
        if info.verb not in kind.verbs or bool(info.name) != named:
            raise not_allowed()
        verbs[info.verb](request)

    def _below(self, asked: Asked) -> None:
        match asked.info.subresource, asked.info.verb:
            case _, "get" if asked.info.subresource in _PARTS:
                self._get(asked)
            case "scale", "get":
                there = self._keeping.there(asked)
                asked.respond(
                    200, scaling.scale_of(there, self._keeping.definitions.scale(asked.kind))
                )
            case "scale", ("update" | "patch"):
                self._writing.scale(asked)
            case "eviction", "create":
                self._removing.evict(asked)
            case "binding", "create":
                self._writing.bind(asked)
            case part, "update" if part in _PARTS:
                self._writing.update(asked)
            case part, "patch" if part in _PARTS:
                self._writing.patch(asked)
            case _:
                raise not_allowed()

    # Reading

    def _get(self, asked: Asked) -> None:
        self._keeping.show(asked, 200, self._keeping.there(asked))

    def _list(self, asked: Asked) -> None:
        kind, query = asked.kind, asked.query
        chosen = selection(kind, query, self._keeping.definitions.fields(kind)).matches
        found, metadata = page(
            self._keeping.store, kind.resource, asked.info.namespace, query, chosen
        )
        shown = [asked.in_its_version(each) for each in found]
        rendered = self._keeping.rendering(asked)
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

    def _watch(self, asked: Asked) -> None:
        chosen = selection(
            asked.kind, asked.query, self._keeping.definitions.fields(asked.kind)
        ).matches
        rendered = self._keeping.rendering(asked)

        def shown(made: Object) -> Object:
            versioned = asked.in_its_version(made)
            return versioned if rendered is None else rendered.event(versioned)

        self._watches.begin(asked.exchange, asked.kind, asked.info.namespace, chosen, shown)
