"""What the API server is asked about a token, and what is made of its answer."""

from typing import Any

import pytest
from support.reviews import Asked
from twisted.internet.defer import CancelledError, TimeoutError
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from koproxy.identity.user import Identity
from koproxy.sources.review import NoAnswer
from koproxy.sources.token_reviews import BAD_SECONDS, GOOD_SECONDS, Reviewed, TokenReviews

ROBOT = {
    "authenticated": True,
    "user": {
        "username": "system:serviceaccount:a:b",
        "uid": "7",
        "groups": ["system:serviceaccounts"],
        "extra": {"k": ["v"]},
    },
    "audiences": ["kube"],
}


class Scene:
    def __init__(self, status: dict[str, Any], *audiences: str) -> None:
        self.status = status
        self.asked = Asked(lambda _: self.status)
        self.clock = Clock()
        self.reviews = TokenReviews(self.asked.call, audiences, self.clock)

    def review(self, token: bytes = b"robot") -> object:
        found: list[object] = []
        self.reviews.review(token).addBoth(found.append)
        result = found[0]
        return result.value if isinstance(result, Failure) else result


def test_a_token_that_the_api_server_knows() -> None:
    scene = Scene(ROBOT)
    who = Identity("system:serviceaccount:a:b", "7", ("system:serviceaccounts",), (("k", ("v",)),))
    assert scene.review() == Reviewed(who)
    assert scene.asked.specs == [{"token": "robot"}]
    assert scene.asked.paths == {b"/apis/authentication.k8s.io/v1/tokenreviews"}
    assert scene.reviews.known(b"robot") == Reviewed(who)
    scene.clock.advance(GOOD_SECONDS)
    assert scene.reviews.known(b"robot") is None


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"authenticated": False},
        {"user": ROBOT["user"]},
        {"authenticated": True},
        {"authenticated": True, "user": {}},
        {**ROBOT, "error": "something"},
        {"error": "invalid bearer token", "user": {}},
    ],
)
def test_a_token_that_it_does_not_know(status: dict[str, Any]) -> None:
    scene = Scene(status)
    assert scene.review() == Reviewed(None)
    scene.status = ROBOT
    assert scene.review() == Reviewed(None)
    scene.clock.advance(BAD_SECONDS)
    assert scene.review() != Reviewed(None)


@pytest.mark.parametrize(
    ("audiences", "good"),
    [(["kube"], True), (["x", "vault"], True), (["x"], False), ([], False), (None, False)],
)
def test_a_token_has_to_be_for_one_of_the_audiences(
    audiences: list[str] | None, good: bool
) -> None:
    scene = Scene({**ROBOT, "audiences": audiences}, "kube", "vault")
    reviewed = scene.review()
    assert isinstance(reviewed, Reviewed)
    assert (reviewed.identity is not None) is good
    assert scene.asked.specs[0]["audiences"] == ["kube", "vault"]


@pytest.mark.parametrize("token", [b"a\xffb", b"a\tb", b"", b"a b"])
def test_what_can_be_no_token_is_not_asked_about(token: bytes) -> None:
    scene = Scene(ROBOT)
    assert scene.review(token) == Reviewed(None)
    assert scene.asked.specs == []


@pytest.mark.parametrize("code", [401, 403, 404, 500])
def test_no_answer_is_neither_good_nor_kept(code: int) -> None:
    scene = Scene(ROBOT)
    scene.asked.status = code
    problem = scene.review()
    assert isinstance(problem, NoAnswer)
    assert str(code) in str(problem)
    assert "robot" not in str(problem)
    scene.asked.status = 201
    assert isinstance(scene.review(), Reviewed)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"status":1}',
        b'{"status":{"authenticated":1}}',
        b'{"status":{"authenticated":true,"user":{"username":1}}}',
        b'{"status":{"authenticated":true,"user":{"groups":["a",1]}}}',
    ],
)
def test_an_answer_that_is_none(raw: bytes) -> None:
    scene = Scene(ROBOT)
    scene.asked.raw = raw
    assert isinstance(scene.review(), NoAnswer)


@pytest.mark.parametrize("failure", [TimeoutError(), ConnectionError("gone"), CancelledError()])
def test_an_api_server_that_is_not_there(failure: Exception) -> None:
    scene = Scene(ROBOT)
    scene.asked.failure = failure
    problem = scene.review()
    if isinstance(failure, CancelledError):
        assert isinstance(problem, CancelledError)
    else:
        assert isinstance(problem, NoAnswer)
