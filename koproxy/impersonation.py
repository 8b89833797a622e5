"""People who ask to be somebody else: the pure rules of `identity` joined to reviews by `sources`.

Only with ``--allow-inbound-impersonation``. What may be asked for is the API server's to say, for
each part by a review of the caller's rights, also where Kubernetes reserves the name:
``--allow-reserved-groups`` is about what tokens name, and nobody gets by a token what they would
have to be allowed to ask for.
"""

from dataclasses import replace

from twisted.internet.defer import Deferred, FirstError, TimeoutError, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from koproxy.identity.added import NOTHING, Added
from koproxy.identity.asked import NotUnderstood, read_asked
from koproxy.identity.decision import Forbidden, Misread, Reviewed, Unavailable, Verified
from koproxy.identity.impersonation import NotCarried, own_headers, reviewed_headers
from koproxy.identity.user import Identity
from koproxy.sources.access_reviews import AccessReviews, Part, other_parts, user_part
from koproxy.sources.answers import Busy
from koproxy.sources.review import NoAnswer

SECONDS = 5.0

log = Logger()


class Impersonation:
    """Decides whether a caller may be whom they ask to be."""

    def __init__(
        self,
        reviews: AccessReviews,
        clock: IReactorTime,
        *,
        seconds: float = SECONDS,
        added: Added = NOTHING,
    ) -> None:
        """Take how many ``seconds`` all questions for one request have together."""
        self._reviews = reviews
        self._clock = clock
        self._seconds = seconds
        self._added = added

    def review(self, caller: Verified, fields: bytes) -> Reviewed | Deferred[Reviewed]:
        """Say as whom a request of this ``caller`` with these header ``fields`` goes on.

        ``fields`` are those of the request, whole lines, with at least one ``Impersonate-*`` among
        them. The outcome holds no longer than the caller's own. Who is passed on with a credential
        of their own is passed on with what they ask for, too: the API server decides about it. The
        Deferred fails with CancelledError if it is cancelled, and in no other way.
        """
        try:
            asked = read_asked(fields)
            if caller.credential is not None:
                headers = own_headers(asked)
            else:
                headers = reviewed_headers(asked, caller.identity, added=self._added)
        except NotUnderstood as problem:
            return Misread(f"the request's impersonation can't be read: {problem}")
        except NotCarried as problem:
            return Forbidden(str(problem))
        outcome = replace(caller, headers=headers, identity=asked)
        if caller.credential is not None:
            return outcome
        reviewing: Deferred[Reviewed] = Deferred.fromCoroutine(
            self._allowed(caller.identity, asked, outcome)
        )
        reviewing.addTimeout(self._seconds, self._clock)
        return reviewing.addErrback(self._without_answer)

    async def _allowed(self, caller: Identity, asked: Identity, outcome: Verified) -> Reviewed:
        # The user alone first: who may be nobody costs one question, however much they ask for.
        for parts in ([user_part(asked)], [*other_parts(asked)]):
            try:
                allowed = await self._may(caller, parts)
            except FirstError as first:
                first.subFailure.raiseException()
            for part, good in zip(parts, allowed, strict=True):
                if not good:
                    return Forbidden(part.refusal(caller.username))
        return outcome

    def _may(self, caller: Identity, parts: list[Part]) -> Deferred[list[bool]]:
        waiting: list[Deferred[bool]] = []
        try:
            waiting.extend(self._reviews.may(caller, part) for part in parts)
        except Busy:
            for each in waiting:
                each.addErrback(lambda _: None)
                each.cancel()
            raise
        return gatherResults(waiting, consumeErrors=True)

    def _without_answer(self, failure: Failure) -> Reviewed:
        problem = failure.value
        if isinstance(problem, Busy):
            return Unavailable("too many ask to impersonate somebody at the same time: try again")
        if isinstance(problem, TimeoutError):
            return Unavailable(
                "whether you may impersonate that could not be found out in time: try again"
            )
        if not isinstance(problem, NoAnswer):
            failure.raiseException()
        log.warn("what somebody may impersonate is not known: {problem}", problem=problem)
        return Unavailable("whether you may impersonate that could not be found out: try again")
