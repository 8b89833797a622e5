"""The access log's lines."""

from collections.abc import Mapping
from typing import Any

import pytest
from support.memory import Stack, answer, request

from koproxy.audit.backend import Backend
from koproxy.observe.access_log import AccessLog
from koproxy.observe.correlation import correlate
from koproxy.proxy.account import Observers

PODS = b"GET /api/v1/namespaces/demo/pods/web/log?follow=true HTTP/1.1"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Lines(Backend):
    """Keeps lines."""

    waiting = 0

    def __init__(self) -> None:
        super().__init__("lines")
        self.all: list[Mapping[str, Any]] = []

    def write(self, event: Mapping[str, Any]) -> bool:
        self.all.append(event)
        return True

    def take(self, event: bytes) -> bool:
        raise NotImplementedError

    def look(self) -> None:
        raise NotImplementedError


def logged(sample: float = 1.0) -> tuple[Stack, Lines]:
    lines = Lines()
    log = AccessLog(lines, sample, lambda: 1_800_000_000.25)
    return Stack(observers=Observers((correlate,), (log.answering,), (log.complete,))), lines


def test_a_request_has_a_line() -> None:
    stack, lines = logged()
    stack.connects_late = True
    stack.client.receive(
        request(b"User-Agent: kubectl/v1\r\nX-Request-Id: abc\r\nContent-Length: 2\r\n", PODS)
        + b"hi"
    )
    stack.clock.advance(0.25)
    stack.connecting.pop()(None)
    stack.clock.advance(0.5)
    stack.upstream.receive(CHUNKS)
    stack.clock.advance(4)
    stack.clients.sweep()
    stack.upstream.receive(b"4\r\nline\r\n0\r\n\r\n")
    assert lines.all == [
        {
            "time": "2027-01-15T08:00:00.250000Z",
            "id": "abc",
            "client": "192.0.2.7",
            "decision": "authenticated",
            "user": "jane",
            "method": "GET",
            "verb": "get",
            "path": "/api/v1/namespaces/demo/pods/web/log",
            "resource": "pods",
            "namespace": "demo",
            "name": "web",
            "apiVersion": "v1",
            "subresource": "log",
            "userAgent": "kubectl/v1",
            "status": 200,
            "received": 2,
            "returned": 14,
            "seconds": 4.75,
            "ownSeconds": 0.25,
            "upstreamSeconds": 0.5,
        }
    ]


def test_a_refusal_says_why() -> None:
    stack, lines = logged()
    stack.client.receive(request(token=b"nobody"))
    (line,) = lines.all
    assert line["status"] == 401
    assert line["decision"] == "unauthenticated"
    assert line["reason"] == "Unauthorized: the token is not known"
    assert not {"user", "ownSeconds", "upstreamSeconds", "cut"} & set(line)


def test_who_may_not_be_somebody_else_is_named() -> None:
    stack, lines = logged()
    stack.client.receive(request(b"Impersonate-User: admin\r\n"))
    (line,) = lines.all
    assert (line["status"], line["user"], line["decision"]) == (403, "jane", "forbidden")


def test_what_is_no_request_has_a_line_too() -> None:
    stack, lines = logged(0.0)
    stack.client.receive(b"nonsense\r\n\r\n")
    (line,) = lines.all
    assert (line["status"], line["client"], line["decision"]) == (400, "192.0.2.7", "undecided")
    assert not {"path", "verb"} & set(line)


def test_neither_a_token_nor_a_query_is_in_it() -> None:
    stack, lines = logged()
    for token in (b"jane", b"secret-token"):
        stack.client.receive(
            request(first=b"GET /api?access_token=secret-query HTTP/1.1", token=token)
        )
        if token == b"jane":
            stack.upstream.receive(answer())
    assert len(lines.all) == 2
    assert "secret" not in str(lines.all)
    assert "Bearer" not in str(lines.all)


@pytest.mark.parametrize(
    ("sample", "least", "most"), [(0.0, 0, 0), (1.0, 400, 400), (0.25, 50, 150)]
)
def test_a_sample_is_a_part_of_all(sample: float, least: int, most: int) -> None:
    stack, lines = logged(sample)
    for number in range(400):
        stack.client.receive(request(b"Audit-ID: request-%d\r\n" % number))
        stack.upstream.receive(answer())
    assert least <= len(lines.all) <= most


def test_what_went_wrong_is_there_whatever_the_sample() -> None:
    stack, lines = logged(0.0)
    stack.client.receive(request())
    stack.upstream.receive(answer(status=b"500 Internal Server Error"))
    stack.client.receive(request())
    stack.upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    stack.upstream.lose()
    assert [(line["status"], line.get("cut", False)) for line in lines.all] == [
        (500, False),
        (200, True),
    ]
