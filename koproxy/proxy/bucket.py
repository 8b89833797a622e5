"""How often the proxy calls the API server for itself: so many at once, and then so many a second.

A token bucket, as client-go has one for its ``QPS`` and ``Burst``; who waits has a place in the
line, and whom it would have wait too long is told so at once and takes none.
"""

from collections.abc import Callable


class TokenBucket:
    """Holds ``burst`` tokens at most and gets ``qps`` a second; ``now`` gives a steady clock's."""

    def __init__(self, qps: float, burst: int, now: Callable[[], float]) -> None:
        """Begin with a full one; both numbers are above zero."""
        self._interval = 1 / qps
        self._fills_in = burst / qps
        self._now = now
        self._empty_until = now() - self._fills_in

    def wait(self, longest: float) -> float | None:
        """Take a token, and give how many seconds it takes until there is one.

        None, and no token is taken, if that would be ``longest`` or more.
        """
        now = self._now()
        until = max(self._empty_until, now - self._fills_in) + self._interval
        wait = max(0.0, until - now)
        if wait >= longest:
            return None
        self._empty_until = until
        return wait


class Allowance:
    """What the proxy's own calls are held to together, and half of it for what strangers ask.

    A stranger's question is one that anybody may bring up, as by a token that nobody has made: such
    questions leave the other half to those whose answer was good before.
    """

    def __init__(self, qps: float, burst: int, now: Callable[[], float]) -> None:
        """Begin with all of it; as :class:`TokenBucket`."""
        self._of_all = TokenBucket(qps, burst, now)
        self._of_strangers = TokenBucket(qps / 2, max(burst // 2, 1), now)

    def buckets(self, *, stranger: bool) -> tuple[TokenBucket, ...]:
        """Give those in which a call waits, one after the other."""
        return (self._of_strangers, self._of_all) if stranger else (self._of_all,)
