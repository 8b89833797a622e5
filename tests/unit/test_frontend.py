"""The way of a request, step by step, in memory."""

import json

import pytest
from support.memory import Stack, answer, request, upstream_request

from koproxy.proxy.own_calls import REFUSED

OK = answer()
EXEC = b"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\n" + EXEC + b"\r\n"


@pytest.fixture
def stack() -> Stack:
    return Stack()


def status_of(sent: bytes) -> tuple[int, str]:
    """(code, message) of the proxy's own answer, which must be the only one."""
    head, _, body = sent.partition(b"\r\n\r\n")
    status = json.loads(body)
    assert status["kind"] == "Status"
    assert head.startswith(b"HTTP/1.1 %d " % status["code"])
    assert b"Content-Length: %d\r\n" % len(body) in head
    return status["code"], status["message"]


def test_a_request_and_its_answer(stack: Stack) -> None:
    stack.client.receive(request())
    assert stack.upstream.sent == upstream_request()
    stack.upstream.receive(OK)
    assert stack.client.sent == OK
    assert not stack.client.ending


def test_the_next_request_goes_on_the_same_connections(stack: Stack) -> None:
    for _ in range(3):
        stack.client.receive(request())
        stack.upstream.receive(OK)
    assert stack.client.sent == OK * 3
    assert len(stack.upstreams) == 1
    assert stack.upstream.sent == upstream_request() * 3


def test_two_clients_never_share_a_connection_at_once(stack: Stack) -> None:
    other = stack.new_client()
    stack.client.receive(request())
    other.receive(request(first=b"GET /other HTTP/1.1"))
    first, second = stack.upstreams
    second.receive(answer(b"other"))
    first.receive(answer(b"first"))
    assert stack.client.sent == answer(b"first")
    assert other.sent == answer(b"other")


def test_pipelined_requests_are_answered_in_order(stack: Stack) -> None:
    stack.client.receive(request() + request(token=b"bad") + request(first=b"GET /b HTTP/1.1"))
    assert stack.upstream.sent == upstream_request()
    stack.upstream.receive(OK)
    assert stack.upstream.sent.endswith(upstream_request(first=b"GET /b HTTP/1.1"))
    stack.upstream.receive(OK)
    sent = stack.client.sent
    assert sent.startswith(OK + b"HTTP/1.1 401 Unauthorized\r\n")
    assert sent.endswith(OK)


def test_many_refused_requests_at_once_are_no_recursion(stack: Stack) -> None:
    stack.client.receive(b"GET / HTTP/1.1\r\nHost: k\r\n\r\n" * 2000)
    assert stack.client.sent.count(b"HTTP/1.1 401 ") == 2000
    assert stack.upstreams == []


@pytest.mark.parametrize(
    ("sent", "code", "message"),
    [
        (request(token=b"bad"), 401, "Unauthorized: the token is not known"),
        (request(token=b"odd"), 403, "the user can't be carried"),
        (request(token=b"early"), 503, "no keys yet"),
        (
            request(b"impersonate_user: admin\r\n"),
            403,
            "Impersonation requests are disabled when using kube-oidc-proxy",
        ),
        (
            request(b"Impersonate-User: x\r\n", token=b"bad"),
            401,
            "Unauthorized: the token is not known",
        ),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "the request is not HTTP/1.1: no Host header"),
        (
            b"GET / HTTP/1.1\n\n",
            400,
            "the request is not HTTP/1.1: a line of the head does not end with CRLF",
        ),
        (
            request(b"A: " + b"x" * 70000),
            431,
            "the request is not HTTP/1.1: the head is larger than 65536 bytes",
        ),
    ],
)
def test_refusals_never_reach_the_api_server(
    stack: Stack, sent: bytes, code: int, message: str
) -> None:
    stack.client.receive(sent)
    assert status_of(stack.client.sent) == (code, message)
    assert stack.upstreams == []


def test_who_needs_no_token_is_nobody_and_never_the_proxy(stack: Stack) -> None:
    stack.client.receive(b"GET /livez?verbose HTTP/1.1\r\nHost: k\r\n\r\n")
    jane = upstream_request(first=b"GET /livez?verbose HTTP/1.1")
    assert stack.upstream.sent == jane.replace(b"User: jane", b"User: system:anonymous")
    stack.upstream.receive(OK)
    assert stack.client.sent == OK
    for sent, code in (
        (b"GET /livez/ HTTP/1.1\r\nHost: k\r\n\r\n", 401),
        (request(first=b"GET /livez HTTP/1.1", token=b"bad"), 401),
        (b"GET /livez HTTP/1.1\r\nHost: k\r\nImpersonate-User: root\r\n\r\n", 403),
    ):
        client = stack.new_client()
        client.receive(sent)
        assert status_of(client.sent)[0] == code
    assert stack.upstream.sent.count(b"HTTP/1.1\r\n") == 1
    assert len(stack.upstreams) == 1


