"""Requests told to the audit backends: the proxy's account of each, as its policy wants it.

An event is given to the backends before what it speaks of happens. It decides nothing but that:
where a strict backend can't take the first event of a request, that request may not go on.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from time import monotonic, time
from typing import Any

from twisted.logger import Logger

from koproxy.audit.backend import Backend
from koproxy.audit.events import (
    Event,
    first_event,
    response_status,
    timestamp,
    user_agent,
    user_info,
)
from koproxy.audit.policy import Policy
from koproxy.identity.decision import (
    Forbidden,
    Outcome,
    Unauthenticated,
    Verified,
    decision_name,
)
from koproxy.identity.service_accounts import service_account
from koproxy.identity.user import ANONYMOUS, Identity
from koproxy.kubernetes_request import read_request_info
from koproxy.proxy.account import Account

NOT_AUDITED = "the request can't be audited, and the proxy lets none go on without: try again"

_AUTHENTICATED, _UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
_SERVICE_ACCOUNTS = "system:serviceaccounts"
_SWITCHED = 101
_LONG_VERBS = frozenset({"watch", "proxy"})
_LONG_SUBRESOURCES = frozenset({"attach", "exec", "log", "portforward", "proxy"})

log = Logger()


@dataclass(slots=True)
class _Audited:
    """A request of which there are events."""

    event: Event
    stages: frozenset[str]


class Auditing:
    """An observer that tells the audit backends."""

    def __init__(
        self,
        backends: Sequence[Backend],
        now: Callable[[], float] = time,
        steady: Callable[[], float] = monotonic,
    ) -> None:
        """Take the backends; ``now`` is the time since the epoch, ``steady`` that of accounts."""
        self._backends = backends
        self._now = now
        self._steady = steady
        self._policy = Policy()

    def use(self, policy: Policy) -> str:
        """Go by this policy from now on; gives a clause for the log."""
        self._policy = policy
        if policy.wants_bodies:
            log.warn(
                "the audit policy has levels with bodies, of which koproxy keeps none: their "
                "events are those of level Metadata"
            )
        return f"{len(policy.rules)} rules say what is audited"

    def decided(self, account: Account) -> None:
        """Tell that a request has come, and by whom."""
        request, decision = account.request, account.decision
        if request is None:
            return
        who = _user(decision)
        info = read_request_info(request.method, request.target)
        stages = self._policy.stages(who.username, who.groups, info)
        if not stages:
            return
        event = first_event(
            name=account.id,
            uri=request.target.decode(),
            info=info,
            client=account.peer.decode(),
            agent=user_agent(request.fields.value(b"user-agent")),
            received=self._now() - (self._steady() - account.began),
        )
        event["user"] = user_info(who)
        if account.acting_as is not None:
            event["impersonatedUser"] = user_info(_known(account.acting_as))
        event["annotations"] = _annotations(account)
        account.note(self, _Audited(event, stages))
        if "RequestReceived" in stages and not self._write(event):
            account.refusal = NOT_AUDITED

    def answering(self, account: Account) -> None:
        """Tell that an answer begins which goes on, if it may do so for long."""
        audited: _Audited | None = account.noted(self)
        if audited is None or "ResponseStarted" not in audited.stages:
            return
        if account.status == _SWITCHED or _is_long(audited.event):
            self._write(self._at("ResponseStarted", audited, account))

    def complete(self, account: Account) -> None:
        """Tell how it ended."""
        audited: _Audited | None = account.noted(self)
        if audited is not None and "ResponseComplete" in audited.stages:
            self._write(self._at("ResponseComplete", audited, account))

    def _at(self, stage: str, audited: _Audited, account: Account) -> Event:
        event = copy(audited.event)
        event["stage"] = stage
        event["stageTimestamp"] = timestamp(self._now())
        event["responseStatus"] = response_status(account.status, account.refusal)
        if account.cut:
            event["annotations"] = {**event["annotations"], "koproxy/cut": "true"}
        return event

    def _write(self, event: Event) -> bool:
        written = [backend.write(event) for backend in self._backends]
        return all(written)


def _is_long(event: Event) -> bool:
    """Say whether kube-apiserver, too, tells when an answer to this begins."""
    subresource = event.get("objectRef", {}).get("subresource")
    return event["verb"] in _LONG_VERBS or subresource in _LONG_SUBRESOURCES


def _user(decision: Outcome | None) -> Identity:
    """Say who asks."""
    if isinstance(decision, Verified | Forbidden) and decision.identity is not None:
        return _known(decision.identity)
    return Identity("")


def _known(who: Identity) -> Identity:
    """Give somebody the groups, too, that they have by their name at an API server."""
    groups = who.groups
    account = service_account(who.username)
    if account is not None and not groups:
        groups = (_SERVICE_ACCOUNTS, f"{_SERVICE_ACCOUNTS}:{account[0]}")
    group = _UNAUTHENTICATED if who.username == ANONYMOUS else _AUTHENTICATED
    if {group, _UNAUTHENTICATED}.isdisjoint(groups):
        groups = (*groups, group)
    return Identity(who.username, who.uid, groups, who.extra)


def _annotations(account: Account) -> dict[str, Any]:
    decision = account.decision
    found = {"koproxy/decision": decision_name(account.outcome)}
    if isinstance(decision, Unauthenticated):
        found["koproxy/reason"] = decision.reason
    if isinstance(decision, Verified | Unauthenticated | Forbidden) and decision.issuer:
        found["koproxy/issuer"] = decision.issuer
    return found
