"""Tokens that no issuer of the configuration has made, passed on as they came.

Only with ``--token-passthrough``: a bearer token by which nobody was named is reviewed by the API
server, and what it knows goes on with that token and with nothing of the proxy's, for the API
server to decide about. Tokens that name somebody, but nobody to pass on, are not reviewed.
"""

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from koproxy.identity.bearer import bearer_token
from koproxy.identity.decision import Outcome, Unauthenticated, Unavailable, Verified
from koproxy.identity.user import Identity
from koproxy.sources.answers import Busy
from koproxy.sources.review import NoAnswer
from koproxy.sources.token_reviews import TokenReviews

SECONDS = 10.0

_UNKNOWN = "whether the API server knows the token could not be found out: try again"

log = Logger()


class Passthrough:
    """Decides about tokens by the API server's word."""

    def __init__(self, reviews: TokenReviews, clock: IReactorTime) -> None:
        self._reviews = reviews
        self._clock = clock

    def known(self, authorization: bytes) -> Verified | None:
        """Who sends this ``Authorization`` value, if the API server said so a moment ago."""
        token = bearer_token(authorization)
        reviewed = self._reviews.known(token) if token is not None else None
        if token is None or reviewed is None or reviewed.identity is None:
            return None
        return _passed_on(token, reviewed.identity)

    def decide(self, authorization: bytes, refused: Unauthenticated) -> Outcome | Deferred[Outcome]:
        """Ask about an ``Authorization`` value; ``refused`` is what holds if nobody is known by it.

        The Deferred fails with CancelledError if it is cancelled, and in no other way.
        """
        token = bearer_token(authorization)
        if token is None:
            return refused
        known = self._reviews.known(token)
        if known is not None:
            return refused if known.identity is None else _passed_on(token, known.identity)
        try:
            reviewing = self._reviews.review(token)
        except Busy:
            return Unavailable("too many unknown tokens wait to be reviewed: try again")
        reviewing.addTimeout(SECONDS, self._clock)
        deciding: Deferred[Outcome] = reviewing.addCallback(
            lambda found: refused if found.identity is None else _passed_on(token, found.identity)
        )
        return deciding.addErrback(_without_answer)


def _passed_on(token: bytes, identity: Identity) -> Verified:
    # When the token ends, the API server doesn't say.
    return Verified(b"", identity, float("inf"), credential=b"Bearer " + token)


def _without_answer(failure: Failure) -> Outcome:
    if not failure.check(NoAnswer, TimeoutError):
        failure.raiseException()
    if failure.check(NoAnswer):
        log.warn("a token can't be reviewed: {problem}", problem=failure.getErrorMessage())
    return Unavailable(_UNKNOWN)