def test_the_answer_to_a_refused_head_request_has_no_body(stack: Stack) -> None:
    stack.client.receive(request(first=b"HEAD / HTTP/1.1", token=b"bad"))
    assert stack.client.sent.endswith(b"\r\n\r\n")


def test_a_refused_body_is_not_read_as_a_request(stack: Stack) -> None:
    hidden = request(first=b"DELETE /everything HTTP/1.1")
    stack.client.receive(request(b"Content-Length: %d\r\n" % len(hidden), token=b"bad") + hidden)
    stack.client.receive(hidden)
    assert stack.client.sent.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in stack.client.sent
    assert stack.client.ending == "half-closed"
    assert stack.upstreams == []


def test_after_bytes_that_are_not_http_nothing_is_read(stack: Stack) -> None:
    stack.client.receive(b"GET / HTTP/1.1\r\nHost : k\r\n\r\n" + request())
    assert status_of(stack.client.sent)[0] == 400
    assert stack.client.ending == "half-closed"
    assert stack.upstreams == []


def test_a_body_goes_up_as_it_comes(stack: Stack) -> None:
    stack.client.receive(request(b"Content-Length: 6\r\n", b"PUT /x HTTP/1.1") + b"ab")
    head = upstream_request(b"Content-Length: 6\r\n", b"PUT /x HTTP/1.1")
    assert stack.upstream.sent == head + b"ab"
    stack.client.receive(b"cd")
    stack.client.receive(b"ef" + request())
    assert stack.upstream.sent == head + b"abcdef"
    stack.upstream.receive(OK)
    assert stack.upstream.sent == head + b"abcdef" + upstream_request()


def test_chunks_go_up_without_extensions_and_trailers(stack: Stack) -> None:
    stack.client.receive(request(b"Transfer-Encoding: chunked\r\n", b"PUT /x HTTP/1.1"))
    stack.client.receive(b"2;x=y\r\nab\r\n0\r\nImpersonate-User: admin\r\n\r\n")
    assert stack.upstream.sent == (
        upstream_request(b"Transfer-Encoding: chunked\r\n", b"PUT /x HTTP/1.1")
        + b"2\r\nab\r\n0\r\n\r\n"
    )


def test_a_body_that_breaks_off_the_rules_cuts_the_request(stack: Stack) -> None:
    stack.client.receive(request(b"Transfer-Encoding: chunked\r\n", b"PUT /x HTTP/1.1"))
    stack.client.receive(b"2\r\nabX")
    assert stack.upstream.ending == "cut"
    assert status_of(stack.client.sent)[0] == 400
    assert stack.client.ending == "half-closed"


def test_an_answer_before_the_requests_end_is_the_last_one(stack: Stack) -> None:
    stack.client.receive(request(b"Content-Length: 6\r\n", b"PUT /x HTTP/1.1") + b"ab")
    stack.upstream.receive(answer(status=b"413 Too Large"))
    assert b"\r\nConnection: close\r\n" in stack.client.sent
    assert stack.client.ending == "half-closed"
    assert stack.upstream.ending == "cut"


def test_watch_events_arrive_as_they_come(stack: Stack) -> None:
    stack.client.receive(request(first=b"GET /pods?watch=1 HTTP/1.1"))
    stack.upstream.receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert stack.client.sent.endswith(b"\r\n\r\n")
    before = len(stack.client.sent)
    stack.upstream.receive(b"3\r\none\r\n")
    assert stack.client.sent[before:] == b"3\r\none\r\n"
    stack.upstream.receive(b"0\r\n\r\n")
    stack.client.receive(request())
    assert len(stack.upstreams) == 1


def test_interim_answers_pass(stack: Stack) -> None:
    stack.client.receive(
        request(b"Expect: 100-continue\r\nContent-Length: 2\r\n", b"PUT /x HTTP/1.1")
    )
    stack.upstream.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert stack.client.sent == b"HTTP/1.1 100 Continue\r\n\r\n"
    stack.client.receive(b"ab")
    stack.upstream.receive(OK)
    assert stack.client.sent.endswith(OK)


