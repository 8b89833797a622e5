"""How clients are let go when the proxy ends."""

import pytest
from support.memory import Stack, answer, request

from koproxy.proxy.account import CLIENT_GONE

SWITCH = b"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
WATCH = b"GET /api/v1/pods?watch=1 HTTP/1.1"
PROTOBUF = JSON.replace(b"json", b"vnd.kubernetes.protobuf;stream=watch")
EVENT = b'{"type":"ADDED","object":{}}\n'
FRAME = b"\x00\x00\x00\x05event"


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def watch(stack: Stack, *pieces: bytes, first: bytes = WATCH) -> None:
    stack.client.receive(request(first=first))
    stack.upstream.receive(JSON)
    for piece in pieces:
        stack.upstream.receive(piece)


def end(stack: Stack, seconds: float = 0) -> None:
    stack.clients.leaving = stack.clients.ending = True
    stack.clock.advance(seconds)
    stack.clients.sweep()


@pytest.fixture
def stack() -> Stack:
    return Stack()


def test_an_answer_says_that_the_connection_ends(stack: Stack) -> None:
    stack.clients.leaving = True
    stack.client.receive(request())
    stack.upstream.receive(answer())
    assert b"\r\nConnection: close\r\n" in stack.client.sent
    assert stack.client.sent.endswith(b"hi")
    assert stack.client.ending == "half-closed"


def test_so_does_a_refusal(stack: Stack) -> None:
    stack.clients.leaving = True
    stack.client.receive(request(token=b"nobody"))
    assert b"\r\nConnection: close\r\n" in stack.client.sent


def test_who_waits_for_nothing_is_let_go(stack: Stack) -> None:
    stack.client.receive(request())
    stack.upstream.receive(answer())
    end(stack)
    assert stack.client.ending == "closed"


def test_who_has_only_just_come_may_still_ask(stack: Stack) -> None:
    end(stack, 1)
    assert stack.client.ending == ""
    stack.client.receive(request())
    stack.upstream.receive(answer())
    assert stack.client.sent.endswith(b"hi")


def test_who_has_come_and_asks_nothing_is_let_go(stack: Stack) -> None:
    end(stack, 2)
    assert stack.client.ending == "closed"


def test_half_a_head_has_its_time(stack: Stack) -> None:
    stack.client.receive(request()[:-2])
    end(stack, 5)
    assert stack.client.ending == ""
    stack.client.receive(b"\r\n")
    stack.upstream.receive(answer())
    assert stack.client.sent.endswith(b"hi")


def test_what_is_under_way_comes_to_its_end(stack: Stack) -> None:
    stack.client.receive(request())
    end(stack, 10)
    stack.upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
    end(stack, 10)
    assert stack.client.ending == ""
    stack.upstream.receive(b"lf")
    assert stack.client.sent.endswith(b"half")
    assert stack.client.ending == "half-closed"


@pytest.mark.parametrize("pieces", [[], [chunk(EVENT)], [chunk(EVENT)[:-1], b"\n", chunk(EVENT)]])
def test_a_watch_ends_after_a_whole_event(stack: Stack, pieces: list[bytes]) -> None:
    watch(stack, *pieces)
    before = stack.client.sent
    end(stack)
    assert stack.client.sent == before + b"0\r\n\r\n"
    assert stack.client.ending == "half-closed"
    assert stack.upstream.ending == "cut"
    assert [(each.status, each.cut) for each in stack.accounts.all] == [(200, False)]


@pytest.mark.parametrize(
    ("so_far", "rest"),
    [
        (chunk(EVENT)[:20], chunk(EVENT)[20:]),
        (chunk(EVENT)[:-1], b"\n"),
        (chunk(EVENT[:12]), chunk(EVENT[12:])),
        (chunk(EVENT) + chunk(EVENT)[:14], chunk(EVENT)[14:]),
    ],
)
def test_half_an_event_is_waited_for(stack: Stack, so_far: bytes, rest: bytes) -> None:
    watch(stack, so_far)
    end(stack, 5)
    assert stack.client.ending == ""
    assert not stack.client.sent.endswith(b"0\r\n\r\n")
    stack.upstream.receive(rest)
    assert stack.client.sent.endswith(so_far[-5:] + rest + b"0\r\n\r\n")
    assert stack.client.ending == "half-closed"


