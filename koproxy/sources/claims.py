"""Distributed claims: the JWTs that claim sources answer with, and the keys of those who sign them.

Who may be asked is said by a verified token alone. Space is bounded: an issuer that nobody has
needed for the longest time gives way to a new one.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from koproxy.identity.decision import ClaimsNeeded
from koproxy.identity.keys import KeySet
from koproxy.sources.fetch import Fetcher
from koproxy.sources.flight import Flight
from koproxy.sources.issuer import IssuerKeys

MAX_ISSUERS = 16
_STATUSES = range(200, 227)  # those that kube-apiserver takes


class ClaimSources(MultiService):
    """Fetches claims, and keeps the keys of the issuers that turn out to sign them."""

    def __init__(
        self,
        fetcher: Fetcher,
        use: Callable[[str, KeySet], bool],
        drop: Callable[[str], None],
        clock: IReactorTime,
        fetchers: Mapping[str, Fetcher],
    ) -> None:
        """Take what to do with an issuer's key set, and with an issuer that had to give way.

        ``fetchers`` are those of the issuers, by URL, that have others than ``fetcher``.
        """
        super().__init__()
        self._fetcher = fetcher
        self._fetchers = fetchers
        self._use = use
        self._drop = drop
        self._clock = clock
        self._flights: dict[ClaimsNeeded, Flight[bytes]] = {}
        self._issuers: dict[str, IssuerKeys] = {}

    def stopService(self) -> Any:
        """Fetch no more."""
        for flight in list(self._flights.values()):
            flight.cancel()
        return super().stopService()

    def fetch(self, need: ClaimsNeeded) -> Deferred[bytes]:
        """Fetch what ``need`` names, once for all who ask meanwhile; fails with FetchError."""
        flight = self._flights.get(need)
        if flight is None:
            flight = Flight(
                self._by(need.rules).get(need.endpoint, token=need.access_token, statuses=_STATUSES)
            )
            self._flights[need] = flight
            flight.done.addCallback(lambda _: self._flights.pop(need))
        return flight.join()

    def _by(self, rules: str) -> Fetcher:
        return self._fetchers.get(rules, self._fetcher)

    def keys_of(self, issuer: str, rules: str) -> IssuerKeys:
        """Return what keeps the keys of an issuer; it begins to, if it is a new one.

        ``rules`` is the URL of the issuer by whose rules somebody wants them.
        """
        keys = self._issuers.pop(issuer, None)
        if keys is None:
            if len(self._issuers) >= MAX_ISSUERS:
                oldest = next(iter(self._issuers))
                self.removeService(self._issuers.pop(oldest))
                self._drop(oldest)
            keys = IssuerKeys(issuer, self._by(rules).get, partial(self._use, issuer), self._clock)
            keys.setServiceParent(self)
        self._issuers[issuer] = keys
        return keys
