"""Requests as audit events: who, what, from where, what was decided, and when it is told."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.memory import JANE, Stack, answer, request

from koproxy.audit.policy import Policy, Rule
from koproxy.auditing import NOT_AUDITED, Auditing
from koproxy.identity.decision import Forbidden, Verified
from koproxy.identity.user import Identity
from koproxy.observe.correlation import correlate
from koproxy.proxy.account import Account, Observers
from koproxy.wire.request import parse_request

ALL = Policy(rules=(Rule(level="Metadata"),))
LOG = b"GET /api/v1/namespaces/demo/pods/web/log?follow=1 HTTP/1.1"
SWITCH = b"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"


class Kept:
    """A backend that keeps each event as it was, and what had gone upstream and back by then."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.by_then: list[tuple[bytes, bytes]] = []
        self.works = True
        self.stack: Stack

    def write(self, event: Mapping[str, Any]) -> bool:
        self.events.append(copy.deepcopy(dict(event)))
        upstream = self.stack.upstreams[-1].sent if self.stack.upstreams else b""
        self.by_then.append((upstream, self.stack.client.sent))
        return self.works


class Audited:
    """A stack whose requests are audited."""

    def __init__(self, policy: Policy = ALL) -> None:
        self.log = Kept()
        auditing = Auditing([self.log], lambda: 10**9 + self.stack.clock.seconds(), self._steady)  # type: ignore[list-item]
        self.auditing = auditing
        auditing.use(policy)
        self.stack = self.log.stack = Stack(
            observers=Observers(
                (correlate, auditing.decided), (auditing.answering,), (auditing.complete,)
            )
        )

    def _steady(self) -> float:
        return self.stack.clock.seconds() + 1

    @property
    def stages(self) -> list[str]:
        return [event["stage"] for event in self.log.events]


@pytest.fixture
def audited() -> Audited:
    return Audited()


def test_what_is_said_of_a_request(audited: Audited) -> None:
    stack = audited.stack
    who = Identity("jane", "7", ("dev",), (("team", ("x",)),))
    outcome = Verified(JANE.headers, who, float("inf"), issuer="https://a.example")
    stack.authentication.outcomes[b"Bearer jane"] = outcome
    stack.client.receive(request(b"User-Agent: kubectl\r\nAudit-ID: abc\r\n", LOG))
    stack.clock.advance(2)
    stack.upstream.receive(answer())
    begin = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": "abc",
        "stage": "RequestReceived",
        "requestURI": "/api/v1/namespaces/demo/pods/web/log?follow=1",
        "verb": "get",
        "user": {
            "username": "jane",
            "uid": "7",
            "groups": ["dev", "system:authenticated"],
            "extra": {"team": ["x"]},
        },
        "sourceIPs": ["192.0.2.7"],
        "userAgent": "kubectl",
        "objectRef": {
            "resource": "pods",
            "subresource": "log",
            "namespace": "demo",
            "name": "web",
            "apiVersion": "v1",
        },
        "requestReceivedTimestamp": "2001-09-09T01:46:40.000000Z",
        "stageTimestamp": "2001-09-09T01:46:40.000000Z",
        "annotations": {"koproxy/decision": "authenticated", "koproxy/issuer": "https://a.example"},
    }
    end = {
        **begin,
        "stage": "ResponseComplete",
        "stageTimestamp": "2001-09-09T01:46:42.000000Z",
        "responseStatus": {"metadata": {}, "code": 200},
    }
    assert audited.log.events == [begin, end]


def test_each_is_told_before_it_happens(audited: Audited) -> None:
    audited.stack.client.receive(request())
    audited.stack.upstream.receive(answer(b"all of it"))
    (before, _), (_, returned) = audited.log.by_then
    assert before == b""
    assert b"all of it" not in returned
    assert b"all of it" in audited.stack.client.sent


@pytest.mark.parametrize(
    ("token", "code", "decision"),
    [
        (b"nobody", 401, "unauthenticated"),
        (b"odd", 403, "forbidden"),
        (b"early", 503, "unavailable"),
    ],
)
def test_refusals_are_told_before_they_are_answered(
    audited: Audited, token: bytes, code: int, decision: str
) -> None:
    audited.stack.client.receive(request(token=token))
    assert audited.stages == ["RequestReceived", "ResponseComplete"]
    assert audited.log.by_then == [(b"", b"")] * 2
    last = audited.log.events[-1]
    assert last["user"] == {"username": ""}
    assert last["responseStatus"]["code"] == code
    assert last["responseStatus"]["status"] == "Failure"
    assert last["responseStatus"]["message"]
    assert last["annotations"]["koproxy/decision"] == decision
    assert ("koproxy/reason" in last["annotations"]) == (code == 401)
    assert audited.stack.client.sent.startswith(b"HTTP/1.1 %d " % code)


def test_who_may_not_be_somebody_else_is_told_of_as_refused(audited: Audited) -> None:
    audited.stack.client.receive(request(b"Impersonate-User: admin\r\n"))
    for event in audited.log.events:
        assert event["user"]["username"] == JANE.identity.username
        assert event["annotations"]["koproxy/decision"] == "forbidden"
        assert "impersonatedUser" not in event
    assert audited.stages == ["RequestReceived", "ResponseComplete"]


def test_whom_a_token_names_is_told_though_nobody_may_be_that(audited: Audited) -> None:
    account = Account(parse_request(request()), b"192.0.2.1", 0.0)
    masters = Identity("mallory", groups=("system:masters",))
    account.decision = Forbidden("the group is reserved", masters, "https://a.example")
    audited.auditing.decided(account)
    (event,) = audited.log.events
    assert event["user"]["username"] == "mallory"
    assert "system:masters" in event["user"]["groups"]
    assert event["annotations"] == {
        "koproxy/decision": "forbidden",
        "koproxy/issuer": "https://a.example",
    }


