"""Watches: what happens to the objects that a client has asked about, as it happens.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from koproxy_harness.errors import HarnessError
from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.status import Refusal, status
from koproxy_harness.kube.store import Event, Object, Store
from koproxy_harness.kube.verbs.lists import number

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from koproxy_harness.serving.exchange import Exchange

Shown = Callable[[Object], Object]

_EVERY = 100  # changes elsewhere, after which a client is told how far it has come
_INITIAL = "k8s.io/initial-events-end"


class Watches:
    """The watches on one store; `clock` is what ends them by `timeoutSeconds`."""

    def __init__(self, store: Store, clock: Callable[[], IReactorTime]) -> None:
        self._store = store
        self._clock = clock
        self._open: list[Exchange] = []

    def end(self, path: str, last: bytes = b"") -> int:
        """End the watches on `path` (a pattern as in `fnmatch`), and say how many these are.

        Each ends after a whole event, and after `last`.
        """
        watches = [each for each in self._open if fnmatchcase(each.request.path, path)]
        self._open = [each for each in self._open if each not in watches]
        for exchange in watches:
            if last:
                exchange.send(last)
            exchange.end()
        return len(watches)

    def begin(
        self,
        exchange: Exchange,
        kind: Kind,
        namespace: str,
        chosen: Callable[[Object], bool],
        shown: Shown,
    ) -> None:
        """Answer a request with a watch; raises `Refusal` where it can't begin."""
        query = exchange.request.query
        since, initial = number(query, "resourceVersion"), _wants_initial(query)
        seconds = number(query, "timeoutSeconds")
        bookmarks = query.get("allowWatchBookmarks") in ("true", "1")
        if initial and (not bookmarks or query.get("resourceVersionMatch") != "NotOlderThan"):
            raise Refusal(
                422,
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan and "
                "allowWatchBookmarks",
                "Invalid",
            )
        watch = _Watch(exchange, kind, namespace, chosen, shown, bookmarks)
        try:
            if initial or not since:
                self._store.at(kind.resource, max(since, 0) or self._store.version)
                past = None
            else:
                past = self._store.since(kind.resource, since)
        except Refusal as refusal:
            if refusal.code != 410:
                raise
            # A watch that can't begin any more says so in its first event.
            exchange.begin(200, _JSON)
            exchange.send(_line("ERROR", refusal.body))
            exchange.end()
            return
        exchange.begin(200, _JSON)
        if past is None:
            watch.there(self._store, tell_end=initial)
        else:
            for event in past:
                watch.happened(event)
        self._open.append(exchange)
        exchange.when_gone(self._store.listen(watch.happened))
        exchange.when_gone(lambda: self._open.remove(exchange) if exchange in self._open else None)
        if seconds:
            ending = self._clock().callLater(seconds, self._late, exchange, watch)
            exchange.when_gone(lambda: ending.cancel() if ending.active() else None)

    def _late(self, exchange: Exchange, watch: _Watch) -> None:
        watch.bookmark(self._store.version)
        exchange.end()


_JSON = (("Content-Type", "application/json"),)


class _Watch:
    """One client's watch."""

    def __init__(
        self,
        exchange: Exchange,
        kind: Kind,
        namespace: str,
        chosen: Callable[[Object], bool],
        shown: Shown,
        bookmarks: bool,
    ) -> None:
        self._exchange = exchange
        self._kind = kind
        self._namespace = namespace
        self._chosen = chosen
        self._shown = shown
        self._bookmarks = bookmarks
        self._told = 0

    def there(self, store: Store, tell_end: bool) -> None:
        """Tell of what is there, and at wish where that ends."""
        for place, each in store.at(self._kind.resource, store.version):
            if self._meant(place[0]) and self._chosen(each):
                self._send("ADDED", each)
        self._told = store.version
        if tell_end:
            self.bookmark(store.version, {_INITIAL: "true"})

    def happened(self, event: Event) -> None:
        """Tell of a change, as it looks to who sees only what is chosen."""
        if event.resource != self._kind.resource or not self._meant(event.place[0]):
            if event.version - self._told >= _EVERY:
                self.bookmark(event.version)
            return
        was = event.before is not None and self._chosen(event.before)
        now = event.type != "DELETED" and self._chosen(event.object)
        if now:
            self._send("MODIFIED" if was else "ADDED", event.object)
        elif was:
            self._send("DELETED", _last(event))
        self._told = event.version

    def bookmark(self, version: int, annotations: Mapping[str, str] | None = None) -> None:
        """Tell how far the client has come, if it wants to know."""
        if not self._bookmarks:
            return
        self._told = version
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if annotations:
            metadata["annotations"] = dict(annotations)
        self._send(
            "BOOKMARK",
            {
                "kind": self._kind.name,
                "apiVersion": self._kind.group_version,
                "metadata": {**metadata, "creationTimestamp": None},
            },
        )

    def _meant(self, namespace: str) -> bool:
        return not self._namespace or namespace == self._namespace

    def _send(self, kind: str, made: Object) -> None:
        self._exchange.send(_line(kind, self._shown(made)))


def _last(event: Event) -> Object:
    """Give an object as it was when it was last seen, with the version of its going."""
    if event.type == "DELETED" or event.before is None:
        return event.object
    metadata = {**event.before["metadata"], "resourceVersion": str(event.version)}
    return {**event.before, "metadata": metadata}


def last_words(code: int | None, message: str, raw: bytes | str | None) -> bytes:
    """Give what a test wants a watch to end with: an `ERROR` event, or bytes, or nothing.

    Raises `HarnessError` for what makes no sense, alone or together.
    """
    if raw is not None:
        if not isinstance(raw, bytes | str):
            raise HarnessError(f"raw is bytes or a text, not {raw!r}")
        if code is not None or message:
            raise HarnessError("raw, the bytes of no event, can't go with status: leave one out")
        return raw.encode() if isinstance(raw, str) else raw
    if code is None:
        if message:
            raise HarnessError("message is what an ERROR event says: give its status too")
        return b""
    if type(code) is not int or not 400 <= code <= 599:
        raise HarnessError(
            f"status of an ERROR event is a whole number from 400 to 599, not {code!r}"
        )
    said = message or f"the harness was told to end this watch with {code}"
    return _line("ERROR", status(code, said))


def _line(kind: str, made: Object) -> bytes:
    return json.dumps({"type": kind, "object": made}, separators=(",", ":")).encode() + b"\n"


def _wants_initial(query: Mapping[str, str]) -> bool:
    return query.get("sendInitialEvents") in ("true", "1")
