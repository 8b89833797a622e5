"""Puts the parts together: one service, the same for ``koproxy serve`` and ``twistd koproxy``.

What can be known to be wrong before the reactor runs is said by :func:`make_service`; nothing is
decided here about requests.
"""

import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IReactorCore,
    IReactorFDSet,
    IReactorSocket,
    IReactorThreads,
    IReactorTime,
)
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from koproxy.access_log_flags import make_access_log
from koproxy.audit_flags import make_audit
from koproxy.auditing import Auditing
from koproxy.identity.certificate import Shown
from koproxy.identity.impersonation import client_ip_line
from koproxy.issuers import make_authentication
from koproxy.kubeconfig import find_access
from koproxy.lifeline import Supervised
from koproxy.limits import allow_descriptors, limits_of
from koproxy.listening import (
    HEALTH,
    HTTPS,
    SUPERVISOR,
    bind_health,
    bind_https,
    check_addresses,
    where,
)
from koproxy.modes import make_bucket, make_impersonation, make_passthrough, other_rights
from koproxy.notify import notify
from koproxy.observe.access_log import AccessLog
from koproxy.observe.board import Board
from koproxy.observe.correlation import correlate
from koproxy.observe.health import Check, health_site
from koproxy.observe.metrics import Metrics, MetricsPage
from koproxy.observe.requests import RequestMetrics
from koproxy.observe.state import StateMetrics
from koproxy.peers import trusted_proxies_of
from koproxy.proxy.account import Observers
from koproxy.proxy.connect import Connector
from koproxy.proxy.frontend import Frontend
from koproxy.proxy.introduction import Introductions
from koproxy.proxy.leaving import Leaving
from koproxy.proxy.limits import Clients
from koproxy.proxy.listener import Listener
from koproxy.proxy.own_calls import OwnCalls
from koproxy.proxy.sockets import Sockets
from koproxy.proxy.turns import Turns
from koproxy.proxy.upstream import Pool
from koproxy.proxy.way import Carrier, Way
from koproxy.serving.flags import extra_keys, make_serving
from koproxy.settings import Settings
from koproxy.sources.credential import Upstream
from koproxy.sources.rights import Rights
from koproxy.sources.without_credential import WithoutCredential
from koproxy.tracing_flags import make_tracing
from koproxy.workers import check_workers

if TYPE_CHECKING:
    from koproxy.observe.tracing import Tracing

CHECK_SECONDS = 1.0
SWEEP_SECONDS = 15.0
RECHECK_SECONDS = 10.0

_HTTPS = "serving https"

log = Logger()


class Reactor(IReactorTime, IReactorFDSet, IReactorSocket, IReactorCore, IReactorThreads):
    """What the daemon needs of a reactor."""


Serve = Callable[[socket.socket], Callable[[], object]]
"""Begins to serve on a listening socket; gives what ends that."""


class _Listening(Service):
    """Serves on a socket that is bound already, so that a port in use is said at once."""

    def __init__(
        self, name: str, listening: socket.socket, serve: Serve, *, announced: bool
    ) -> None:
        """Take what to serve where; ``announced``: somebody else says where that is."""
        self.setName(name)
        self._announced = announced
        self._socket = listening
        self._serve = serve

    def startService(self) -> None:
        """Accept connections from now on."""
        super().startService()
        if not self._announced:
            log.info("{name} on {where}", name=self.name, where=where(self._socket))
        self._end = self._serve(self._socket)

    def stopService(self) -> object:
        """Accept no more."""
        if not self.running:
            return None
        super().stopService()
        return self._end()


class _Daemon(MultiService):
    """All parts; they end when the clients have been let go, or at a second signal."""

    def __init__(self, reactor: Reactor, leaving: Leaving, tell: Callable[[str], object]) -> None:
        """Take how clients are let go, and who is told that it serves, and that it ends."""
        super().__init__()
        self._reactor = reactor
        self._leaving = leaving
        self._tell = tell

    def startService(self) -> None:
        """Begin all parts."""
        super().startService()
        self._tell("READY=1")

    def stopService(self) -> Deferred[object]:
        """Let the clients go, then end the parts."""
        self._tell("STOPPING=1")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._reactor.callFromThread(self._leaving.hurry))
        gone: Deferred[object] = Deferred.fromCoroutine(self._leaving.leave(self._stop_listening))
        gone.addErrback(lambda failure: log.failure("letting clients go failed", failure))
        return gone.addCallback(lambda _: MultiService.stopService(self))

    def _stop_listening(self) -> None:
        self.getServiceNamed(_HTTPS).stopService()