@pytest.mark.parametrize(
    ("first", "content"),
    [
        (WATCH, b'{"kind":"PodList"}\n'),
        (WATCH, b'{\n  "type": "ADDED"\n}\n'),
        (b"GET /api/v1/pods/a/log?follow=true HTTP/1.1", b"a line\n"),
    ],
)
def test_a_stream_of_another_kind_is_cut_when_its_time_is_over(
    stack: Stack, first: bytes, content: bytes
) -> None:
    watch(stack, chunk(content), first=first)
    end(stack, 30)
    assert not stack.client.sent.endswith(b"0\r\n\r\n")
    assert stack.client.ending == ""
    stack.clients.cut()
    end(stack)
    assert stack.client.ending == "cut"


@pytest.mark.parametrize(
    "head",
    [
        PROTOBUF.replace(b";stream=watch", b""),
        JSON.replace(b"json", b"cbor-seq"),
        JSON.replace(b"\r\nTransfer", b"\r\nContent-Encoding: gzip\r\nTransfer"),
        PROTOBUF.replace(b"\r\nTransfer", b"\r\nContent-Encoding: gzip\r\nTransfer"),
    ],
)
def test_so_is_a_watch_in_a_form_that_is_not_known(stack: Stack, head: bytes) -> None:
    stack.client.receive(request(first=WATCH))
    stack.upstream.receive(head)
    end(stack, 30)
    assert stack.client.ending == ""


@pytest.mark.parametrize("at", range(len(chunk(FRAME[:3]) + chunk(FRAME[3:] + FRAME)) + 1))
def test_a_watch_in_protobuf_ends_after_a_whole_event_too(stack: Stack, at: int) -> None:
    sent = chunk(FRAME[:3]) + chunk(FRAME[3:] + FRAME)
    stack.client.receive(request(first=WATCH))
    stack.upstream.receive(PROTOBUF)
    stack.upstream.receive(sent[:at])
    end(stack)
    # What is not the whole size of a chunk has not gone on.
    begun = at >= len(b"3\r\n")
    if not begun or at == len(sent):
        assert stack.client.ending == "half-closed"
    else:
        assert stack.client.ending == ""
        stack.upstream.receive(sent[at:])
    body = stack.client.sent.partition(b"\r\n\r\n")[2]
    assert body == (sent if begun else b"") + b"0\r\n\r\n"
    assert stack.client.ending == "half-closed"


@pytest.mark.parametrize("query", [b"", b"?watch=0", b"?watch=false", b"?limit=1"])
def test_what_is_no_stream_is_not_cut(stack: Stack, query: bytes) -> None:
    watch(stack, chunk(EVENT), first=b"GET /api/v1/pods%b HTTP/1.1" % query)
    stack.clients.cut()
    end(stack, 30)
    assert stack.client.ending == ""
    assert not stack.client.sent.endswith(b"0\r\n\r\n")


def test_a_tunnel_is_cut_when_its_time_is_over(stack: Stack) -> None:
    stack.client.receive(request(SWITCH))
    stack.upstream.receive(b"HTTP/1.1 101 Switching\r\n" + SWITCH + b"\r\n")
    end(stack, 30)
    assert stack.client.ending == ""
    stack.clients.cut()
    assert (stack.client.ending, stack.upstream.ending) == ("cut", "cut")


def test_an_end_that_comes_by_itself_is_not_cut_off(stack: Stack) -> None:
    watch(stack, chunk(b"a line"), first=b"GET /log?follow=true HTTP/1.1")
    stack.clients.leaving = stack.clients.ending = stack.clients.cutting = True
    stack.upstream.receive(b"0\r\n\r\n")
    assert stack.client.sent.endswith(chunk(b"a line") + b"0\r\n\r\n")
    assert stack.client.ending != "cut"


def test_who_is_left_is_cut_and_accounted_for(stack: Stack) -> None:
    stack.client.receive(request())
    stack.clients.drop()
    assert (stack.client.ending, stack.upstream.ending) == ("cut", "cut")
    assert [(each.status, each.cut) for each in stack.accounts.all] == [(CLIENT_GONE, True)]
