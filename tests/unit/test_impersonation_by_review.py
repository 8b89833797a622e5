"""People who ask to be somebody else: what is asked about it, and what is made of the answers."""

from typing import Any

import pytest
from support.reviews import Asked
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from koproxy.identity.added import Added
from koproxy.identity.anonymous import NOBODY
from koproxy.identity.decision import Forbidden, Misread, Unavailable, Verified
from koproxy.identity.user import Identity
from koproxy.impersonation import Impersonation, Reviewed
from koproxy.sources import answers
from koproxy.sources.access_reviews import (
    ALLOWED_SECONDS,
    DENIED_SECONDS,
    MOST_OF_ONE,
    AccessReviews,
)

MAX = Verified(
    b"Impersonate-User: max\r\n",
    Identity("max", "7", ("ops",), (("team", ("x",)),)),
    1000.0,
    2000.0,
)
ALL = b"".join(
    line + b"\r\n"
    for line in (
        b"Host: k",
        b"Impersonate-User: jane",
        b"Impersonate-Uid: 1",
        b"Impersonate-Group: dev",
        b"Impersonate-Group: system:masters",
        b"Impersonate-Group: dev",
        b"Impersonate-Extra-a%2Fb: v",
        b"",
    )
)


class Scene:
    """Impersonation before an API server that allows all but what is ``denied``."""

    def __init__(self, *denied: str, hold: bool = False, added: Added | None = None) -> None:
        self.denied = set(denied)
        self.asked = Asked(self.answer, hold=hold)
        self.clock = Clock()
        self.impersonation = Impersonation(
            AccessReviews(self.asked.call, self.clock),
            self.clock,
            seconds=5,
            added=added or Added(original=True),
        )

    def answer(self, spec: dict[str, Any]) -> dict[str, Any]:
        return {"allowed": spec["resourceAttributes"]["name"] not in self.denied}

    def later(self, fields: bytes = ALL, caller: Verified = MAX) -> list[Reviewed]:
        reviewed = self.impersonation.review(caller, fields)
        found: list[Reviewed] = []
        if isinstance(reviewed, Deferred):
            reviewed.addBoth(found.append)
            return found
        return [reviewed]

    def review(self, fields: bytes = ALL, caller: Verified = MAX) -> Reviewed:
        return self.later(fields, caller)[0]

    @property
    def parts(self) -> list[tuple[str, ...]]:
        """What was asked about."""
        order = ("group", "resource", "subresource", "namespace", "name")
        found = []
        for spec in self.asked.specs:
            attributes = spec["resourceAttributes"]
            assert attributes["verb"] == "impersonate"
            assert attributes["version"] == "v1"
            found.append(tuple(attributes[name] for name in order))
        return found


def test_who_may_be_somebody_is_passed_on_as_them_with_who_they_are() -> None:
    scene = Scene()
    outcome = scene.review()
    assert isinstance(outcome, Verified)
    assert outcome.headers == (
        b"Impersonate-User: jane\r\n"
        b"Impersonate-Uid: 1\r\n"
        b"Impersonate-Group: dev\r\n"
        b"Impersonate-Group: system:masters\r\n"
        b"Impersonate-Group: dev\r\n"
        b"Impersonate-Extra-a%2Fb: v\r\n"
        b"Impersonate-Extra-originaluser.jetstack.io-user: max\r\n"
        b"Impersonate-Extra-originaluser.jetstack.io-groups: ops\r\n"
        b"Impersonate-Extra-originaluser.jetstack.io-uid: 7\r\n"
        b'Impersonate-Extra-originaluser.jetstack.io-extra: {"team":["x"]}\r\n'
    )
    assert outcome.identity.username == "jane"
    assert (outcome.expires, outcome.token_expires, outcome.credential) == (1000.0, 2000.0, None)
    authentication = "authentication.k8s.io"
    assert scene.parts == [
        ("", "users", "", "", "jane"),
        (authentication, "uids", "", "", "1"),
        ("", "groups", "", "", "dev"),
        ("", "groups", "", "", "system:masters"),
        (authentication, "userextras", "a/b", "", "v"),
    ]
    for spec in scene.asked.specs:
        assert (spec["user"], spec["uid"], spec["extra"]) == ("max", "7", {"team": ["x"]})
        assert spec["groups"] == ["ops", "system:authenticated"]
    assert scene.asked.paths == {b"/apis/authorization.k8s.io/v1/subjectaccessreviews"}


