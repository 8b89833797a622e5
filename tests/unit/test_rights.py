"""The proxy asks what it may impersonate, says what is missing once, and asks again in time."""

import json
from collections.abc import Iterator, Sequence

import pytest
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.logger import LogEvent, capturedLogs
from twisted.python.failure import Failure

from koproxy.sources.rights import (
    ACCESS_REVIEWS,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    TOKEN_REVIEWS,
    Rights,
)

Rule = tuple[str, str]


class Authorizer:
    """An API server with RBAC: rules of (group, resource), matched as RBAC matches them."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = set(rules)
        self.status = 201
        self.answer: bytes | None = None
        self.failure: Exception | None = None
        self.asked: list[tuple[str, str]] = []
        self.rounds = 0

    def call(
        self, method: bytes, path: bytes, body: bytes, /, *, stranger: bool
    ) -> Deferred[tuple[int, bytes]]:
        answer: Deferred[tuple[int, bytes]] = Deferred()
        assert (method, stranger) == (b"POST", False)
        assert path == b"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        review = json.loads(body)
        asked = review["spec"]["resourceAttributes"]
        resource = asked["resource"]
        assert asked["verb"] == ("create" if resource.endswith("reviews") else "impersonate")
        if asked["subresource"]:
            resource += "/" + asked["subresource"]
        self.asked.append((asked["group"], resource))
        if resource == "users":
            self.rounds += 1
        if self.failure is not None:
            answer.errback(Failure(self.failure))
            return answer
        allowed = any(
            group == asked["group"] and rule in ("*", resource) for group, rule in self.rules
        )
        review["status"] = {"allowed": allowed}
        answer.callback((self.status, self.answer or json.dumps(review).encode()))
        return answer


CORE = [("", "users"), ("", "groups")]
ALL = [*CORE, ("authentication.k8s.io", "*")]


class Said:
    """What was said in the log."""

    def __init__(self, events: Sequence[LogEvent]) -> None:
        self._events = events

    @property
    def lines(self) -> list[str]:
        return [
            str(event.get("problem", "all is well"))
            for event in self._events
            if event.get("log_namespace") == "koproxy.sources.rights"
        ]


@pytest.fixture
def said() -> Iterator[Said]:
    with capturedLogs() as events:
        yield Said(events)


def test_all_is_allowed(said: Said) -> None:
    clock, authorizer = Clock(), Authorizer(*ALL)
    rights = Rights(authorizer.call, tuple, clock)
    assert rights.problem is not None
    rights.startService()
    assert rights.missing == ()
    assert not rights.problem
    assert said.lines == ["all is well"]
    clock.advance(LONGEST_PAUSE * 2)
    assert authorizer.rounds == 1


def test_what_is_missing_is_named_with_the_rule_to_add(said: Said) -> None:
    rights = Rights(Authorizer(("", "users")).call, tuple, Clock())
    rights.startService()
    assert rights.missing == ("groups", "uids", "extras")
    assert rights.problem is not None
    assert 'apiGroups [""], resources ["groups"], verbs ["impersonate"]' in rights.problem
    assert 'apiGroups ["authentication.k8s.io"], resources ["*"]' in rights.problem
    assert said.lines == [rights.problem]


def test_other_rights_are_asked_about_where_they_are_needed() -> None:
    also = (TOKEN_REVIEWS, *ACCESS_REVIEWS)
    rights = Rights(Authorizer(*ALL).call, tuple, Clock(), also=also)
    rights.startService()
    assert rights.missing == ("serviceaccounts", "subjectaccessreviews")
    assert rights.problem is not None
    assert 'resources ["serviceaccounts"], verbs ["impersonate"]' in rights.problem
    assert "may not create subjectaccessreviews" in rights.problem
    assert "system:auth-delegator" in rights.problem


def test_who_impersonates_nobody_needs_no_right_to() -> None:
    authorizer = Authorizer(("authentication.k8s.io", "tokenreviews"))
    rights = Rights(authorizer.call, tuple, Clock(), impersonates=False, also=(TOKEN_REVIEWS,))
    rights.startService()
    assert rights.missing == ()
    assert rights.problem is None
    assert authorizer.asked == [("authentication.k8s.io", "tokenreviews")]
    authorizer.rules.clear()
    rights.ask()
    assert rights.problem is not None
    assert "impersonate" not in rights.problem


def test_extras_in_general_need_the_star() -> None:
    listed = [("authentication.k8s.io", each) for each in ("uids", "userextras", "userextras/*")]
    rights = Rights(Authorizer(*CORE, *listed).call, tuple, Clock())
    rights.startService()
    assert rights.missing == ("extras",)


def test_extras_by_name_are_asked_in_lower_case() -> None:
    authorizer = Authorizer(
        *CORE,
        ("authentication.k8s.io", "uids"),
        ("authentication.k8s.io", "userextras/example.org/team"),
    )
    rights = Rights(authorizer.call, lambda: ("example.org/Team", "scopes"), Clock())
    rights.startService()
    assert ("authentication.k8s.io", "userextras/example.org/team") in authorizer.asked
    assert rights.missing == ("userextras/scopes",)
    assert rights.problem is not None
    assert 'resources ["userextras/scopes"]' in rights.problem


def test_asked_again_at_growing_intervals_until_all_is_there(said: Said) -> None:
    clock, authorizer = Clock(), Authorizer(*CORE)
    rights = Rights(authorizer.call, tuple, clock)
    rights.startService()
    pauses: list[int] = []
    rounds, waited = 1, 0
    while len(pauses) < 8:
        clock.advance(1)
        waited += 1
        if authorizer.rounds > rounds:
            pauses.append(waited)
            rounds, waited = authorizer.rounds, 0
    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]
    assert len(said.lines) == 1
    authorizer.rules |= set(ALL)
    clock.advance(LONGEST_PAUSE)
    assert not rights.problem
    assert rights.missing == ()
    assert said.lines[1:] == ["all is well"]
    assert not clock.getDelayedCalls()


def test_another_thing_missing_is_said_anew(said: Said) -> None:
    clock, authorizer = Clock(), Authorizer(*CORE)
    Rights(authorizer.call, tuple, clock).startService()
    authorizer.rules = {("", "users")}
    clock.advance(FIRST_PAUSE)
    assert len(said.lines) == 2


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "refuses the proxy's credential"),
        (403, "system:basic-user"),
        (503, "answers 503"),
    ],
)
def test_a_review_that_is_refused(status: int, sentence: str) -> None:
    clock, authorizer = Clock(), Authorizer(*ALL)
    authorizer.status = status
    rights = Rights(authorizer.call, tuple, clock)
    rights.startService()
    assert rights.problem is not None
    assert sentence in rights.problem
    authorizer.status = 201
    clock.advance(FIRST_PAUSE)
    assert not rights.problem


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b'{"status": {"allowed": "yes"}}', b"\xff"])
def test_an_answer_that_is_no_review(answer: bytes) -> None:
    authorizer = Authorizer(*ALL)
    authorizer.answer = answer
    rights = Rights(authorizer.call, tuple, Clock())
    rights.startService()
    assert rights.problem is not None
    assert "no SelfSubjectAccessReview" in rights.problem


def test_an_api_server_that_does_not_answer() -> None:
    authorizer = Authorizer(*ALL)
    authorizer.failure = TimeoutError(10.0, "Deferred")
    rights = Rights(authorizer.call, tuple, Clock())
    rights.startService()
    assert rights.problem is not None
    assert rights.problem.endswith("the API server did not answer in time")


def test_an_api_server_that_is_away() -> None:
    clock, authorizer = Clock(), Authorizer(*ALL)
    authorizer.failure = ConnectionRefusedError()
    rights = Rights(authorizer.call, tuple, clock)
    rights.startService()
    assert rights.problem is not None
    assert "can't be asked" in rights.problem
    authorizer.failure = None
    clock.advance(FIRST_PAUSE)
    assert not rights.problem


def test_another_credential_is_asked_about_at_once() -> None:
    clock, authorizer = Clock(), Authorizer(*CORE)
    rights = Rights(authorizer.call, tuple, clock)
    rights.ask()
    assert authorizer.rounds == 0
    rights.startService()
    clock.advance(FIRST_PAUSE)
    rights.ask()
    assert authorizer.rounds == 3
    clock.advance(FIRST_PAUSE)
    assert authorizer.rounds == 4
    authorizer.rules |= set(ALL)
    rights.ask()
    assert not rights.problem
    assert not clock.getDelayedCalls()


def test_asked_anew_while_it_waits_for_an_answer() -> None:
    clock = Clock()
    waiting: list[Deferred[tuple[int, bytes]]] = []
    cancelled: list[object] = []

    def call(*_: bytes, stranger: bool) -> Deferred[tuple[int, bytes]]:
        waiting.append(Deferred(cancelled.append))
        return waiting[-1]

    rights = Rights(call, tuple, clock)
    rights.startService()
    rights.ask()
    assert cancelled == [waiting[0]]
    assert not clock.getDelayedCalls()
    waiting[1].callback((401, b""))
    assert len(clock.getDelayedCalls()) == 1


def test_stopped_it_asks_no_more() -> None:
    clock, authorizer = Clock(), Authorizer()
    rights = Rights(authorizer.call, tuple, clock)
    rights.startService()
    rights.stopService()
    assert not clock.getDelayedCalls()


def test_stopped_while_it_waits_for_an_answer() -> None:
    clock = Clock()
    cancelled: list[Deferred[tuple[int, bytes]]] = []

    def call(*_: bytes, stranger: bool) -> Deferred[tuple[int, bytes]]:
        return Deferred(cancelled.append)

    rights = Rights(call, tuple, clock)
    rights.startService()
    rights.stopService()
    assert len(cancelled) == 1
    assert not clock.getDelayedCalls()
