"""From the flags to what decides how requests are passed on, and how often the proxy itself asks.

What is wrong with a flag is said here, before the reactor runs; nothing is asked.
"""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from koproxy.errors import ConfigurationError
from koproxy.identity.added import Added, fixed_fields
from koproxy.identity.impersonation import NotCarried, impersonation_headers
from koproxy.identity.user import Identity
from koproxy.impersonation import Impersonation
from koproxy.passthrough import Passthrough
from koproxy.proxy.bucket import Allowance
from koproxy.settings import Settings
from koproxy.sources.access_reviews import AccessReviews
from koproxy.sources.review import Call
from koproxy.sources.rights import ACCESS_REVIEWS, TOKEN_REVIEWS, Right
from koproxy.sources.token_reviews import TokenReviews

BURST = 10
"""How many calls there may be at once where only ``--kube-client-qps`` is given: client-go's."""


def added_fields(settings: Settings) -> Added:
    """Give what is added to every identity; raises ConfigurationError."""
    added = Added(
        fixed_fields(settings.extra_user_headers),
        settings.extra_user_header_client_ip,
        settings.allow_inbound_impersonation,
    )
    try:
        impersonation_headers(Identity("somebody"), added=added)
    except NotCarried as problem:
        raise ConfigurationError(
            f"--extra-user-headers can't be sent as it is: {problem}: leave that out"
        ) from None
    return added


def make_passthrough(settings: Settings, call: Call, clock: IReactorTime) -> Passthrough | None:
    """Make what ``--token-passthrough`` asks for; None without it."""
    if not settings.token_passthrough:
        return None
    return Passthrough(TokenReviews(call, settings.token_passthrough_audiences, clock), clock)


def check_modes(settings: Settings) -> None:
    """See that all flags about modes can work; raises ConfigurationError."""
    added_fields(settings)
    _review_seconds(settings)
    make_allowance(settings, lambda: 0.0)


def _review_seconds(settings: Settings) -> float:
    seconds = settings.subject_access_review_timeout.total_seconds()
    if seconds <= 0:
        raise ConfigurationError(
            "--subject-access-review-timeout must be more than 0: leave it out for 5s"
        )
    return seconds


def make_impersonation(settings: Settings, call: Call, clock: IReactorTime) -> Impersonation | None:
    """Make what ``--allow-inbound-impersonation`` asks for; None without it.

    Raises ConfigurationError.
    """
    seconds = _review_seconds(settings)
    if not settings.allow_inbound_impersonation:
        return None
    reviews = AccessReviews(call, clock)
    return Impersonation(reviews, clock, seconds=seconds, added=added_fields(settings))


def make_allowance(settings: Settings, now: Callable[[], float]) -> Allowance | None:
    """Make what the proxy's own calls are held to; None where there is no limit.

    ``now`` gives the seconds of a steady clock. Raises ConfigurationError.
    """
    qps, burst = settings.kube_client_qps, settings.kube_client_burst
    for flag, number in (("--kube-client-qps", qps), ("--kube-client-burst", burst)):
        if number < 0:
            raise ConfigurationError(f"{flag} {number} is below 0: leave it out for no limit")
    return Allowance(qps, burst or BURST, now) if qps else None


def other_rights(settings: Settings) -> tuple[Right, ...]:
    """Give what the proxy has to be allowed besides impersonating whom tokens name."""
    return (
        *((TOKEN_REVIEWS,) if settings.token_passthrough else ()),
        *(ACCESS_REVIEWS if settings.allow_inbound_impersonation else ()),
    )
