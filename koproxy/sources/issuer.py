"""The keys of one issuer: found by discovery, fetched, and kept fresh while the service runs.

Nothing is decided here: a new key set is handed on, and whether it verifies a token is for others
to say. Whoever wants newer keys asks :meth:`IssuerKeys.refresh`, which is stingy on purpose.
"""

from collections.abc import Callable
from random import uniform

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from koproxy.identity.keys import KeySet
from koproxy.sources.discovery import Get, IssuerError, discover, fetch_keys
from koproxy.sources.flight import Flight

log = Logger()

REFRESH = 300.0
"""Seconds from one good key set to the next look at it: a withdrawn key works no longer."""
RETRIES = (1.0, 15.0)
"""Seconds from a failure to the next try: the first ones, doubled each time, and the most."""
ON_DEMAND = (1.0, 10.0)
"""Seconds from any fetch until a token may cause another: doubled while that brings nothing new."""
REMINDERS = (60.0, 3600.0)
"""Seconds from a failure in the log until it is said again, doubled each time, and the most."""
JITTER = 0.1
"""Times are shortened or lengthened by up to this part, so that replicas spread."""


class IssuerKeys(Service):
    """Keeps one issuer's keys; ``problem`` says why there are none yet, and is None afterwards."""

    def __init__(
        self,
        issuer: str,
        get: Get,
        use: Callable[[KeySet], bool],
        clock: IReactorTime,
        *,
        discovery_url: str = "",
        outage_tolerance: float = 0,
        drop: Callable[[], None] = lambda: None,
    ) -> None:
        """Take the issuer's URL, how to GET, and what to do with keys.

        ``use`` is called with each key set that was fetched and says whether it is a new one.
        ``discovery_url`` is where the discovery document is, if not at the usual place. ``drop`` is
        called when the last key set was fetched longer ago than ``outage_tolerance`` in seconds;
        0 is for ever.
        """
        self.issuer = issuer
        self._discovery_url = discovery_url
        self.problem: str | None = f"the keys of {issuer} have not been fetched yet"
        self._get = get
        self._use = use
        self._clock = clock
        self._keys_at: str | None = None
        self._flight: Flight[bool] | None = None
        self._next: IDelayedCall | None = None
        self._retry_after = RETRIES[0]
        self._demand_gap = ON_DEMAND[0]
        self._demand_from = 0.0
        self._failing = False
        self._remind_at = 0.0
        self._remind_after = REMINDERS[0]
        self._outage_tolerance = outage_tolerance
        self._drop = drop
        self.fetched_at = 0.0
        """When keys were last fetched, in the clock's seconds; 0 is never."""

    def startService(self) -> None:
        """Fetch for the first time, and go on doing so."""
        super().startService()
        self._fetch()

    def stopService(self) -> Deferred[None] | None:
        """Fetch no more."""
        super().stopService()
        if self._next is not None and self._next.active():
            self._next.cancel()
        if self._flight is None:
            return None
        done = self._flight.done
        self._flight.cancel()
        return done

    def fetching(self) -> Deferred[bool] | None:
        """Wait for the fetch that is under way; None if there is none.

        The result is True if it brought new keys, and no failure comes out of it.
        """
        return None if self._flight is None else self._flight.join()

    def may_refresh(self) -> bool:
        """Say whether ``refresh`` would look; if not, that was done only just now."""
        if self._flight is not None:
            return True
        return bool(self.running) and self._clock.seconds() >= self._demand_from

    def refresh(self) -> Deferred[bool] | None:
        """Look for newer keys because a token wants them, and wait as ``fetching`` does.

        None if ``may_refresh`` is False. However many ask, an issuer gets one request per
        interval, and the interval grows while the requests turn out to have been useless.
        """
        if not self.may_refresh():
            return None
        if self._flight is not None:
            return self._flight.join()
        self._demand_gap = min(2 * self._demand_gap, ON_DEMAND[1])
        return self._fetch(demanded=True).join()

    def look_again(self) -> None:
        """Fetch at once, if the service runs and doesn't fetch already."""
        if self.running and self._flight is None:
            self._fetch()

    def _fetch(self, *, demanded: bool = False) -> Flight[bool]:
        if self._next is not None and self._next.active():
            self._next.cancel()
        flight = Flight(self._look(demanded))
        self._flight = None if flight.done.called else flight
        return flight

    async def _look(self, demanded: bool) -> bool:
        changed = False
        try:
            if self._keys_at is None:
                self._keys_at = await discover(self._get, self.issuer, self._discovery_url)
            changed = self._take(await fetch_keys(self._get, self._keys_at))
        except IssuerError as problem:
            if not self.running:  # what the service's end has cut off is no failure
                return False
            self._keys_at = None
            self._failed(str(problem))
            following = self._retry_after
            self._retry_after = min(2 * following, RETRIES[1])
        except CancelledError:  # the service stops
            return False
        except Exception:  # noqa: BLE001 - a fault of ours must not be the last look
            log.failure("looking for the keys of {issuer} failed", issuer=self.issuer)
            following = RETRIES[1]
        else:
            self._retry_after = RETRIES[0]
            # Whoever trusts keys for less time has to look more often.
            following = min(REFRESH, self._outage_tolerance / 2 or REFRESH)
        finally:
            self._flight = None
        if changed or not demanded:
            self._demand_gap = ON_DEMAND[0]
        self._demand_from = self._clock.seconds() + self._demand_gap
        if self.running:
            delay = following * uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
            self._next = self._clock.callLater(delay, self._fetch)
        return changed

    def _take(self, keys: KeySet) -> bool:
        changed = self._use(keys)
        if changed or self._failing:
            log.info(
                "{issuer}: {count} keys verify its tokens{ignored}",
                issuer=self.issuer,
                count=len(keys.keys),
                ignored="".join(f"; {each}, so it is left out" for each in keys.ignored[:10]),
            )
        self.problem = None
        self.fetched_at = self._clock.seconds()
        self._failing = False
        self._remind_after = REMINDERS[0]
        return changed

    def _failed(self, problem: str) -> None:
        now = self._clock.seconds()
        ended = self.problem is None and 0 < self._outage_tolerance <= now - self.fetched_at
        if ended:
            self._drop()
        if ended or self.problem is not None:
            self.problem = problem
        if self._failing and now < self._remind_at and not ended:
            return
        if self._failing:
            self._remind_after = min(2 * self._remind_after, REMINDERS[1])
        self._failing = True
        self._remind_at = now + self._remind_after
        log.warn(
            "{problem}; {state}, and trying again",
            problem=problem,
            state="no token can be verified" if self.problem else "going on with the keys at hand",
        )
