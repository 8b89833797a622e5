"""What every client's connection has in common: who decides, and who carries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from koproxy.identity.decision import Outcome, Reviewed, Verified
from koproxy.proxy.account import Observers
from koproxy.proxy.connect import Access
from koproxy.proxy.limits import Clients
from koproxy.proxy.peers import TrustedProxies
from koproxy.proxy.turns import Turns
from koproxy.proxy.upstream import Pool


class Authenticates(Protocol):
    """Decides who sends an ``Authorization`` value."""

    def known(self, authorization: bytes) -> Verified | None:
        """Who it is, if that was found out before and still holds."""

    def decide(self, authorization: bytes) -> Outcome | Deferred[Outcome]:
        """Find it out; at once, unless something must be fetched for it."""

    def anonymous(self, target: bytes) -> Verified | None:
        """Say who sends a request for a target with no ``Authorization``; None if it needs one."""


class Shown(Protocol):
    """What a client has shown on its connection: a certificate."""

    def known(self, now: float) -> Verified | None:
        """Who it is, if that was found out before and still holds at ``now``, since the epoch."""

    def decide(self, now: float) -> Outcome | None:
        """Find it out. None: nobody is named, as without one. Unauthenticated: a token may do."""


class ReviewsImpersonation(Protocol):
    """Decides whether somebody may be whom they ask to be."""

    def review(self, caller: Verified, fields: bytes) -> Reviewed | Deferred[Reviewed]:
        """Say as whom a request with these header fields goes on."""


class ChecksCredential(Protocol):
    """Finds out whether the API server takes the proxy's own credential: None, or why not."""

    def doubt(self) -> Deferred[str | None]: ...


@dataclass(frozen=True, slots=True)
class Carrier:
    """By what a request goes to the API server: connections, and the credential on them."""

    access: Access
    pool: Pool


@dataclass(frozen=True, slots=True)
class Way:
    """What every client's connection has in common; ``now`` gives seconds of a steady clock.

    ``carrier`` has the proxy's own credential, and ``bare`` has none: on it goes what is passed on
    as the client's own. ``show`` makes something of a client's certificates, if they are asked for;
    without ``impersonation`` nobody may ask to be somebody else. ``client_ip_line`` writes a
    client's address as a part of its identity, if it is to be one.
    """

    reactor: IReactorTime
    authentication: Authenticates
    carrier: Carrier
    bare: Carrier
    own_calls: ChecksCredential
    clients: Clients
    turns: Turns
    upstream_host: bytes
    observers: Observers = Observers()  # noqa: RUF009 - it can't be changed
    now: Callable[[], float] = monotonic
    trusted: TrustedProxies | None = None
    show: Callable[[Sequence[bytes]], Shown] | None = None
    impersonation: ReviewsImpersonation | None = None
    client_ip_line: Callable[[bytes], bytes] | None = None