def test_nobody_is_anonymous(audited: Audited) -> None:
    audited.stack.client.receive(b"GET /livez HTTP/1.1\r\nHost: k\r\n\r\n")
    (event,) = audited.log.events
    assert event["user"] == {"username": "system:anonymous", "groups": ["system:unauthenticated"]}
    assert event["annotations"] == {"koproxy/decision": "anonymous"}


def test_watches_and_tunnels_have_a_beginning_of_their_own(audited: Audited) -> None:
    stack = audited.stack
    stack.client.receive(request(first=b"GET /api/v1/pods?watch=1 HTTP/1.1"))
    stack.upstream.receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert audited.stages == ["RequestReceived", "ResponseStarted"]
    assert audited.log.events[-1]["responseStatus"]["code"] == 200
    stack.upstream.receive(b"0\r\n\r\n")
    stack.client.receive(request(SWITCH, b"POST /api/v1/namespaces/a/pods/b/exec HTTP/1.1"))
    stack.upstream.receive(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n"
    )
    assert audited.stages[2:] == ["ResponseComplete", "RequestReceived", "ResponseStarted"]
    stack.upstream.lose(clean=True)
    assert audited.stages[5:] == ["ResponseComplete"]
    assert audited.log.events[-1]["responseStatus"]["code"] == 101


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (LOG, True),
        (b"GET /api/v1/nodes/n/proxy/a HTTP/1.1", True),
        (b"POST /api/v1/namespaces/a/pods/b/exec HTTP/1.1", True),
        (b"GET /api/v1/namespaces/a/pods/b HTTP/1.1", False),
        (b"GET /api/v1/pods HTTP/1.1", False),
        (b"GET /version HTTP/1.1", False),
    ],
)
def test_what_may_last_has_a_beginning_of_its_own(
    audited: Audited, first: bytes, told: bool
) -> None:
    audited.stack.client.receive(request(first=first))
    audited.stack.upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    assert audited.stages == ["RequestReceived", *(["ResponseStarted"] if told else [])]


@pytest.mark.parametrize(
    ("asked", "groups"),
    [
        (Identity("lisa"), ["system:authenticated"]),
        (Identity("lisa", groups=("ops",)), ["ops", "system:authenticated"]),
        (Identity("lisa", groups=("system:unauthenticated",)), ["system:unauthenticated"]),
        (Identity("system:anonymous"), ["system:unauthenticated"]),
        (
            Identity("system:serviceaccount:a:b"),
            ["system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"],
        ),
        (
            Identity("system:serviceaccount:a:b", groups=("ops",)),
            ["ops", "system:authenticated"],
        ),
    ],
)
def test_who_is_asked_for_has_the_groups_of_the_api_server(
    audited: Audited, asked: Identity, groups: list[str]
) -> None:
    account = Account(parse_request(request()), b"192.0.2.1", 0.0)
    account.decision, account.acting_as = JANE, asked
    audited.auditing.decided(account)
    (event,) = audited.log.events
    assert event["impersonatedUser"] == {"username": asked.username, "groups": groups}
    assert event["user"]["username"] != asked.username


def test_what_was_cut_says_so(audited: Audited) -> None:
    audited.stack.client.receive(request())
    audited.stack.upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    audited.stack.upstream.lose()
    assert audited.stages == ["RequestReceived", "ResponseComplete"]
    assert "koproxy/cut" not in audited.log.events[0]["annotations"]
    assert audited.log.events[1]["annotations"]["koproxy/cut"] == "true"


def test_what_is_no_request_has_no_event(audited: Audited) -> None:
    audited.stack.client.receive(b"no request\r\n\r\n")
    assert audited.log.events == []


def test_stages_may_be_left_out() -> None:
    audited = Audited(Policy(rules=(Rule(level="Metadata", omit_stages=("RequestReceived",)),)))
    audited.stack.client.receive(request())
    audited.stack.upstream.receive(answer())
    assert audited.stages == ["ResponseComplete"]


def test_without_a_rule_there_is_none() -> None:
    audited = Audited(Policy(rules=(Rule(level="None"), Rule(level="Metadata"))))
    audited.stack.client.receive(request())
    audited.stack.upstream.receive(answer())
    assert audited.stages == []


def test_what_can_not_be_told_does_not_go_on(audited: Audited) -> None:
    audited.log.works = False
    audited.stack.client.receive(request())
    assert audited.stack.upstreams == []
    assert audited.stack.client.sent.startswith(b"HTTP/1.1 500 ")
    assert NOT_AUDITED.encode() in audited.stack.client.sent


@given(
    token=st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.~+/=", min_size=8, max_size=60),
    more=st.lists(st.sampled_from(["Cookie", "Proxy-Authorization", "X-Token"]), max_size=3),
)
def test_no_token_is_in_an_event(token: str, more: list[str]) -> None:
    audited = Audited()
    secret = f"secret.{token}"
    lines = "".join(f"{name}: {secret}\r\n" for name in more).encode()
    for given_token in (b"jane", secret.encode()):
        audited.stack.client.receive(request(lines, token=given_token))
        if audited.stack.upstreams and not audited.stack.upstream.gone:
            audited.stack.upstream.receive(answer())
    assert audited.log.events
    assert secret not in str(audited.log.events)
