"""Requests that go on with the client's own credential, and as somebody whom they ask to be."""

import pytest
from support.memory import JANE, Authentication, Stack, answer, request
from twisted.internet.defer import Deferred

from koproxy.identity.anonymous import UNNAMED
from koproxy.identity.decision import Forbidden, Misread, Reviewed, Unavailable, Verified
from koproxy.identity.impersonation import client_ip_line
from koproxy.identity.user import Identity

ROBOT = Verified(b"", Identity("robot"), float("inf"), credential=b"Bearer robot")
MAX = Verified(b"Impersonate-User: max\r\n", Identity("max"), float("inf"))
AS_MAX = b"Impersonate-User: max\r\n"
PASSED = (
    b"GET /api HTTP/1.1\r\nHost: kube.example:6443\r\nAuthorization: Bearer robot\r\n"
    b"X-Forwarded-For: 192.0.2.7\r\n\r\n"
)


class Reviews:
    """Says what the test wants it to say of whom somebody asks to be."""

    def __init__(self, *outcomes: Reviewed | Deferred[Reviewed]) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[tuple[Verified, bytes]] = []

    def review(self, caller: Verified, fields: bytes) -> Reviewed | Deferred[Reviewed]:
        self.asked.append((caller, fields))
        return self.outcomes.pop(0)


def stack(reviews: Reviews | None = None, *, client_ip: bool = False) -> Stack:
    authentication = Authentication()
    authentication.outcomes[b"Bearer robot"] = ROBOT
    return Stack(
        authentication=authentication,
        impersonation=reviews,
        client_ip_line=client_ip_line if client_ip else None,
    )


def test_what_is_passed_on_has_nothing_of_the_proxys() -> None:
    made = stack(client_ip=True)
    made.client.receive(request(token=b"robot"))
    assert made.upstream.sent == PASSED
    assert made.bare_upstreams == made.upstreams


def test_each_kind_has_connections_of_its_own() -> None:
    made = stack()
    for _ in range(2):
        for token in (b"robot", b"jane"):
            made.client.receive(request(token=token))
            carrier = made.upstreams[0] if token == b"robot" else made.upstreams[1]
            carrier.receive(answer(b"x"))
    assert len(made.upstreams) == 2
    robots, people = made.upstreams
    assert made.bare_upstreams == [robots]
    assert robots.sent == PASSED * 2
    assert b"robot" not in people.sent
    assert people.sent.count(b"Authorization: Bearer own") == 2


def test_nobody_is_passed_on_without_a_credential() -> None:
    made = stack()
    made.authentication.anonymous = lambda target: UNNAMED  # type: ignore[method-assign]
    made.client.receive(b"GET /livez HTTP/1.1\r\nHost: k\r\n\r\n")
    assert b"Authorization" not in made.upstream.sent
    assert b"Impersonate" not in made.upstream.sent
    assert made.bare_upstreams == made.upstreams


def test_a_401_to_a_credential_that_is_not_the_proxys_is_the_clients() -> None:
    made = stack()
    made.client.receive(request(token=b"robot"))
    made.upstream.receive(answer(b"who?", status=b"401 Unauthorized"))
    assert made.client.sent.startswith(b"HTTP/1.1 401 ")
    assert made.own_calls.asked == []


def test_a_proxy_without_a_credential_passes_on_all_the_same() -> None:
    made = stack()
    made.access.problem = "the plugin has not answered"
    made.client.receive(request(token=b"robot"))
    assert made.upstream.sent == PASSED


def test_a_request_that_is_sent_again_goes_the_same_way() -> None:
    made = stack()
    made.client.receive(request(token=b"robot"))
    made.upstream.receive(answer(b"x"))
    made.client.receive(request(token=b"robot"))
    made.upstream.lose()
    assert len(made.upstreams) == 2
    assert made.bare_upstreams == made.upstreams
    assert made.upstream.sent == PASSED


def test_a_clients_address_is_added_to_its_identity() -> None:
    made = stack(client_ip=True)
    made.client.receive(request())
    lines = b"Impersonate-User: jane\r\nImpersonate-Extra-remote-client-ip: 192.0.2.7\r\n"
    assert lines + b"Authorization: Bearer own\r\n" in made.upstream.sent


def test_without_the_option_nobody_asks_to_be_somebody_else() -> None:
    for token in (b"jane", b"robot"):
        made = stack()
        made.client.receive(request(AS_MAX, token=token))
        assert made.client.sent.startswith(b"HTTP/1.1 403 ")
        assert made.upstreams == []


def test_who_may_is_passed_on_as_whom_they_ask_to_be() -> None:
    reviews = Reviews(MAX)
    made = stack(reviews)
    made.client.receive(request(AS_MAX))
    [(caller, fields)] = reviews.asked
    assert caller == JANE
    assert AS_MAX in fields
    assert made.upstream.sent.count(b"Impersonate-") == 1
    assert b"\r\nImpersonate-User: max\r\nAuthorization: Bearer own\r\n" in made.upstream.sent
    assert made.bare_upstreams == []


def test_a_review_may_take_its_time() -> None:
    waiting: Deferred[Reviewed] = Deferred()
    made = stack(Reviews(waiting))
    made.client.receive(request(AS_MAX))
    assert made.upstreams == []
    waiting.callback(MAX)
    assert b"\r\nImpersonate-User: max\r\n" in made.upstream.sent


def test_who_goes_meanwhile_is_forgotten() -> None:
    waiting: Deferred[Reviewed] = Deferred()
    made = stack(Reviews(waiting))
    made.client.receive(request(AS_MAX))
    made.client.lose()
    waiting.callback(MAX)
    assert made.upstreams == []


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(Forbidden("no"), b"403"), (Misread("what?"), b"400"), (Unavailable("later"), b"503")],
)
def test_who_may_not_is_told_so(outcome: Reviewed, code: bytes) -> None:
    made = stack(Reviews(outcome))
    made.client.receive(request(AS_MAX))
    assert made.client.sent.startswith(b"HTTP/1.1 " + code)
    assert made.upstreams == []


def test_a_failing_review_is_the_proxys_failure() -> None:
    waiting: Deferred[Reviewed] = Deferred()
    made = stack(Reviews(waiting))
    made.client.receive(request(AS_MAX))
    waiting.errback(RuntimeError("inside"))
    assert made.client.sent.startswith(b"HTTP/1.1 500 ")
    assert made.upstreams == []


def test_one_request_is_nothing_to_the_next() -> None:
    made = stack(Reviews(MAX))
    made.client.receive(request(AS_MAX))
    made.upstream.receive(answer(b"x"))
    made.client.receive(request(token=b"robot"))
    made.upstream.receive(answer(b"x"))
    made.client.receive(request())
    assert made.upstreams[0].sent.endswith(
        b"Impersonate-User: jane\r\nAuthorization: Bearer own\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n"
    )
