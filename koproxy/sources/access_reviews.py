"""Whether somebody may impersonate what they ask for: the API server is asked, part by part.

The questions are those that kube-apiserver asks its own authorizers ("User impersonation" in the
Kubernetes documentation), with the verb ``impersonate``: users or serviceaccounts, groups, uids and
userextras.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from koproxy.identity.impersonation import shown
from koproxy.identity.service_accounts import service_account
from koproxy.identity.user import ANONYMOUS, Identity
from koproxy.sources.answers import MOST_WAITING, Answers, Busy
from koproxy.sources.review import Call, ask

ALLOWED_SECONDS, DENIED_SECONDS = 10.0, 2.0
MOST_OF_ONE = MOST_WAITING // 4  # questions about one caller that may be open at a time

T = TypeVar("T")

_API = "authorization.k8s.io"
_AUTHENTICATION = "authentication.k8s.io"
# An API server puts whoever it knows, or doesn't, into one of these groups.
_EVERYBODY, _NOBODY = "system:authenticated", "system:unauthenticated"
_REMEDY = "bind the ClusterRole system:auth-delegator to it"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an identity that somebody asks for, in RBAC's words."""

    group: str
    resource: str
    name: str
    namespace: str = ""
    subresource: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """As a review has it."""
        return {
            "verb": "impersonate",
            "version": "v1",
            "group": self.group,
            "resource": self.resource,
            "subresource": self.subresource,
            "namespace": self.namespace,
            "name": self.name,
        }

    def refusal(self, caller: str) -> str:
        """Say that this ``caller`` may not, as kube-apiserver does."""
        qualified = ".".join(filter(None, (self.resource, self.group)))
        resource = "/".join(filter(None, (self.resource, self.subresource)))
        where = (
            f"in the namespace {shown(self.namespace)}"
            if self.namespace
            else "at the cluster scope"
        )
        return (
            f"{qualified} {shown(self.name)} is forbidden: User {shown(caller)} cannot impersonate "
            f'resource {shown(resource)} in API group "{self.group}" {where}'
        )


def user_part(asked: Identity) -> Part:
    """Give the part that comes first: a service account is known by its user name."""
    account = service_account(asked.username)
    if account is None:
        return Part("", "users", asked.username)
    namespace, name = account
    return Part("", "serviceaccounts", name, namespace)


def other_parts(asked: Identity) -> Iterator[Part]:
    """Give the uid, the groups and the values of extra fields, each once."""
    if asked.uid:
        yield Part(_AUTHENTICATION, "uids", asked.uid)
    for group in dict.fromkeys(asked.groups):
        yield Part("", "groups", group)
    for key, values in asked.extra:
        for value in dict.fromkeys(values):
            yield Part(_AUTHENTICATION, "userextras", value, subresource=key)


class _Status(msgspec.Struct):
    allowed: bool = False
    denied: bool = False


class AccessReviews:
    """Asks the API server what callers may impersonate, each question once for all who wait."""

    def __init__(self, call: Call, clock: IReactorTime) -> None:
        self._call = call
        self._open: Counter[str] = Counter()  # questions under way, by their caller
        self._answers: Answers[bool] = Answers(
            bool, good_seconds=ALLOWED_SECONDS, bad_seconds=DENIED_SECONDS, now=clock.seconds
        )

    def may(self, caller: Identity, part: Part) -> Deferred[bool]:
        """Ask whether ``caller``, as the API server would know them, may impersonate this.

        The Deferred fails with NoAnswer, or with CancelledError if it is cancelled. Raises Busy,
        also where there are too many questions about this caller already: nobody takes the places
        of all.
        """
        every = _NOBODY if caller.username == ANONYMOUS else _EVERYBODY
        groups = caller.groups if every in caller.groups else (*caller.groups, every)
        spec: dict[str, Any] = {
            "user": caller.username,
            "groups": groups,
            "uid": caller.uid,
            "extra": dict(caller.extra),
            "resourceAttributes": part.attributes,
        }
        question = json.dumps(spec).encode()
        if self._open[caller.username] >= MOST_OF_ONE and self._answers.known(question) is None:
            raise Busy
        answer = self._answers.get(question, partial(self._ask, spec))
        if not answer.called:
            self._open[caller.username] += 1
            answer.addBoth(self._answered, caller.username)
        return answer

    def _answered(self, outcome: T, caller: str) -> T:
        self._open[caller] -= 1
        if not self._open[caller]:
            del self._open[caller]
        return outcome

    async def _ask(self, spec: dict[str, Any], stranger: bool) -> bool:
        status = await ask(
            self._call,
            _API,
            "SubjectAccessReview",
            spec,
            _Status,
            remedy=_REMEDY,
            stranger=stranger,
        )
        return status.allowed and not status.denied