def test_a_service_account_is_asked_about_in_its_namespace() -> None:
    scene = Scene()
    name = b"Impersonate-User: system:serviceaccount:a:b\r\n"
    outcome = scene.review(name)
    assert isinstance(outcome, Verified)
    assert outcome.headers.startswith(name + b"Impersonate-Extra-originaluser")
    scene.review(b"Impersonate-User: system:serviceaccount:A:b\r\n")
    assert scene.parts == [
        ("", "serviceaccounts", "", "a", "b"),
        ("", "users", "", "", "system:serviceaccount:A:b"),
    ]


@pytest.mark.parametrize(
    ("denied", "sentence"),
    [
        (
            "jane",
            'users "jane" is forbidden: User "max" cannot impersonate resource "users" in API '
            'group "" at the cluster scope',
        ),
        (
            "1",
            'uids.authentication.k8s.io "1" is forbidden: User "max" cannot impersonate resource '
            '"uids" in API group "authentication.k8s.io" at the cluster scope',
        ),
        (
            "system:masters",
            'groups "system:masters" is forbidden: User "max" cannot impersonate resource "groups" '
            'in API group "" at the cluster scope',
        ),
        (
            "v",
            'userextras.authentication.k8s.io "v" is forbidden: User "max" cannot impersonate '
            'resource "userextras/a/b" in API group "authentication.k8s.io" at the cluster scope',
        ),
    ],
)
def test_one_part_that_is_denied_is_enough(denied: str, sentence: str) -> None:
    assert Scene(denied).review() == Forbidden(sentence)


def test_a_service_account_that_is_denied() -> None:
    outcome = Scene("b").review(b"Impersonate-User: system:serviceaccount:a:b\r\n")
    assert outcome == Forbidden(
        'serviceaccounts "b" is forbidden: User "max" cannot impersonate resource '
        '"serviceaccounts" in API group "" in the namespace "a"'
    )


def test_who_may_be_nobody_costs_one_question() -> None:
    scene = Scene("jane")
    scene.review()
    assert len(scene.asked.specs) == 1


def test_answers_are_kept_for_a_short_time_for_the_same_caller() -> None:
    scene = Scene()
    scene.review()
    scene.review()
    assert len(scene.asked.specs) == 5
    other = Verified(b"", Identity("max", "8", ("ops",), (("team", ("x",)),)), 1000.0)
    scene.review(b"Impersonate-User: jane\r\n", other)
    assert len(scene.asked.specs) == 6
    scene.denied.add("jane")
    assert isinstance(scene.review(), Verified)
    scene.clock.advance(ALLOWED_SECONDS)
    assert isinstance(scene.review(), Forbidden)
    scene.denied.clear()
    assert isinstance(scene.review(), Forbidden)
    scene.clock.advance(DENIED_SECONDS)
    assert isinstance(scene.review(), Verified)


def test_all_questions_have_one_time_together() -> None:
    scene = Scene(hold=True)
    found = scene.later()
    scene.clock.advance(4)
    scene.asked.release()
    assert len(scene.asked.specs) == 5
    scene.clock.advance(1)
    assert isinstance(found[0], Unavailable)
    assert "in time" in found[0].message
    scene.asked.release()
    assert isinstance(scene.review(), Verified)


def test_few_questions_are_asked_at_a_time() -> None:
    scene = Scene(hold=True)
    groups = b"".join(b"Impersonate-Group: %d\r\n" % number for number in range(60))
    found = scene.later(b"Impersonate-User: jane\r\n" + groups)
    scene.asked.release()
    most = 0
    while scene.asked.held:
        most = max(most, len(scene.asked.held))
        scene.asked.release()
    assert most == answers.AT_A_TIME
    assert isinstance(found[0], Verified)
    assert len(scene.asked.specs) == 61