def test_an_http_1_0_client_gets_the_content_until_the_end(stack: Stack) -> None:
    stack.client.receive(request(first=b"GET /api HTTP/1.0"))
    stack.upstream.receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
    stack.upstream.receive(b"0\r\n\r\n")
    assert stack.client.sent == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhi"
    assert stack.client.ending == "half-closed"


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 O", b"HTTP/1.1 200 OK\r\nContent-Len"])
def test_no_whole_head_is_a_502(stack: Stack, begun: bytes) -> None:
    stack.client.receive(request())
    stack.upstream.receive(begun)
    stack.upstream.lose(clean=True)
    assert status_of(stack.client.sent)[0] == 502


@pytest.mark.parametrize("odd", [b"garbage\n", b"HTTP/1.1 200 OK\n\n", b"x" * 300_000])
def test_a_head_that_will_never_end_is_a_502(stack: Stack, odd: bytes) -> None:
    stack.client.receive(request())
    stack.upstream.receive(odd)
    assert status_of(stack.client.sent)[0] == 502
    assert stack.upstream.ending == "cut"


@pytest.mark.parametrize(
    "begun",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n",
    ],
)
def test_a_cut_answer_is_cut(stack: Stack, begun: bytes) -> None:
    stack.client.receive(request())
    stack.upstream.receive(begun)
    stack.upstream.lose(clean=True)
    assert stack.client.ending == "cut"


def test_an_answer_until_close_ends_with_the_closing_alert_only(stack: Stack) -> None:
    for clean, ending in ((True, "half-closed"), (False, "cut")):
        client = stack.new_client()
        client.receive(request())
        stack.upstream.receive(b"HTTP/1.1 200 OK\r\n\r\nhi")
        stack.upstream.lose(clean=clean)
        assert client.ending == ending


@pytest.mark.parametrize("rest", [b"HTTP/1.1 200 OK\r\n\r\n", b"x"])
def test_bytes_after_an_answer_spoil_the_connection(stack: Stack, rest: bytes) -> None:
    stack.client.receive(request())
    stack.upstream.receive(OK + rest)
    assert stack.client.sent == OK
    assert stack.upstream.ending == "cut"
    stack.client.receive(request())
    assert len(stack.upstreams) == 2


def test_an_answer_that_nobody_asked_for_spoils_the_connection(stack: Stack) -> None:
    stack.client.receive(request())
    stack.upstream.receive(OK)
    stack.upstream.receive(OK)
    assert stack.client.sent == OK
    stack.client.receive(request())
    assert len(stack.upstreams) == 2


def test_an_idle_connection_that_was_closed_is_not_used(stack: Stack) -> None:
    stack.client.receive(request())
    stack.upstream.receive(OK)
    stack.upstream.lose(clean=True)
    stack.client.receive(request())
    assert len(stack.upstreams) == 2


def test_an_idle_connection_is_not_kept_for_ever_nor_after_a_new_certificate(stack: Stack) -> None:
    for spoil in (lambda: stack.clock.advance(60), stack.access.__init__):  # type: ignore[misc]
        stack.client.receive(request())
        stack.upstream.receive(OK)
        used = stack.upstream
        spoil()
        stack.client.receive(request())
        assert stack.upstream is not used
        assert used.ending == "closed"
        stack.upstream.receive(OK)


def reused(stack: Stack) -> None:
    """Have a used connection in the pool."""
    stack.client.receive(request())
    stack.upstream.receive(OK)
    stack.client.sent = b""


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"PUT"])
def test_a_repeatable_request_is_sent_again_if_a_used_connection_was_dead(
    stack: Stack, method: bytes
) -> None:
    reused(stack)
    stack.client.receive(request(first=method + b" /x HTTP/1.1"))
    stack.upstreams[0].lose()
    assert len(stack.upstreams) == 2
    stack.upstream.receive(OK)
    assert stack.client.sent == OK


