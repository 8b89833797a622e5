"""From the flags to whoever is told of requests: audit backends, access log, spans, metrics.

It puts them together as one; what each of them says is its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorThreads, IReactorTime

from koproxy.access_log_flags import make_access_log
from koproxy.audit.backend import Backend
from koproxy.audit_flags import make_audit
from koproxy.auditing import Auditing
from koproxy.observe.access_log import AccessLog
from koproxy.observe.correlation import correlate
from koproxy.observe.health import Check
from koproxy.observe.requests import RequestMetrics
from koproxy.proxy.account import Observers
from koproxy.reloaded import Reloaded
from koproxy.settings import Settings
from koproxy.tracing_flags import make_tracing

if TYPE_CHECKING:
    from koproxy.observe.tracing import Tracing


@dataclass(frozen=True, slots=True)
class Observing:
    """``observers`` are told of requests, and the other parts are what those need.

    ``services`` begin before the first request and end after the last, ``kept`` are files that are
    taken up when they change, ``look`` has what changes outside looked at now, and ``checks`` says
    what can't be written to the ``logs``: audit backends and access log.
    """

    observers: Observers
    services: tuple[Service, ...]
    kept: tuple[Reloaded[Any], ...]
    look: Callable[[], None]
    checks: Callable[[], Iterator[Check]]
    logs: tuple[Backend, ...]


def make_observing(
    settings: Settings, clock: IReactorTime, threads: IReactorThreads, requests: RequestMetrics
) -> Observing:
    """Make what the flags say, and have ``requests`` counted; raises ConfigurationError."""
    audit = make_audit(settings, clock, threads)
    access_log = make_access_log(settings, clock, threads)
    tracing = make_tracing(settings, threads)
    logs: list[Backend] = list(audit.backends)
    services: list[Service] = []
    deciding: list[Auditing | Tracing] = []
    told: list[Auditing | AccessLog | Tracing] = []
    if audit.auditing is not None:
        deciding.append(audit.auditing)
        told.append(audit.auditing)
    if access_log is not None:
        told.append(access_log[0])
        logs.append(access_log[1])
    if tracing is not None:
        deciding.append(tracing[0])
        told.append(tracing[0])
        services.append(tracing[1])
    required = audit.backends if settings.readiness_require_audit else ()

    def look() -> None:
        for each in logs:
            each.look()

    def checks() -> Iterator[Check]:
        for each in logs:
            yield Check(str(each.name), each.problem, required=each in required)

    return Observing(
        Observers(
            # What several logs tell of has one name in all of them.
            (correlate, *[each.decided for each in deciding]) if told else (),
            (*[each.answering for each in told], requests.answering),
            (*[each.complete for each in told], requests.complete),
        ),
        (*logs, *services),
        audit.kept,
        look,
        checks,
        tuple(logs),
    )
