"""Objects removed, as requests ask for it: one, many, or by eviction.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from koproxy_harness.kube import bodies
from koproxy_harness.kube.selectors import selection
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.verbs import deleting
from koproxy_harness.kube.verbs.asked import Asked, success
from koproxy_harness.kube.verbs.keeping import Keeping
from koproxy_harness.kube.verbs.lists import page


class Removing:
    """Removes objects."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping

    def evict(self, asked: Asked) -> None:
        """Remove a pod, as its node would when it is drained."""
        there = self._keeping.there(asked)
        try:
            body = bodies.read(asked.request) if asked.request.body else {}
        except ValueError as wrong:
            raise Refusal(400, f"the Eviction can't be read: {wrong}") from None
        options = (body.get("deleteOptions") if isinstance(body, dict) else None) or {}
        deleting.check(asked.kind, there, options)
        if not asked.dry and not options.get("dryRun"):
            self._keeping.remove(asked.kind, asked.place, orphan=False)
        asked.respond(201, success())

    def delete(self, asked: Asked) -> None:
        """Remove an object."""
        options = _options(asked)
        there = self._keeping.there(asked)
        deleting.protect(asked.kind, there)
        deleting.check(asked.kind, there, options)
        orphan = deleting.orphans(options)
        if asked.dry:
            self._keeping.show(asked, 200, there)
            return
        last, gone = self._keeping.remove(asked.kind, asked.place, orphan)
        if not gone or asked.kind.resource in (("", "pods"), ("", "namespaces")):
            self._keeping.show(asked, 200, last)
            return
        metadata = there["metadata"]
        details = {
            "name": metadata["name"],
            "group": asked.kind.group,
            "kind": asked.kind.plural,
            "uid": metadata["uid"],
        }
        asked.respond(200, success({key: value for key, value in details.items() if value}))

    def delete_collection(self, asked: Asked) -> None:
        """Remove every object that is chosen."""
        orphan = deleting.orphans(_options(asked))
        kind = asked.kind
        chosen = selection(kind, asked.query, self._keeping.definitions.fields(kind)).matches
        found, metadata = page(
            self._keeping.store, kind.resource, asked.info.namespace, asked.query, chosen
        )
        for each in found if not asked.dry else ():
            place = (each["metadata"].get("namespace", ""), each["metadata"]["name"])
            if self._keeping.store.find(*kind.resource, *place) is not None:
                self._keeping.remove(kind, place, orphan)
        asked.respond(
            200,
            {
                "kind": kind.list_name or f"{kind.name}List",
                "apiVersion": kind.group_version,
                "metadata": metadata,
                "items": [asked.in_its_version(each) for each in found],
            },
        )


def _options(asked: Asked) -> Mapping[str, Any]:
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
