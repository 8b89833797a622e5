"""Puts the parts together: one service, the same for ``koproxy serve`` and ``twistd koproxy``.

What can be known to be wrong before the reactor runs is said by :func:`make_service`; nothing is
decided here about requests.
"""

import socket
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.interfaces import (
    IReactorCore,
    IReactorFDSet,
    IReactorSocket,
    IReactorThreads,
    IReactorTime,
)
from twisted.internet.protocol import ServerFactory

from koproxy.identity.certificate import Shown
from koproxy.identity.impersonation import client_ip_line
from koproxy.issuers import make_authentication
from koproxy.kubeconfig import find_access
from koproxy.lifecycle import HTTPS_SERVICE, Daemon, Hangup, Listening, Upkeep
from koproxy.lifeline import Supervised
from koproxy.limits import allow_descriptors, limits_of
from koproxy.listening import (
    HEALTH,
    HTTPS,
    SUPERVISOR,
    bind_health,
    bind_https,
    check_addresses,
)
from koproxy.modes import make_allowance, make_impersonation, make_passthrough, other_rights
from koproxy.notify import notify
from koproxy.observe.board import Board
from koproxy.observe.health import Check, health_site
from koproxy.observe.metrics import Metrics, MetricsPage
from koproxy.observe.requests import RequestMetrics
from koproxy.observe.state import StateMetrics
from koproxy.observe.upkeep import UpkeepMetrics
from koproxy.observing import make_observing
from koproxy.peers import trusted_proxies_of
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
from koproxy.workers import check_workers


class Reactor(IReactorTime, IReactorFDSet, IReactorSocket, IReactorCore, IReactorThreads):
    """What the daemon needs of a reactor."""


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
    allowance = make_allowance(settings, reactor.seconds)
    own_calls = OwnCalls(reactor, upstream, pool, host, upstream.renew, allowance)
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
    observing = make_observing(settings, reactor, reactor, requests)
    kept += observing.kept
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
        observing.observers,
        trusted=trusted,
        show=shown,
        impersonation=make_impersonation(settings, own_calls.call, reactor),
        client_ip_line=client_ip_line if settings.extra_user_header_client_ip else None,
    )

    def expiries() -> dict[str, float]:
        own = upstream.certificate_expires
        return {**serving.expiries, **({} if own is None else {"--kubeconfig": own})}

    state = StateMetrics(authentication, clients, (pool, bare_pool), own_calls.made)
    upkept = UpkeepMetrics(kept, expiries, observing.logs)
    metrics = Metrics((requests, state, upkept), reactor, board)

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
        yield from observing.checks()
        yield Check("rights", rights.problem, required=False)

    supervisor = handed.get(SUPERVISOR)
    # One of several workers isn't the process that systemd has started.
    service = Daemon(reactor, leaving, notify if supervisor is None else lambda _: None)

    def look() -> None:
        for each in kept:
            each.look()
        upstream.look()
        observing.look()

    upkeep = Upkeep(reactor, (pool, bare_pool), own_calls, clients)
    hangup = Hangup(reactor, look)
    others = (*kept, upstream, upkeep, rights, metrics, hangup)
    for part in (*observing.services, authentication, *others):
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
        (HTTPS_SERVICE, handed.get(HTTPS) or bind_https(settings), serve_clients),
    ):
        announced = supervisor is not None
        service.addService(Listening(name, listening, serve, announced=announced))
    if supervisor is not None:
        # After all others: it says that this worker serves.
        service.addService(Supervised(reactor, supervisor, reactor.stop))
    return service