def test_too_many_questions_are_not_asked() -> None:
    scene = Scene(hold=True)
    found = []
    for number in range(answers.AT_A_TIME + answers.MOST_WAITING + 1):
        caller = Verified(b"", Identity(f"caller {number}"), 1000.0)
        found += [scene.later(b"Impersonate-User: jane\r\n", caller)]
    assert isinstance(found[-1][0], Unavailable)
    assert "too many" in found[-1][0].message
    assert found[-2] == []
    while scene.asked.held:
        scene.asked.release()
    assert isinstance(found[-2][0], Verified)


def test_one_caller_does_not_take_the_places_of_all() -> None:
    scene = Scene(hold=True)
    for number in range(MOST_OF_ONE):
        assert scene.later(b"Impersonate-User: %d\r\n" % number) == []
    (refused,) = scene.later(b"Impersonate-User: one more\r\n")
    assert isinstance(refused, Unavailable)
    other = scene.later(b"Impersonate-User: jane\r\n", Verified(b"", Identity("eve"), 1000.0))
    assert other == []
    while scene.asked.held:
        scene.asked.release()
    assert isinstance(other[0], Verified)
    scene.asked.hold = False
    assert isinstance(scene.review(b"Impersonate-User: one more\r\n"), Verified)


def test_what_is_known_needs_no_place() -> None:
    scene = Scene()
    scene.review(b"Impersonate-User: jane\r\n")
    scene.asked.hold = True
    for number in range(MOST_OF_ONE):
        scene.later(b"Impersonate-User: %d\r\n" % number)
    assert isinstance(scene.review(b"Impersonate-User: jane\r\n"), Verified)


@pytest.mark.parametrize("code", [401, 403, 500])
def test_without_an_answer_nobody_is_anybody(code: int) -> None:
    scene = Scene()
    scene.asked.status = code
    outcome = scene.review()
    assert isinstance(outcome, Unavailable)
    assert str(code) not in outcome.message
    scene.asked.status = 201
    assert isinstance(scene.review(), Verified)


def test_who_goes_asks_no_longer() -> None:
    scene = Scene(hold=True)
    reviewed = scene.impersonation.review(MAX, ALL)
    assert isinstance(reviewed, Deferred)
    found: list[object] = []
    reviewed.addErrback(found.append)
    reviewed.cancel()
    assert isinstance(found[0], Failure)
    assert found[0].check(CancelledError)


def test_nobody_asks_as_nobody() -> None:
    scene = Scene()
    scene.review(b"Impersonate-User: jane\r\n", NOBODY)
    assert scene.asked.specs[0]["groups"] == ["system:unauthenticated"]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        (b"Impersonate-Group: a\r\n", Misread),
        (b"Impersonate-User: a\tb\r\n", Forbidden),
        (b"Impersonate-User: a\r\nImpersonate-Extra-Fixed: b\r\n", Forbidden),
        (b"Impersonate-User: a\r\nImpersonate-Extra-remote-client-ip: b\r\n", Forbidden),
        (
            b"Impersonate-User: a\r\nImpersonate-Extra-Originaluser.jetstack.io-user: b\r\n",
            Forbidden,
        ),
        (
            b"Impersonate-User: a\r\nImpersonate-Extra-Originaluser%2ejetstack.io-user: b\r\n",
            Forbidden,
        ),
    ],
)
def test_what_is_refused_before_anything_is_asked(fields: bytes, kind: type[object]) -> None:
    scene = Scene(added=Added((("fixed", ("x",)),), client_ip=True, original=True))
    assert isinstance(scene.review(fields), kind)
    assert scene.asked.specs == []


def test_with_a_credential_of_their_own_the_api_server_decides() -> None:
    scene = Scene("jane")
    caller = Verified(b"", Identity("max"), 1000.0, 0.0, b"Bearer own")
    outcome = scene.review(b"Impersonate-User: jane\r\nImpersonate-Group: g\r\n", caller)
    assert outcome == Verified(
        b"Impersonate-User: jane\r\nImpersonate-Group: g\r\n",
        Identity("jane", groups=("g",)),
        1000.0,
        0.0,
        b"Bearer own",
    )
    assert scene.asked.specs == []
