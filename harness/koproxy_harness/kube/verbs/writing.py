"""Objects made and changed, as requests ask for it: create, update, the patches, scale.

https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

from typing import Any

from koproxy_harness.kube import bodies, patches
from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.store import Object
from koproxy_harness.kube.verbs import making, reading, scaling
from koproxy_harness.kube.verbs.asked import Asked, success
from koproxy_harness.kube.verbs.definitions import DEFINITIONS
from koproxy_harness.kube.verbs.keeping import Keeping
from koproxy_harness.kube.verbs.refusals import already_exists, not_found, unversioned

_APPLY = "application/apply-patch+yaml"
_PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    _APPLY,
)
# What is only updated by who says which version it is that they have read.
_CONDITIONAL = (DEFINITIONS, ("coordination.k8s.io", "leases"))
_BINDING = Kind("", "v1", "bindings", "Binding", True)


class Writing:
    """Makes and changes objects."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping

    def create(self, asked: Asked) -> None:
        """Make a new object."""
        kind, namespace = asked.kind, asked.info.namespace
        body = reading.given(asked.request, kind)
        if kind.namespaced:
            self._keeping.namespace(asked, body["metadata"].get("namespace"))
        body = self._keeping.typed(asked, body)
        made = making.new(
            kind,
            asked.node,
            body,
            namespace,
            self._keeping.clock.text,
            self._keeping.schemas.is_custom(kind),
        )
        self._keeping.check(asked, made)
        place = (made["metadata"].get("namespace", ""), made["metadata"]["name"])
        if self._keeping.store.find(*kind.resource, *place) is not None:
            raise already_exists(kind, place[1])
        self._keeping.escalation.check(asked.user, asked.info, made)
        made = patches.track(asked.node, None, made, asked.manager, self._keeping.clock.text)
        self._keeping.show(asked, 201, self._keeping.keep(asked, place, made))

    def update(self, asked: Asked) -> None:
        """Put what the client has in the place of what is there."""
        old = self._keeping.there(asked)
        body = reading.given(asked.request, asked.kind)
        self._keeping.named(asked, body)
        conditional = asked.kind.resource in _CONDITIONAL or self._keeping.schemas.is_custom(
            asked.kind
        )
        if conditional and not body["metadata"].get("resourceVersion"):
            raise unversioned(asked.kind, asked.info.name)
        body = self._keeping.typed(asked, body)
        new = making.changed(asked.kind, old, body, _part(asked))
        self._keeping.show(asked, 200, self._keeping.change(asked, old, new))

    def patch(self, asked: Asked) -> None:
        """Change what is there as a patch says."""
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
        old = self._keeping.there(asked)
        body = patches.patched(
            asked.node,
            asked.in_its_version(old),
            asked.request.body,
            named,
            custom=self._keeping.schemas.is_custom(kind),
        )
        body = self._keeping.typed(asked, reading.of_kind(body, kind))
        new = making.changed(kind, old, body, _part(asked))
        self._keeping.show(asked, 200, self._keeping.change(asked, old, new))

    def _apply(self, asked: Asked) -> None:
        kind, name, query = asked.kind, asked.info.name, asked.query
        old = self._keeping.store.find(*kind.resource, *asked.place)
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
            self._keeping.namespace(asked, None)
        now = self._keeping.clock.text
        seen = None if old is None else asked.in_its_version(old)
        merged = patches.applied(
            *(asked.node, kind, seen, asked.request.body, manager),
            query.get("force") in ("true", "1"),
            now,
            asked.info.subresource,
        )
        body = self._keeping.typed(asked, reading.of_kind(merged, kind), applied=True)
        fields = body["metadata"].get("managedFields")
        if old is None:
            made = making.new(
                *(kind, asked.node, body, asked.info.namespace, now),
                self._keeping.schemas.is_custom(kind),
            )
            self._keeping.check(asked, made)
            self._keeping.escalation.check(asked.user, asked.info, made)
            self._keeping.show(
                asked, 201, self._keeping.keep(asked, asked.place, _managed(made, fields))
            )
            return
        new = making.changed(kind, old, body, _part(asked))
        self._keeping.show(
            asked, 200, self._keeping.change(asked, old, _managed(new, fields), tracked=True)
        )

    def scale(self, asked: Asked) -> None:
        """Change how many of something are wanted."""
        old, paths = self._keeping.there(asked), self._keeping.definitions.scale(asked.kind)
        scale = scaling.scale_of(old, paths)
        if asked.info.verb == "patch":
            named = bodies.content_type(asked.request)
            node = self._keeping.schemas.of(scaling.SCALE)
            wanted = patches.patched(node, scale, asked.request.body, named)
        else:
            wanted = reading.given(asked.request, scaling.SCALE)
        new = scaling.scaled(old, wanted, paths)
        if not making.unchanged(old, new) and "generation" in old["metadata"]:
            generation = old["metadata"]["generation"] + 1
            new = {**new, "metadata": {**new["metadata"], "generation": generation}}
        # Nobody notes the time of a change of scale.
        changed = self._keeping.change(
            asked,
            old,
            patches.track(*(asked.node, old, new, asked.manager), "", "scale"),
            tracked=True,
        )
        asked.respond(200, scaling.scale_of(changed, paths))

    def bind(self, asked: Asked) -> None:
        """Put a pod on a node."""
        old = self._keeping.there(asked)
        target = reading.given(asked.request, _BINDING).get("target") or {}
        if old.get("spec", {}).get("nodeName"):
            raise Refusal(
                409,
                f'Operation cannot be fulfilled on pods/binding "{asked.info.name}": '
                f"pod {asked.info.name} is already assigned to node",
            )
        spec = {**old.get("spec", {}), "nodeName": target.get("name", "")}
        self._keeping.change(asked, old, {**old, "spec": spec})
        asked.respond(201, success())


def _part(asked: Asked) -> str:
    """Give "status" where only that is to be changed."""
    if asked.info.subresource == "status" and "status" in asked.kind.subresources:
        return "status"
    return ""


def _managed(made: Object, fields: Any) -> Object:
    metadata = {**made["metadata"]}
    metadata.pop("managedFields", None)
    if fields:
        metadata["managedFields"] = fields
    return {**made, "metadata": metadata}
