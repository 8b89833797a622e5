"""Whose token it is that no issuer of the configuration has made: the API server is asked.

A TokenReview says whether it knows the token, and whom it names. A good answer is kept for as long
as Kubernetes' own servers keep one, so a token that was revoked may still pass here for so long;
the API server decides about each request all the same.
https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from koproxy.identity.user import Identity
from koproxy.sources.answers import Answers
from koproxy.sources.review import Call, ask

GOOD_SECONDS, BAD_SECONDS = 10.0, 2.0

_API = "authentication.k8s.io"
_REMEDY = "bind the ClusterRole system:auth-delegator to it"
_TOKEN = re.compile(rb"[!-~]+")


class _User(msgspec.Struct):
    username: str = ""
    uid: str = ""
    groups: list[str] | None = None
    extra: dict[str, list[str] | None] | None = None


class _Status(msgspec.Struct):
    authenticated: bool = False
    user: _User = msgspec.field(default_factory=_User)
    audiences: list[str] | None = None
    error: str = ""


class Reviewed(msgspec.Struct, frozen=True):
    """What the API server says of a token: whose it is, or that it knows nobody by it."""

    identity: Identity | None


class TokenReviews:
    """Asks the API server about tokens, each once for all who send it at the same time."""

    def __init__(self, call: Call, audiences: Sequence[str], clock: IReactorTime) -> None:
        """Take the audiences of which a token must be for one; without any, the API server's."""
        self._call = call
        self._audiences = tuple(audiences)
        self._answers: Answers[Reviewed] = Answers(
            lambda reviewed: reviewed.identity is not None,
            good_seconds=GOOD_SECONDS,
            bad_seconds=BAD_SECONDS,
            now=clock.seconds,
        )

    def known(self, token: bytes) -> Reviewed | None:
        """Give what was said of a token a moment ago."""
        return self._answers.known(token)

    def review(self, token: bytes) -> Deferred[Reviewed]:
        """Ask whose token it is.

        The Deferred fails with NoAnswer, or with CancelledError if it is cancelled. Raises Busy.
        """
        return self._answers.get(token, partial(self._ask, token))

    async def _ask(self, token: bytes, stranger: bool) -> Reviewed:
        if _TOKEN.fullmatch(token) is None:  # nobody has ever made such a token
            return Reviewed(None)
        spec: dict[str, Any] = {"token": token.decode()}
        if self._audiences:
            spec["audiences"] = self._audiences
        status = await ask(
            self._call, _API, "TokenReview", spec, _Status, remedy=_REMEDY, stranger=stranger
        )
        if not status.authenticated or status.error or not status.user.username:
            return Reviewed(None)
        if self._audiences and set(self._audiences).isdisjoint(status.audiences or ()):
            # The API server may not know about audiences: then it says none.
            return Reviewed(None)
        user = status.user
        extra = tuple((key, tuple(values or ())) for key, values in (user.extra or {}).items())
        return Reviewed(Identity(user.username, user.uid, tuple(user.groups or ()), extra))