def test_it_is_sent_again_only_once(stack: Stack) -> None:
    reused(stack)
    stack.client.receive(request())
    stack.upstreams[0].lose()
    stack.upstreams[1].lose()
    assert status_of(stack.client.sent)[0] == 502
    assert len(stack.upstreams) == 2


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        (request(first=b"POST /x HTTP/1.1"), b""),
        (request(first=b"PATCH /x HTTP/1.1"), b""),
        (request(b"Content-Length: 1\r\n", b"PUT /x HTTP/1.1") + b"a", b""),
        (request(), b"H"),
        (request(), b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_no_other_request_is_ever_sent_twice(stack: Stack, sent: bytes, seen: bytes) -> None:
    reused(stack)
    stack.client.receive(sent)
    stack.upstream.receive(seen)
    stack.upstream.lose()
    assert len(stack.upstreams) == 1
    assert stack.client.sent.count(b"HTTP/1.1 502 ") == 1


def test_no_request_is_sent_again_on_a_new_connection(stack: Stack) -> None:
    stack.client.receive(request())
    stack.upstream.lose()
    assert len(stack.upstreams) == 1
    assert status_of(stack.client.sent)[0] == 502


def test_an_api_server_out_of_reach_is_a_502(stack: Stack) -> None:
    stack.unreachable = "it refused the connection"
    stack.client.receive(request())
    assert status_of(stack.client.sent) == (
        502,
        "the API server can't be reached: it refused the connection",
    )
    assert not stack.client.ending


def test_no_credential_is_a_503(stack: Stack) -> None:
    stack.access.problem = "the plugin has not answered yet"
    stack.client.receive(request())
    assert status_of(stack.client.sent)[0] == 503
    assert stack.upstreams == []


def test_a_client_who_goes_takes_the_request_along(stack: Stack) -> None:
    stack.client.receive(request())
    stack.client.lose()
    assert stack.upstream.ending == "cut"


def test_a_client_who_goes_before_the_decision_asks_nothing(stack: Stack) -> None:
    stack.client.receive(request(token=b"late"))
    stack.client.lose()
    stack.authentication.late[0].callback(stack.authentication.outcomes[b"Bearer jane"])
    assert stack.upstreams == []


def test_a_late_decision_is_waited_for(stack: Stack) -> None:
    body = b"Content-Length: 4\r\n"
    stack.client.receive(request(body, b"PUT /x HTTP/1.1", token=b"late") + b"ab")
    stack.client.receive(b"cd")
    assert stack.upstreams == []
    stack.authentication.late[0].callback(stack.authentication.outcomes[b"Bearer jane"])
    assert stack.upstream.sent == upstream_request(body, b"PUT /x HTTP/1.1") + b"abcd"


def test_a_failed_decision_lets_nothing_pass(stack: Stack) -> None:
    stack.client.receive(request(token=b"late"))
    stack.authentication.late[0].errback(RuntimeError("a fault of ours"))
    assert status_of(stack.client.sent)[0] == 500
    assert stack.client.ending == "half-closed"
    assert stack.upstreams == []


def test_an_upgrade_becomes_a_tunnel_with_its_101(stack: Stack) -> None:
    stack.client.receive(request(EXEC, b"POST /exec HTTP/1.1") + b"early")
    assert b"early" not in stack.upstream.sent
    stack.upstream.receive(SWITCH + b"out")
    assert stack.client.sent == SWITCH + b"out"
    assert stack.upstream.sent == upstream_request(EXEC, b"POST /exec HTTP/1.1") + b"early"
    stack.client.receive(request())
    assert stack.upstream.sent.endswith(b"early" + request())
    stack.upstream.receive(b"\0\r\n\r\n")
    assert stack.client.sent.endswith(b"out\0\r\n\r\n")


@pytest.mark.parametrize(("clean", "ending"), [(True, "half-closed"), (False, "cut")])
def test_both_sides_of_a_tunnel_end_alike(stack: Stack, clean: bool, ending: str) -> None:
    for end in range(2):
        client = stack.new_client()
        client.receive(request(EXEC))
        stack.upstream.receive(SWITCH)
        sides = [client, stack.upstream]
        sides[end].lose(clean=clean)
        assert sides[1 - end].ending == ending


def test_both_sides_of_a_tunnel_wait_for_each_other(stack: Stack) -> None:
    stack.client.receive(request(EXEC))
    stack.upstream.receive(SWITCH)
    stack.client.producer.pauseProducing()
    assert stack.upstream.paused
    stack.client.producer.resumeProducing()
    assert not stack.upstream.paused
    stack.upstream.producer.pauseProducing()
    assert stack.client.paused
    stack.upstream.producer.resumeProducing()
    assert not stack.client.paused


@pytest.mark.parametrize("status", [b"200 OK", b"403 Forbidden", b"426 Upgrade Required"])
def test_after_a_refused_upgrade_no_byte_passes(stack: Stack, status: bytes) -> None:
    stack.client.receive(request(EXEC) + b"raw")
    stack.upstream.receive(answer(status=status))
    stack.client.receive(request())
    assert stack.client.sent.count(b"HTTP/1.1 ") == 1
    assert stack.client.ending == "half-closed"
    assert stack.upstream.sent == upstream_request(EXEC)
    assert len(stack.upstreams) == 1


@pytest.mark.parametrize(
    ("asked", "switch"),
    [
        (b"", SWITCH),
        (EXEC, SWITCH.replace(b"SPDY/3.1", b"websocket")),
        (EXEC, SWITCH[:-50] + b"\r\n\r\n"),
    ],
)
def test_a_101_that_nobody_asked_for_is_a_502(stack: Stack, asked: bytes, switch: bytes) -> None:
    stack.client.receive(request(asked))
    stack.upstream.receive(switch)
    assert status_of(stack.client.sent)[0] == 502
    stack.client.receive(b"raw")
    assert b"raw" not in stack.upstream.sent


def test_a_slow_client_pauses_the_api_server(stack: Stack) -> None:
    stack.client.receive(request())
    stack.upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    stack.client.producer.pauseProducing()
    assert stack.upstream.paused
    stack.client.producer.resumeProducing()
    assert not stack.upstream.paused


def test_a_connection_comes_back_to_the_pool_reading(stack: Stack) -> None:
    stack.client.receive(request())
    stack.client.producer.pauseProducing()
    assert stack.upstream.paused
    stack.upstream.receive(OK)
    assert not stack.upstream.paused


def test_a_slow_client_is_not_served_further(stack: Stack) -> None:
    stack.client.producer.pauseProducing()
    stack.client.receive(request(token=b"bad"))
    assert stack.client.sent == b""
    stack.client.receive(b"x" * 70000)
    assert stack.client.paused
    stack.client.producer.resumeProducing()
    assert stack.client.sent.startswith(b"HTTP/1.1 401 ")


def test_a_slow_api_server_pauses_the_client(stack: Stack) -> None:
    stack.client.receive(request(b"Content-Length: 9\r\n", b"PUT /x HTTP/1.1"))
    stack.upstream.producer.pauseProducing()
    assert stack.client.paused
    stack.upstream.producer.resumeProducing()
    assert not stack.client.paused


def test_a_client_is_read_again_when_the_answer_came_first(stack: Stack) -> None:
    stack.client.receive(request(b"Content-Length: 2\r\n", b"PUT /x HTTP/1.1") + b"ab")
    stack.upstream.producer.pauseProducing()
    assert stack.client.paused
    stack.upstream.receive(OK)
    assert not stack.client.paused
    stack.client.receive(request())
    stack.upstream.receive(OK)
    assert stack.client.sent == OK * 2


def test_what_nobody_wants_yet_is_not_read_without_end(stack: Stack) -> None:
    stack.client.receive(request())
    stack.client.receive(request() * 2000)
    assert stack.client.paused
    while stack.client.paused:
        stack.upstream.receive(OK)
    assert stack.client.sent.startswith(OK)


def unauthorized() -> bytes:
    return answer(b"no", b"401 Unauthorized")


def test_a_401_of_a_backend_is_the_clients(stack: Stack) -> None:
    stack.client.receive(request())
    stack.upstream.receive(unauthorized())
    assert stack.client.sent == b""
    stack.own_calls.asked[0].callback(None)
    assert stack.client.sent == unauthorized()
    stack.client.receive(request())
    assert stack.upstream.sent == upstream_request() * 2


def test_a_401_that_comes_in_pieces_is_whole_again(stack: Stack) -> None:
    stack.client.receive(request())
    stack.upstream.receive(unauthorized()[:-1])
    stack.upstream.receive(b"o")
    stack.own_calls.asked[0].callback(None)
    assert stack.client.sent == unauthorized()


def test_a_401_for_the_proxy_is_a_502(stack: Stack) -> None:
    stack.client.receive(request())
    stack.upstream.receive(unauthorized())
    stack.own_calls.asked[0].callback(REFUSED)
    code, message = status_of(stack.client.sent)
    assert code == 502
    assert "the API server refuses the proxy's own credential" in message


def test_a_request_is_sent_again_with_a_renewed_credential(stack: Stack) -> None:
    stack.client.receive(request())
    stack.upstream.receive(unauthorized())
    stack.access.authorization = b"Bearer new"
    stack.own_calls.asked[0].callback(None)
    assert b"Authorization: Bearer new\r\n" in stack.upstream.sent
    stack.upstream.receive(OK)
    assert stack.client.sent == OK


def test_one_that_may_not_be_sent_twice_is_for_the_client_to_send(stack: Stack) -> None:
    stack.client.receive(request(first=b"POST /x HTTP/1.1"))
    stack.upstream.receive(unauthorized())
    stack.access.authorization = b"Bearer new"
    stack.own_calls.asked[0].callback(None)
    assert status_of(stack.client.sent)[0] == 503
    assert b"\r\nRetry-After: 1\r\n" in stack.client.sent


def test_a_client_who_goes_while_a_401_is_looked_into(stack: Stack) -> None:
    stack.client.receive(request())
    stack.upstream.receive(unauthorized()[:-1])
    stack.client.lose()
    assert stack.upstream.ending == "cut"
    stack.own_calls.asked[0].callback(None)
    assert stack.client.sent == b""


@pytest.mark.parametrize(
    "target",
    [b"/../x", b"/a/%2e%2E/../x", b"/a/..", b"/.", b"/a%2f..%2fx", b"/a/..;/x", b"/a\\..\\x"],
)
def test_nobody_leaves_the_path_of_the_api_servers_url(stack: Stack, target: bytes) -> None:
    stack.access.path_prefix = b"/clusters/one"
    stack.client.receive(request(first=b"GET %b HTTP/1.1" % target))
    assert stack.client.sent.startswith(b"HTTP/1.1 400 ")
    assert stack.upstreams == []


@pytest.mark.parametrize("target", [b"/api/v1?x=/../", b"/a..b/.c/...", b"/%2e%2ex", b"/"])
def test_dots_that_lead_nowhere_pass(stack: Stack, target: bytes) -> None:
    stack.access.path_prefix = b"/clusters/one"
    stack.client.receive(request(first=b"GET %b HTTP/1.1" % target))
    assert stack.upstream.sent.startswith(b"GET /clusters/one%b HTTP/1.1\r\n" % target)


def test_without_a_path_of_its_own_the_api_server_reads_every_target_itself(stack: Stack) -> None:
    stack.client.receive(request(first=b"GET /a/../b HTTP/1.1"))
    assert stack.upstream.sent.startswith(b"GET /a/../b HTTP/1.1\r\n")


def test_a_connection_lost_over_its_last_piece_is_not_used_again(stack: Stack) -> None:
    stack.client.receive(request())
    stack.upstream.receive(answer()[:-1])
    stack.client.write = lambda _data: stack.client.lose()  # type: ignore[method-assign]
    stack.upstream.receive(answer()[-1:])
    assert stack.upstream.gone
    other = stack.new_client()
    other.receive(request())
    assert len(stack.upstreams) == 2
    stack.upstream.receive(answer(b"for the other"))
    assert other.sent.endswith(b"for the other")


def test_a_connection_with_bytes_on_their_way_is_not_used_again(stack: Stack) -> None:
    stack.client.receive(request(b"Content-Length: 3\r\n", b"PUT /x HTTP/1.1") + b"abc")
    stack.upstream.all_sent = False
    stack.upstream.receive(answer())
    assert stack.upstream.gone


def test_a_failure_inside_is_its_own_clients_alone(stack: Stack) -> None:
    decide = stack.authentication.decide
    stack.authentication.decide = lambda _token: 1 / 0  # type: ignore[method-assign,assignment]
    stack.client.receive(request())
    assert stack.client.sent.startswith(b"HTTP/1.1 500 ")
    assert stack.client.ending == "half-closed"
    stack.authentication.decide = decide  # type: ignore[method-assign]
    other = stack.new_client()
    other.receive(request())
    stack.upstream.receive(answer())
    assert other.sent.endswith(b"hi")


def test_a_client_who_sends_nothing_more_while_it_waits_is_gone(stack: Stack) -> None:
    stack.client.receive(request())
    stack.client.inner.finished()
    assert stack.client.ending == "cut"
    assert stack.upstream.gone


def test_an_upgrade_is_not_asked_for_twice(stack: Stack) -> None:
    stack.client.receive(request())
    stack.upstream.receive(answer())
    stack.client.receive(request(EXEC))
    stack.upstream.lose()
    assert len(stack.upstreams) == 1
    assert b"HTTP/1.1 502 " in stack.client.sent
