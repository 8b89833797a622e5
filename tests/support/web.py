"""Documents to fetch without a network: a test says what each address answers, and when."""

from __future__ import annotations

import json
from collections.abc import Container
from typing import Any

from twisted.internet.defer import Deferred

from koproxy.sources.fetch import FetchError
from support.signer import Signer


class Web:
    """Stands for a Fetcher. What an address has is answered at once, or when ``hold`` ends.

    ``asked`` lists the addresses in the order in which they were asked for, ``tokens`` the access
    tokens that came with them.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self._answers: dict[str, bytes | FetchError] = {}
        self._held: list[tuple[Deferred[bytes], str]] | None = None

    def publish(self, signer: Signer, keys: bytes | None = None) -> None:
        """Have the documents of an issuer; ``keys`` in place of its own key set."""
        address = f"{signer.url}/keys"
        self.has(
            f"{signer.url}/.well-known/openid-configuration",
            {"issuer": signer.url, "jwks_uri": address},
        )
        self.has(address, signer.document if keys is None else keys)

    def has(self, address: str, answer: bytes | dict[str, Any] | FetchError) -> None:
        """Answer so from now on."""
        self._answers[address] = json.dumps(answer).encode() if isinstance(answer, dict) else answer

    def down(self) -> None:
        """Answer nothing any more."""
        self._answers.clear()

    def hold(self) -> None:
        """Answer nothing until ``release``."""
        self._held = []

    def release(self) -> None:
        """Answer what has been asked for meanwhile, and at once from now on."""
        held, self._held = self._held or [], None
        self._answer_all(held)

    def step(self) -> None:
        """Answer what has been asked for meanwhile, and hold what is asked for then."""
        held, self._held = self._held or [], []
        self._answer_all(held)

    async def get(self, url: str, *, token: str = "", statuses: Container[int] = (200,)) -> bytes:
        """As a Fetcher does."""
        self.asked.append(url)
        self.tokens.append(token)
        deferred: Deferred[bytes] = Deferred()
        if self._held is None:
            self._answer(deferred, url)
        else:
            self._held.append((deferred, url))
        return await deferred

    def _answer_all(self, held: list[tuple[Deferred[bytes], str]]) -> None:
        for deferred, address in held:
            if not deferred.called:
                self._answer(deferred, address)

    def _answer(self, deferred: Deferred[bytes], address: str) -> None:
        answer = self._answers.get(address, FetchError("connection refused"))
        if isinstance(answer, FetchError):
            deferred.errback(answer)
        else:
            deferred.callback(answer)
