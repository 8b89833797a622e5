"""Who sends a request, where that isn't known already; and what is said to whom it isn't carried.

It only joins those who decide: a certificate comes before a token, and nobody is asked for what
another one has settled.
"""

from twisted.internet.defer import Deferred

from koproxy.identity.decision import (
    Forbidden,
    Misread,
    Outcome,
    Reviewed,
    Unauthenticated,
    Unavailable,
    Verified,
)
from koproxy.proxy.way import Shown, Way
from koproxy.wire.request import Request

IMPERSONATION_REFUSED = "Impersonation requests are disabled when using kube-oidc-proxy"

Refusal = Unauthenticated | Forbidden | Misread | Unavailable


def decide(way: Way, shown: Shown | None, request: Request) -> Outcome | Deferred[Outcome]:
    """Find out who sends it; ``shown`` is the certificate of its connection, if there is one."""
    authentication, authorization = way.authentication, request.fields.authorization
    if shown is not None:
        outcome = shown.decide(way.reactor.seconds())
        # As at kube-apiserver, a token may do where a certificate doesn't.
        if outcome is not None and not (isinstance(outcome, Unauthenticated) and authorization):
            return outcome
    nobody = None if authorization else authentication.anonymous(request.target)
    return nobody or authentication.decide(authorization)


def review(way: Way, caller: Verified, request: Request) -> Reviewed | Deferred[Reviewed]:
    """Find out as whom a request goes on that asks to be somebody else's."""
    if way.impersonation is None:
        return Forbidden(IMPERSONATION_REFUSED)
    return way.impersonation.review(caller, request.fields.ending)


def refusal(outcome: Refusal) -> tuple[int, str]:
    """Give the status and the sentence for whoever isn't carried."""
    match outcome:
        case Unauthenticated(reason=reason):
            return 401, f"Unauthorized: {reason}"
        case Forbidden(message=message):
            return 403, message
        case Misread(message=message):
            return 400, message
        case Unavailable(message=message):
            return 503, message
