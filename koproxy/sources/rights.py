"""What the API server lets the proxy impersonate, asked of the API server itself.

It is information for whoever operates the proxy, and nothing waits for it: a role that names the
users it may impersonate (``resourceNames``) works although a question without a name is answered
with no. Follows "User impersonation" in the Kubernetes documentation.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from koproxy.sources.review import Call, NoAnswer, ask

log = Logger()

FIRST_PAUSE, LONGEST_PAUSE = 10.0, 300.0
"""Seconds until asking again while something is missing; it doubles from one to the other."""

_SOME_KEY = "koproxy.invalid/some-key"
_AUTHENTICATION = "authentication.k8s.io"


@dataclass(frozen=True, slots=True)
class Right:
    """One thing that may be impersonated, as RBAC names it.

    RBAC knows a subresource only by ``RESOURCE/SUBRESOURCE``, ``*/SUBRESOURCE`` or ``*``: a role
    that lists ``userextras`` or ``userextras/*`` allows no extra at all. So "extras in general"
    asks about a key that nobody lists, which only ``*`` allows.

    ``name`` is for people; ``resource`` is what a role must list, with the ``verb``.
    """

    name: str
    group: str
    resource: str
    asked: tuple[str, str]
    verb: str = "impersonate"


TOKEN_REVIEWS = Right(
    "tokenreviews", "authentication.k8s.io", "tokenreviews", ("tokenreviews", ""), "create"
)
"""What ``--token-passthrough`` needs besides."""

ACCESS_REVIEWS = (
    Right("serviceaccounts", "", "serviceaccounts", ("serviceaccounts", "")),
    Right(
        "subjectaccessreviews",
        "authorization.k8s.io",
        "subjectaccessreviews",
        ("subjectaccessreviews", ""),
        "create",
    ),
)
"""What ``--allow-inbound-impersonation`` needs besides."""


class _Status(msgspec.Struct):
    allowed: bool = False


def rights_to_ask(extra_keys: Sequence[str]) -> tuple[Right, ...]:
    """Users, groups, uids, and the extras with these keys; without keys, extras in general.

    The API server knows an extra's key in lower case only.
    """
    names = [f"userextras/{key.lower()}" for key in extra_keys]
    extras = [
        Right(name, _AUTHENTICATION, name, ("userextras", name.partition("/")[2])) for name in names
    ] or [Right("extras", _AUTHENTICATION, "*", ("userextras", _SOME_KEY))]
    return (
        Right("users", "", "users", ("users", "")),
        Right("groups", "", "groups", ("groups", "")),
        Right("uids", _AUTHENTICATION, "uids", ("uids", "")),
        *extras,
    )


class Rights(Service):
    """Asks at start, and at growing intervals while anything is missing or no answer came.

    ``extra_keys`` gives the extras that the configuration can produce. ``missing`` names what the
    ClusterRole lacks; ``problem`` says it in a sentence, or why it isn't known; None when there is
    nothing to say.
    """

    def __init__(
        self,
        call: Call,
        extra_keys: Callable[[], Sequence[str]],
        clock: IReactorTime,
        *,
        impersonates: bool = True,
        also: Sequence[Right] = (),
    ) -> None:
        """Take whether the proxy ``impersonates`` at all, and which rights it needs ``also``."""
        self._impersonates = impersonates
        self._also = tuple(also)
        self._call = call
        self._extra_keys = extra_keys
        self._clock = clock
        self._pause = FIRST_PAUSE
        self._next: IDelayedCall | None = None
        self._asking: Deferred[None] | None = None
        self.missing: tuple[str, ...] = ()
        self.problem: str | None = "what the proxy may impersonate is not known yet"

    def startService(self) -> None:
        """Ask for the first time."""
        super().startService()
        self.ask()

    def stopService(self) -> None:
        """Ask no more."""
        super().stopService()
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if self._asking is not None:
            self._asking.cancel()

    async def once(self) -> str | None:
        """Ask once, whether or not the service runs; give the problem."""
        await self._review()
        return self.problem

    def ask(self) -> None:
        """Ask now, and begin anew with short intervals: the credential is another one."""
        self._pause = FIRST_PAUSE
        if not self.running:
            return
        if self._next is not None:
            self._next.cancel()
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()
        self._ask()

    def _ask(self) -> None:
        self._next = None
        asking = self._asking = ensureDeferred(self._review())
        asking.addErrback(lambda failure: failure.trap(CancelledError))
        asking.addErrback(
            lambda failure: log.failure("asking what the proxy may impersonate", failure)
        )
        asking.addBoth(lambda _: self._asked(asking))

    def _asked(self, asking: Deferred[None]) -> None:
        if self._asking is not asking:
            return
        self._asking = None
        if self.running and self.problem is not None:
            self._next = self._clock.callLater(self._pause, self._ask)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    async def _review(self) -> None:
        try:
            needed = rights_to_ask(self._extra_keys()) if self._impersonates else ()
            rights = (*needed, *self._also)
            missing = [right for right in rights if not await self._allowed(right)]
        except NoAnswer as error:
            self._say(f"what the proxy may impersonate is not known: {error}")
            return
        self.missing = tuple(right.name for right in missing)
        self._say(_sentence(missing) if missing else None)

    def _say(self, problem: str | None) -> None:
        if problem == self.problem:
            return
        self.problem = problem
        if problem is None:
            log.info("The API server lets the proxy impersonate all that it needs")
        else:
            log.warn("{problem}", problem=problem)

    async def _allowed(self, right: Right) -> bool:
        resource, subresource = right.asked
        attributes = {
            "verb": right.verb,
            "group": right.group,
            "resource": resource,
            "subresource": subresource,
        }
        status = await ask(
            self._call,
            "authorization.k8s.io",
            "SelfSubjectAccessReview",
            {"resourceAttributes": attributes},
            _Status,
            remedy="bind the ClusterRole system:basic-user to it, as Kubernetes does for everybody "
            "who is authenticated",
            stranger=False,
        )
        return status.allowed


def _sentence(missing: Sequence[Right]) -> str:
    impersonating = [right for right in missing if right.verb == "impersonate"]
    creating = [right for right in missing if right.verb != "impersonate"]
    parts = [_impersonation_sentence(impersonating)] if impersonating else []
    if creating:
        names = " and ".join(right.name for right in creating)
        parts.append(
            f"the proxy may not create {names}, so that it can't ask about people: bind the "
            "ClusterRole system:auth-delegator to it"
        )
    return "; ".join(parts)


def _impersonation_sentence(missing: Sequence[Right]) -> str:
    rules = []
    for group in ("", _AUTHENTICATION):
        resources = [right.resource for right in missing if right.group == group]
        if "*" in resources:
            resources = ["*"]
        if resources:
            rules.append(
                f"apiGroups {json.dumps([group])}, resources {json.dumps(resources)}, "
                'verbs ["impersonate"]'
            )
    return (
        f"the proxy may not impersonate {', '.join(right.name for right in missing)}: the API "
        "server will forbid the requests of people who have them; add to its ClusterRole a rule "
        f"with {'; and one with '.join(rules)} (a role that works by resourceNames can't be seen "
        "from here)"
    )