class _Hangup(Service):
    """SIGHUP has all files looked at at once, as daemons have it."""

    def __init__(self, reactor: IReactorThreads, look: Callable[[], None]) -> None:
        """Take what looks at them."""
        self._reactor = reactor
        self._look = look

    def startService(self) -> None:
        """Listen to the signal; this has to be the main thread."""
        super().startService()
        self._before = signal.signal(
            signal.SIGHUP, lambda *_: self._reactor.callFromThread(self._heard)
        )

    def stopService(self) -> None:
        """Leave it to whose it was before."""
        super().stopService()
        signal.signal(signal.SIGHUP, self._before)

    def _heard(self) -> None:
        log.info("SIGHUP: all files are looked at")
        self._look()


class _Upkeep(Service):
    """What has to be done now and then for the pool and the proxy's credential."""

    def __init__(
        self, reactor: IReactorTime, pools: tuple[Pool, ...], own_calls: OwnCalls, clients: Clients
    ) -> None:
        self._pools = pools
        self._own_calls = own_calls
        self._check = LoopingCall(clients.sweep)
        self._sweep = LoopingCall(self._sweep_pools)
        self._recheck = LoopingCall(self._look_again)
        self._check.clock = self._sweep.clock = self._recheck.clock = reactor

    def startService(self) -> None:
        """Begin."""
        super().startService()
        self._check.start(CHECK_SECONDS, now=False)
        self._sweep.start(SWEEP_SECONDS, now=False)
        self._recheck.start(RECHECK_SECONDS, now=False)

    def stopService(self) -> None:
        """End, and close what is idle."""
        super().stopService()
        self._check.stop()
        self._sweep.stop()
        self._recheck.stop()
        for pool in self._pools:
            pool.close()

    def _sweep_pools(self) -> None:
        for pool in self._pools:
            pool.sweep()

    def _look_again(self) -> None:
        if self._own_calls.problem is not None:
            self._own_calls.doubt()


def _observers(
    requests: RequestMetrics,
    auditing: Auditing | None,
    access_log: AccessLog | None,
    tracing: "Tracing | None",
) -> Observers:
    """Who is told of requests; logs have a name for each that they have in common."""
    decided = [each.decided for each in (auditing, tracing) if each is not None]
    told = [each for each in (auditing, access_log, tracing) if each is not None]
    return Observers(
        (correlate, *decided) if told else (),
        (*[each.answering for each in told], requests.answering),
        (*[each.complete for each in told], requests.complete),
    )


