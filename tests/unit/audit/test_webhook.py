"""When events are sent to a webhook, when again, and when they are lost."""

import json
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IAgent, IResponse
from zope.interface import implementer

from koproxy.audit.webhook import ANSWER_SECONDS, AT_ONCE, STOP_SECONDS, Webhook
from koproxy.audit.webhook_server import WebhookServer
from koproxy.errors import ConfigurationError

KUBECONFIG = {
    "current-context": "x",
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": ""}}],
    "clusters": [{"name": "c", "cluster": {"server": "https://events.example/in"}}],
}
TOKEN = "s3cr3t-value"


@implementer(IResponse)
class Response:
    """An answer without a body."""

    version = (b"HTTP", 1, 1)
    phrase = b""
    headers = Headers()
    length = UNKNOWN_LENGTH
    request = previousResponse = None

    def __init__(self, code: int) -> None:
        self.code = code

    def deliverBody(self, protocol: Any) -> None:
        protocol.connectionLost(Failure(ResponseDone()))

    def setPreviousResponse(self, response: IResponse) -> None:
        pass


@implementer(IAgent)
class Server:
    """Answers with ``status``, not at all (None), or isn't there (0)."""

    def __init__(self) -> None:
        self.status: int | None = 200
        self.batches: list[list[int]] = []
        self.bodies: list[Any] = []
        self.headers: list[Headers | None] = []
        self.cancelled = 0

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: Any = None,
    ) -> "Deferred[IResponse]":
        assert (method, uri) == (b"POST", b"https://events.example/in")
        body = json.load(bodyProducer._inputFile)  # it would produce in the reactor's turns
        self.bodies.append(body)
        self.headers.append(headers)
        self.batches.append([event["number"] for event in body["items"]])
        if self.status is None:
            return Deferred(self._cancel)
        if self.status == 0:
            refused: Deferred[IResponse] = Deferred()
            refused.errback(ConnectionRefusedError())
            return refused
        return succeed(Response(self.status))

    def _cancel(self, _: object) -> None:
        self.cancelled += 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Server:
    return Server()


def sending(
    folder: Path, server: Server, clock: Clock, *, room: int = 100, most: int = 2, **more: Any
) -> Webhook:
    """A webhook whose first pause is 10 s, and no pause is longer by chance."""
    file = folder / "webhook"
    file.write_text(json.dumps(KUBECONFIG | more))
    webhook = Webhook(
        WebhookServer(str(file)),
        server,
        clock,
        room=room,
        most=most,
        wait=30,
        pause=10,
        chance=lambda: 0,
    )
    webhook.startService()
    return webhook


def event(number: int) -> dict[str, Any]:
    return {"kind": "Event", "number": number}


def write(webhook: Webhook, *numbers: int) -> None:
    for number in numbers:
        assert webhook.write(event(number))


def test_a_full_batch_is_sent_as_an_event_list(
    tmp_path: Path, server: Server, clock: Clock
) -> None:
    webhook = sending(tmp_path, server, clock)
    write(webhook, 0)
    assert server.bodies == []
    write(webhook, 1)
    assert server.bodies == [
        {
            "kind": "EventList",
            "apiVersion": "audit.k8s.io/v1",
            "metadata": {},
            "items": [event(0), event(1)],
        }
    ]
    assert server.headers[0] is not None
    assert server.headers[0].getRawHeaders("content-type") == ["application/json"]
    assert server.headers[0].getRawHeaders("authorization") is None
    assert (webhook.written, webhook.dropped, webhook.waiting, webhook.problem) == (2, 0, 0, None)


def test_an_event_waits_for_others_only_so_long(
    tmp_path: Path, server: Server, clock: Clock
) -> None:
    webhook = sending(tmp_path, server, clock)
    write(webhook, 0)
    clock.pump([1] * 29)
    assert server.batches == []
    clock.advance(1)
    assert server.batches == [[0]]


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (0, "Connection was refused by other side"),
        (302, "it answered with status 302"),
        (400, "it answered with status 400"),
        (401, "it answered with status 401"),
        (413, "it answered with status 413"),
        (429, "it answered with status 429"),
        (500, "it answered with status 500"),
        (207, "it answered with status 207"),
    ],
)
def test_whatever_it_fails_with_it_is_sent_five_times_and_lost(
    tmp_path: Path, server: Server, clock: Clock, status: int, why: str
) -> None:
    webhook = sending(tmp_path, server, clock)
    server.status = status
    write(webhook, 0, 1)
    for tries, pause in ((1, 10), (2, 15), (3, 22.5), (4, 33.75)):
        assert webhook.problem is not None
        assert "can't be sent to events.example:443" in webhook.problem
        assert why in webhook.problem
        clock.advance(pause - 0.1)
        assert len(server.batches) == tries
        clock.advance(0.1)
    assert server.batches == [[0, 1]] * 5
    assert (webhook.written, webhook.dropped, webhook.waiting) == (0, 2, 0)
    # Nobody knows any more: else a proxy that is asked for nothing would never be ready again.
    assert webhook.problem is None


