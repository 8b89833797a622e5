"""Who sends a request: the pure rules of `identity` joined to what `sources` fetches.

This is the one door by which the proxy learns an identity. It opens no socket of its own and
never sees more of a request than the value of its ``Authorization`` header.
"""

from collections.abc import Callable
from time import time

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred

from koproxy.identity.decision import Outcome, Unavailable


class Authentication(MultiService):
    """Decides about bearer tokens; as a service, it keeps the issuers' keys fresh."""

    def __init__(self, *, now: Callable[[], float] = time) -> None:
        """Take ``now``, the seconds since the epoch."""
        super().__init__()
        self._now = now

    @property
    def problem(self) -> str | None:
        """Why tokens can't be verified yet, as a sentence for ``/readyz``; None once they can."""
        return "no issuer is configured"

    def decide(self, authorization: bytes) -> Outcome | Deferred[Outcome]:
        """Say who sends a request with this ``Authorization`` value.

        The answer comes at once unless something must be fetched for it, which happens for a
        token signed by an unknown key and for distributed claims. The Deferred never fails.
        """
        return Unavailable(f"tokens can't be verified: {self.problem}")
