"""What every client's connection has in common: who decides, and who carries."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from koproxy.identity.decision import Outcome, Verified
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


class ChecksCredential(Protocol):
    """Finds out whether the API server takes the proxy's own credential: None, or why not."""

    def doubt(self) -> Deferred[str | None]: ...


@dataclass(frozen=True, slots=True)
class Way:
    """What every client's connection has in common; ``now`` gives seconds of a steady clock."""

    reactor: IReactorTime
    authentication: Authenticates
    access: Access
    pool: Pool
    own_calls: ChecksCredential
    clients: Clients
    turns: Turns
    upstream_host: bytes
    observers: Observers = Observers()  # noqa: RUF009 - it can't be changed
    now: Callable[[], float] = monotonic
    trusted: TrustedProxies | None = None