def make_service(
    reactor: Reactor,
    settings: Settings,
    handed: Mapping[str, socket.socket],
    board: Board | None = None,
) -> MultiService:
    """The whole daemon as a service, its sockets bound or, by their names, those of ``handed``.

    ``board`` is where one of several workers finds the numbers of the others.

    Raises:
        ConfigurationError: the settings, or a file that they name, can't work.
        OSError: a port can't be had.
    """
    check_addresses(settings)
    check_workers(settings)
    limits = limits_of(settings)
    trusted = trusted_proxies_of(settings)
    allow_descriptors(limits)
    find = partial(find_access, settings.kubeconfig, settings.context)
    authentication, kept = make_authentication(settings, reactor)
    serving = make_serving(settings)
    kept += serving.reloaded(reactor)
    upstream = Upstream(find, reactor)
    sockets = Sockets(reactor)
    pool = Pool(reactor, upstream, Connector(reactor, sockets))
    host = upstream.host_header
    bare = WithoutCredential(upstream)
    bare_pool = Pool(reactor, bare, Connector(reactor, sockets))
    bucket = make_bucket(settings, reactor.seconds)
    own_calls = OwnCalls(reactor, upstream, pool, host, upstream.renew, bucket)
    passthrough = make_passthrough(settings, own_calls.call, reactor)
    if passthrough is not None:
        authentication.pass_through(passthrough)
    upstream.on_change(pool.sweep)
    upstream.on_change(bare_pool.sweep)
    rights = Rights(
        own_calls.call,
        lambda: (*authentication.extra_keys, *extra_keys(settings)),
        reactor,
        impersonates=not settings.disable_impersonation,
        also=other_rights(settings),
    )
    upstream.on_change(rights.ask)
    authentication.on_change(rights.ask)
    clients = Clients(reactor, limits)
    introductions = None
    if trusted is not None and settings.proxy_protocol:
        introductions = Introductions(reactor, sockets, clients, trusted)
    requests = RequestMetrics()
    audit = make_audit(settings, reactor, reactor)
    access_log = make_access_log(settings, reactor, reactor)
    tracing = make_tracing(settings, reactor)
    logs = (*audit.backends, access_log[1]) if access_log else audit.backends
    if audit.policy is not None:
        kept += (audit.policy,)
    shown = None if serving.certificates is None else partial(Shown, serving.certificates)
    way = Way(
        reactor,
        authentication,
        Carrier(upstream, pool),
        Carrier(bare, bare_pool),
        own_calls,
        clients,
        Turns(reactor),
        host,
        _observers(
            requests,
            audit.auditing,
            access_log[0] if access_log else None,
            tracing[0] if tracing else None,
        ),
        trusted=trusted,
        show=shown,
        impersonation=make_impersonation(settings, own_calls.call, reactor),
        client_ip_line=client_ip_line if settings.extra_user_header_client_ip else None,
    )
    state = StateMetrics(authentication, clients, pool, kept)
    metrics = Metrics((requests, state), reactor, board)

    leaving = Leaving(
        reactor,
        clients,
        settings.shutdown_delay_duration.total_seconds(),
        settings.shutdown_stream_grace_period.total_seconds(),
    )

    def checks() -> Iterator[Check]:
        yield Check("shutdown", leaving.problem)
        yield Check("issuer", authentication.problem)
        for url, problem in authentication.problems.items():
            yield Check(f"issuer {url}", problem, required=False)
        yield Check("credential", upstream.problem or own_calls.problem)
        stale = [*upstream.stale, *(each.problem for each in kept if each.problem is not None)]
        yield Check("rotation", "; ".join(stale) or None, required=False)
        for backend in logs:
            needed = settings.readiness_require_audit and backend in audit.backends
            yield Check(str(backend.name), backend.problem, required=needed)
        yield Check("rights", rights.problem, required=False)

    supervisor = handed.get(SUPERVISOR)
    # One of several workers isn't the process that systemd has started.
    service = _Daemon(reactor, leaving, notify if supervisor is None else lambda _: None)

    def look() -> None:
        for each in kept:
            each.look()
        upstream.look()
        for backend in logs:
            backend.look()

    upkeep = _Upkeep(reactor, (pool, bare_pool), own_calls, clients)
    hangup = _Hangup(reactor, look)
    exporting = (tracing[1],) if tracing else ()
    parts = (*logs, *exporting, authentication, *kept, upstream, upkeep, rights, metrics, hangup)
    for part in parts:
        service.addService(part)

    def serve_probes(listening: socket.socket) -> Callable[[], object]:
        listening.setblocking(False)
        site: ServerFactory[Any] = health_site(checks, MetricsPage(metrics))
        port = reactor.adoptStreamPort(listening.fileno(), listening.family, site)
        listening.close()
        return port.stopListening

    def serve_clients(listening: socket.socket) -> Callable[[], object]:
        return Listener(
            reactor,
            sockets,
            listening,
            serving.contexts.choose,
            clients,
            partial(Frontend, way),
            introductions,
        ).close

    for name, listening, serve in (
        ("health", handed.get(HEALTH) or bind_health(settings), serve_probes),
        (_HTTPS, handed.get(HTTPS) or bind_https(settings), serve_clients),
    ):
        announced = supervisor is not None
        service.addService(_Listening(name, listening, serve, announced=announced))
    if supervisor is not None:
        # After all others: it says that this worker serves.
        service.addService(Supervised(reactor, supervisor, reactor.stop))
    return service
