"""Who sends a request: the pure rules of `identity` joined to what `sources` fetches.

This is the one door by which the proxy learns an identity. It opens no socket of its own and
never sees more of a request than the value of its ``Authorization`` header.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from time import time

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from koproxy.identity.added import NOTHING, Added
from koproxy.identity.anonymous import UNNAMED, Anonymous
from koproxy.identity.authenticator import Authenticator
from koproxy.identity.decision import (
    ClaimsNeeded,
    KeysNeeded,
    Need,
    Outcome,
    Unauthenticated,
    Unavailable,
    Verified,
)
from koproxy.identity.explanation import Rules
from koproxy.identity.issuer import Issuer
from koproxy.passthrough import Passthrough
from koproxy.sources.claims import ClaimSources
from koproxy.sources.fetch import Fetcher, FetchError
from koproxy.sources.issuer import IssuerKeys


class Authentication(MultiService):
    """Decides about bearer tokens; as a service, it keeps the issuers' keys fresh."""

    def __init__(
        self,
        issuers: Iterable[Issuer],
        fetcher: Fetcher,
        clock: IReactorTime,
        *,
        fetchers: Mapping[str, Fetcher] | None = None,
        require_all: bool = False,
        outage_tolerance: float = 0,
        allow_reserved_groups: Iterable[str] = (),
        added: Added = NOTHING,
        impersonate: bool = True,
        now: Callable[[], float] = time,
    ) -> None:
        """Take the issuers' rules, how to fetch, and ``now``, the seconds since the epoch.

        ``fetchers`` are those of issuers, by URL, that have others than ``fetcher``.
        ``require_all``: there is a ``problem`` as long as one issuer has one. ``outage_tolerance``
        is how long an issuer's keys are used after they were last fetched, in seconds; 0 is for
        ever. ``added`` is what everybody's identity gets besides. Without ``impersonate``,
        everybody is passed on with what they show themselves.
        """
        super().__init__()
        self._now = now
        self._clock = clock
        self._require_all = require_all
        self._outage_tolerance = outage_tolerance
        self._fetcher = fetcher
        self._fetchers: dict[str, Fetcher] = {}
        self._authenticator = Authenticator(
            (),
            allow_reserved_groups=frozenset(allow_reserved_groups),
            added=added,
            impersonate=impersonate,
        )
        self._added = added
        self._impersonate = impersonate
        self._passthrough: Passthrough | None = None
        self._cached = self._authenticator.cached
        self._issuers: dict[str, IssuerKeys] = {}
        self._changed: list[Callable[[], None]] = []
        self._found_by: dict[str, tuple[Fetcher, str]] = {}
        self._claims = ClaimSources(
            fetcher,
            self._authenticator.use_keys,
            self._authenticator.drop_keys,
            clock,
            self._fetchers,
        )
        self._claims.setServiceParent(self)
        self.use(issuers, fetchers or {})

    def use(
        self,
        issuers: Iterable[Issuer],
        fetchers: Mapping[str, Fetcher],
        anonymous: Anonymous = Anonymous(),  # noqa: B008 - it can't be changed
    ) -> None:
        """Decide by these issuers' rules from now on.

        The keys of an issuer that is found as before are kept. ``fetchers`` are those of issuers,
        by URL, that have others than the rest; the same one means the same trust. ``anonymous``
        says which requests need no token.
        """
        issuers = tuple(issuers)
        self._anonymous = anonymous
        self._fetchers.clear()
        self._fetchers.update(fetchers)
        before, found_before = self._issuers, self._found_by
        self._found_by = {
            issuer.url: (fetchers.get(issuer.url, self._fetcher), issuer.discovery_url)
            for issuer in issuers
        }
        for url, keys in before.items():
            if self._found_by.get(url) != found_before[url]:
                self.removeService(keys)
                self._authenticator.drop_keys(url)
        self._issuers = {
            url: before[url] if found_before.get(url) == found_by else self._keys_of(url, *found_by)
            for url, found_by in self._found_by.items()
        }
        self._authenticator.use_issuers(issuers)
        for callback in self._changed:
            callback()

    def pass_through(self, passthrough: Passthrough) -> None:
        """Have the API server say whose tokens those are by which nobody is named."""
        self._passthrough = passthrough

    def look_again(self) -> None:
        """Have the keys of all issuers fetched now: whom to trust has changed."""
        for keys in self._issuers.values():
            keys.look_again()

    def _keys_of(self, url: str, fetcher: Fetcher, discovery_url: str) -> IssuerKeys:
        keys = IssuerKeys(
            url,
            fetcher.get,
            partial(self._authenticator.use_keys, url),
            self._clock,
            discovery_url=discovery_url,
            outage_tolerance=self._outage_tolerance,
            drop=partial(self._authenticator.drop_keys, url),
        )
        keys.setServiceParent(self)
        return keys

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` whenever other rules have been taken up."""
        self._changed.append(callback)

    @property
    def extra_keys(self) -> tuple[str, ...]:
        """The keys of the extra fields that tokens can give, and the proxy, each once."""
        issuers = self._authenticator.rules.issuers.values()
        keys = [key for issuer in issuers for key, _ in issuer.extra]
        return tuple(dict.fromkeys([*keys, *self._added.keys]))

    @property
    def rules(self) -> Rules:
        """What decides now: the issuers' rules and keys."""
        return self._authenticator.rules

    async def looked(self, url: str) -> str | None:
        """Wait for the fetch of an issuer's keys that is under way; give its problem, if any."""
        keys = self._issuers[url]
        fetching = keys.fetching()
        if fetching is not None:
            await fetching
        return keys.problem

    @property
    def problem(self) -> str | None:
        """Why tokens can't be verified yet, as a clause for ``/readyz``; None once they can.

        Those of one issuer will do, unless all are required.
        """
        found = [problem for problem in self.problems.values() if problem is not None]
        if not found or (len(found) < len(self._issuers) and not self._require_all):
            return None
        return found[0]

    @property
    def problems(self) -> dict[str, str | None]:
        """Why the tokens of each issuer can't be verified yet, by its URL; None where they can."""
        return {url: keys.problem for url, keys in self._issuers.items()}

    @property
    def fetched_at(self) -> dict[str, float]:
        """When the keys of each issuer were last fetched, by its URL; 0 is never."""
        return {url: keys.fetched_at for url, keys in self._issuers.items()}

    @property
    def remembered(self) -> int:
        """How many verified tokens are kept."""
        return self._authenticator.remembered

    def anonymous(self, target: bytes) -> Verified | None:
        """Say who sends a request for a target with no ``Authorization``; None if it needs one."""
        nobody = self._anonymous.decide(target)
        return nobody if nobody is None or self._impersonate else UNNAMED

    def known(self, authorization: bytes) -> Verified | None:
        """Who sends this ``Authorization`` value, if that was decided before and still holds."""
        known = self._cached(authorization, self._now())
        if known is None and self._passthrough is not None:
            return self._passthrough.known(authorization)
        return known

    def decide(self, authorization: bytes) -> Outcome | Deferred[Outcome]:
        """Say who sends a request with this ``Authorization`` value.

        The answer comes at once unless something must be fetched for it, which happens for a
        token signed by an unknown key and for distributed claims, or the API server be asked. The
        Deferred fails with CancelledError if it is cancelled or the service stops, and in no other
        way.
        """
        answer = self._decide(authorization)
        passthrough = self._passthrough
        if passthrough is None:
            return answer

        def otherwise(outcome: Outcome) -> Outcome | Deferred[Outcome]:
            if not isinstance(outcome, Unauthenticated):
                return outcome
            return passthrough.decide(authorization, outcome)

        if isinstance(answer, Deferred):
            return answer.addCallback(otherwise)
        return otherwise(answer)

    def _decide(self, authorization: bytes) -> Outcome | Deferred[Outcome]:
        now = self._now()
        known = self._cached(authorization, now)
        if known is not None:  # while this one waited, another request brought it
            return known
        answer = self._authenticator.authenticate(authorization, now)
        if isinstance(answer, KeysNeeded):
            refused = self._without_fetching(answer)
            if refused is not None:
                return refused
        if isinstance(answer, Need):
            return Deferred.fromCoroutine(self._with(authorization, answer))
        return answer

    def _without_fetching(self, need: KeysNeeded) -> Outcome | None:
        """Refuse at once where waiting for keys is not worth while."""
        keys = self._issuers.get(need.issuer)
        if keys is None:
            return None
        if need.first:
            return Unavailable(f"tokens can't be verified: {keys.problem}")
        if not keys.may_refresh():
            return Unauthenticated(need.reason, need.rules)
        return None

    async def _with(self, authorization: bytes, need: Need) -> Outcome:
        """Have what is needed fetched, and ask again; nothing is fetched twice."""
        fetched: dict[ClaimsNeeded, bytes] = {}
        asked: set[tuple[str, bool]] = set()
        while True:
            if isinstance(need, ClaimsNeeded):
                try:
                    fetched[need] = await self._claims.fetch(need)
                except FetchError as problem:
                    return Unavailable(f"the groups in a distributed claim can't be had: {problem}")
            else:
                refused = await self._fetch_keys(need, asked)
                if refused is not None:
                    return refused
            answer = self._authenticator.authenticate(authorization, self._now(), fetched)
            if not isinstance(answer, Need):
                return answer
            need = answer

    async def _fetch_keys(
        self, need: KeysNeeded, asked: set[tuple[str, bool]]
    ) -> Unauthenticated | Unavailable | None:
        """Have keys fetched; a refusal is returned if that was of no use or did not happen."""
        if (need.issuer, need.first) in asked:
            return Unauthenticated(need.reason, need.rules)
        asked.add((need.issuer, need.first))
        keys = self._issuers.get(need.issuer) or self._claims.keys_of(need.issuer, need.rules)
        waiting = (keys.fetching() if need.first else None) or keys.refresh()
        if waiting is not None:
            await waiting
        if need.first:
            problem = keys.problem
            return Unavailable(f"tokens can't be verified: {problem}") if problem else None
        return Unauthenticated(need.reason, need.rules) if waiting is None else None