def test_it_is_sent_again_until_it_arrives(tmp_path: Path, server: Server, clock: Clock) -> None:
    webhook = sending(tmp_path, server, clock)
    server.status = 503
    write(webhook, 0, 1)
    server.status = 201
    clock.advance(10)
    assert (webhook.written, webhook.dropped, webhook.waiting, webhook.problem) == (2, 0, 0, None)


def test_no_answer_in_time_is_none(tmp_path: Path, server: Server, clock: Clock) -> None:
    webhook = sending(tmp_path, server, clock)
    server.status = None
    write(webhook, 0, 1)
    clock.advance(ANSWER_SECONDS)
    assert server.cancelled == 1
    assert webhook.problem is not None
    assert "it did not answer within 30 seconds" in webhook.problem


def test_what_hangs_holds_up_no_others_and_the_memory_is_bounded(
    tmp_path: Path, server: Server, clock: Clock
) -> None:
    webhook = sending(tmp_path, server, clock, room=2 * AT_ONCE + 5)
    server.status = None
    write(webhook, *range(2 * AT_ONCE + 10))
    assert len(server.batches) == AT_ONCE
    assert (webhook.waiting, webhook.dropped) == (2 * AT_ONCE + 5, 5)
    server.status = 200
    clock.advance(ANSWER_SECONDS)  # what hung makes room for others during its pause
    clock.advance(10)
    clock.advance(30)
    assert webhook.waiting == 0
    assert webhook.written == 2 * AT_ONCE + 5


def test_at_the_end_all_that_waits_is_sent(tmp_path: Path, server: Server, clock: Clock) -> None:
    webhook = sending(tmp_path, server, clock)
    server.status = 503
    write(webhook, 0, 1, 2)
    server.status = 200
    ended: list[None] = []
    webhook.stopService().addCallback(ended.append)
    assert ended
    assert (webhook.written, webhook.dropped, webhook.waiting) == (3, 0, 0)
    assert clock.getDelayedCalls() == []
    write(webhook, 3)
    assert webhook.dropped == 1


@pytest.mark.parametrize("status", [None, 503])
def test_the_end_does_not_wait_for_ever(
    tmp_path: Path, server: Server, clock: Clock, status: int | None
) -> None:
    webhook = sending(tmp_path, server, clock)
    server.status = status
    write(webhook, 0, 1, 2)
    ended: list[None] = []
    webhook.stopService().addCallback(ended.append)
    clock.pump([1] * int(STOP_SECONDS - 1))
    assert not ended
    clock.advance(1)
    assert ended
    assert (webhook.written, webhook.dropped, webhook.waiting) == (0, 3, 0)
    assert clock.getDelayedCalls() == []


def test_a_token_is_sent_shown_nowhere_and_taken_up_when_it_changes(
    tmp_path: Path, server: Server, clock: Clock
) -> None:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    webhook = sending(
        tmp_path,
        server,
        clock,
        most=1,
        contexts=[{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        users=[{"name": "u", "user": {"tokenFile": "token"}}],
    )
    server.status = 401
    write(webhook, 0)
    assert TOKEN not in str(webhook.problem)
    token.write_text("other")
    server.status = 200
    webhook.files.look()
    webhook.look()
    sent = [headers and headers.getRawHeaders("authorization") for headers in server.headers]
    assert sent == [[f"Bearer {TOKEN}"], ["Bearer other"]]
    token.write_text("two words")
    webhook.files.look()
    assert webhook.files.problem is not None
    assert "two words" not in webhook.files.problem


@pytest.mark.parametrize(
    ("cluster", "user", "sentence"),
    [
        ({"certificate-authority-data": "eA=="}, {}, "holds no PEM certificate"),
        ({"certificate-authority": "nowhere"}, {}, "can't be read (No such file or directory)"),
        ({}, {"tokenFile": "nowhere"}, "can't be read (No such file or directory)"),
        (
            {},
            {"exec": {"command": "x", "apiVersion": "client.authentication.k8s.io/v1"}},
            "users[u].user.exec names a program, and koproxy runs none for a webhook",
        ),
    ],
)
def test_what_can_not_work_is_said_at_once(
    tmp_path: Path,
    server: Server,
    clock: Clock,
    cluster: dict[str, str],
    user: dict[str, Any],
    sentence: str,
) -> None:
    if "exec" in user:
        user["exec"]["interactiveMode"] = "Never"
    with pytest.raises(ConfigurationError) as caught:
        sending(
            tmp_path,
            server,
            clock,
            contexts=[{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            clusters=[{"name": "c", "cluster": {"server": "https://e.example", **cluster}}],
            users=[{"name": "u", "user": user}],
        )
    assert sentence in str(caught.value)
    assert str(caught.value).startswith(f"--audit-webhook-config-file {tmp_path / 'webhook'}")
