"""An API server that answers reviews as the test says, and remembers what it was asked."""

import json
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Asked:
    """Takes the proxy's own calls; ``answer`` makes a status of a spec, ``hold`` keeps it back."""

    def __init__(self, answer: Answer, *, hold: bool = False) -> None:
        self.answer = answer
        self.hold = hold
        self.status = 201
        self.raw: bytes | None = None
        self.failure: Exception | None = None
        self.specs: list[dict[str, Any]] = []
        self.strangers: list[bool] = []
        self.paths: set[bytes] = set()
        self.held: list[tuple[Deferred[tuple[int, bytes]], dict[str, Any]]] = []

    def call(
        self, method: bytes, path: bytes, body: bytes, /, *, stranger: bool
    ) -> Deferred[tuple[int, bytes]]:
        """A call of the proxy's own."""
        self.strangers.append(stranger)
        assert method == b"POST"
        self.paths.add(path)
        review = json.loads(body)
        self.specs.append(review["spec"])
        waiting: Deferred[tuple[int, bytes]] = Deferred()
        self.held.append((waiting, review))
        if not self.hold:
            self.release()
        return waiting

    def release(self) -> None:
        """Answer all that was asked so far."""
        held, self.held = self.held, []
        for waiting, review in held:
            if waiting.called:
                continue
            if self.failure is not None:
                waiting.errback(self.failure)
                continue
            review["status"] = self.answer(review["spec"])
            body = json.dumps(review).encode() if self.raw is None else self.raw
            waiting.callback((self.status, body))
