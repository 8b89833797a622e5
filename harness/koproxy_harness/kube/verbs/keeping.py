"""What every change of an object goes through, on its way into the store and out of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from koproxy_harness.kube import defaults, patches
from koproxy_harness.kube.access.escalation import Escalation
from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.schema.definitions import read
from koproxy_harness.kube.schema.limits import broken, defaulted, without_nulls
from koproxy_harness.kube.schema.schemas import Schemas
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.store import Object, Place, Store
from koproxy_harness.kube.tables import rendering
from koproxy_harness.kube.verbs import deleting, making, reading
from koproxy_harness.kube.verbs.asked import Asked
from koproxy_harness.kube.verbs.definitions import DEFINITIONS, Definitions
from koproxy_harness.kube.verbs.refusals import invalid, not_found

if TYPE_CHECKING:
    from koproxy_harness.serving.clock import Clock

_ELSEWHERE = "the namespace of the provided object does not match the namespace sent on the request"
_NAMESPACE = Kind("", "v1", "namespaces", "Namespace", False)


class Keeping:
    """Keeps the objects of one store, as its kinds, rights and clock want it."""

    def __init__(
        self,
        store: Store,
        schemas: Schemas,
        definitions: Definitions,
        escalation: Escalation,
        clock: Clock,
    ) -> None:
        self.store = store
        self.schemas = schemas
        self.definitions = definitions
        self.escalation = escalation
        self.clock = clock

    def there(self, asked: Asked) -> Object:
        """Give the object that is asked about; raises `Refusal` 404 without it."""
        found = self.store.find(*asked.kind.resource, *asked.place)
        if found is None:
            raise not_found(asked.kind, asked.info.name)
        return found

    def namespace(self, asked: Asked, said: str | None) -> None:
        """See that there is a namespace for a new object; `said` is what its body says of it."""
        name = asked.info.namespace
        if said and said != name:
            raise Refusal(400, _ELSEWHERE)
        there = self.store.find("", "namespaces", "", name)
        if there is None:
            raise not_found(_NAMESPACE, name)
        if "deletionTimestamp" in there["metadata"]:
            raise Refusal(
                403,
                f"unable to create new content in namespace {name} because it is being terminated",
            )

    def named(self, asked: Asked, body: Object) -> None:
        """See that a body names the object that the URL does."""
        metadata, name = body["metadata"], asked.info.name
        if metadata.setdefault("name", name) != name:
            raise Refusal(
                400,
                f"the name of the object ({metadata['name']}) does not match the name on the URL "
                f"({name})",
            )
        said = metadata.get("namespace")
        if asked.kind.namespaced and said and said != asked.info.namespace:
            raise Refusal(400, _ELSEWHERE)

    def typed(self, asked: Asked, body: Object, *, applied: bool = False) -> Object:
        """Give a body as its type has it; raises `Refusal` for what it can't be.

        `applied`: it is what came of an apply patch, where nulls are not taken for nothing.
        """
        custom = self.schemas.is_custom(asked.kind)
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
        if not custom:
            return defaults.complete(asked.node, kept)
        whole: Object = defaulted(asked.node, kept if applied else without_nulls(asked.node, kept))
        return whole

    def check(self, asked: Asked, made: Object) -> None:
        """See that an object is what one of its kind may be; raises `Refusal` 422."""
        kind, name = asked.kind, made["metadata"]["name"]
        if self.schemas.is_custom(kind):
            causes = list(broken(asked.node, made))
        else:
            causes = list(making.required(asked.node, made))
            if kind.resource == DEFINITIONS:
                read(made)
        if causes:
            raise invalid(kind, name, causes)

    def change(self, asked: Asked, old: Object, new: Object, *, tracked: bool = False) -> Object:
        """Put `new` in the place of `old`, and give what is there then.

        `tracked`: its managed fields are right already. What is to be deleted goes with the last
        of its finalizers.
        """
        self.check(asked, new)
        self.escalation.check(asked.user, asked.info, new, old)
        if not tracked:
            new = patches.track(
                *(asked.node, old, new, asked.manager, self.clock.text),
                subresource=asked.info.subresource,
            )
        if making.unchanged(old, new) and _fields(old) == _fields(new):
            return old
        place = asked.place
        if "deletionTimestamp" in new["metadata"] and not new["metadata"].get("finalizers"):
            if asked.dry:
                return new
            self.store.put(asked.kind.resource, place, new)
            last = deleting.remove(self.store, asked.kind.resource, place, self.clock.text)
            if asked.kind.resource == DEFINITIONS:
                self.definitions.drop(last)
            return last
        return self.keep(asked, place, new)

    def keep(self, asked: Asked, place: Place, made: Object) -> Object:
        """Keep an object, unless the request is a dry run; gives it as it is kept."""
        if asked.dry:
            return made
        if asked.kind.resource == DEFINITIONS and asked.info.subresource == "":
            made = self.definitions.take(made, self.clock.text)
        return self.store.put(asked.kind.resource, place, made)

    def rendering(self, asked: Asked) -> Any:
        """Give how the client wants objects shown, None for as they are."""
        kind, accept = asked.kind, (asked.request.values("accept") or [""])[0]
        columns = self.definitions.columns(kind) if self.schemas.is_custom(kind) else None
        return rendering(accept, kind, asked.query, columns, self.clock.now)

    def show(self, asked: Asked, status: int, made: Object) -> None:
        """Answer with one object."""
        shown = asked.in_its_version(made)
        rendered = self.rendering(asked)
        asked.respond(status, shown if rendered is None else rendered.one(shown))

    def remove(self, kind: Kind, place: Place, orphan: bool) -> tuple[Object, bool]:
        """Remove an object; gives its last state, and whether it is gone already."""
        last, gone = deleting.delete(
            self.store, kind.resource, place, self.clock.text, orphan=orphan
        )
        if gone and kind.resource == DEFINITIONS:
            self.definitions.drop(last)
        return last, gone


def _fields(made: Object) -> Any:
    return made["metadata"].get("managedFields")
