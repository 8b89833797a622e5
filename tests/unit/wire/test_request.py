"""Request heads, one case a line: what is taken, what is refused and with which status."""

import pytest

from koproxy.wire.fields import Malformed
from koproxy.wire.request import parse_request, upstream_head

HOST = b"Host: kube.example\r\n"


def head(lines: bytes = HOST, first: bytes = b"GET /api HTTP/1.1") -> bytes:
    return first + b"\r\n" + lines + b"\r\n"


def sent(lines: bytes, first: bytes = b"GET /api HTTP/1.1", **parts: bytes) -> bytes:
    request = parse_request(head(HOST + lines, first))
    values = {
        "host": b"kube:6443",
        "prefix": b"",
        "identity": b"Impersonate-User: jane\r\n",
        "credential": b"Bearer own",
        "peer": b"192.0.2.7",
    }
    return upstream_head(request, **(values | parts))


def test_the_head_upstream_is_exactly_this() -> None:
    assert sent(
        b"User-Agent: kubectl\r\nAuthorization: Bearer hers\r\nAccept: */*\r\n",
        b"POST /api/v1/pods?x=1 HTTP/1.1",
        prefix=b"/k8s/clusters/c1",
    ) == (
        b"POST /k8s/clusters/c1/api/v1/pods?x=1 HTTP/1.1\r\n"
        b"Host: kube:6443\r\n"
        b"User-Agent: kubectl\r\n"
        b"Accept: */*\r\n"
        b"Impersonate-User: jane\r\n"
        b"Authorization: Bearer own\r\n"
        b"X-Forwarded-For: 192.0.2.7\r\n"
        b"\r\n"
    )


def test_a_client_certificate_needs_no_authorization() -> None:
    assert b"authorization" not in sent(b"Authorization: Bearer hers\r\n", credential=b"").lower()


@pytest.mark.parametrize(
    "line",
    [
        b"X-Forwarded-For: 10.0.0.1",
        b"x-forwarded-proto: http",
        b"X_Forwarded_For: 10.0.0.1",
        b"Forwarded: for=10.0.0.1",
        b"X-Real-IP: 10.0.0.1",
        b"X-Remote-User: admin",
        b"x_remote_group: system:masters",
        b"X-Remote-Extra-scopes: all",
        b"Proxy-Authorization: Basic eDp5",
        b"Keep-Alive: timeout=5",
        b"TE: trailers",
        b"Trailer: Impersonate-User",
        b"Upgrade: websocket",
        b"Connection: close",
    ],
)
def test_a_field_that_is_not_the_clients_to_send_goes_no_further(line: bytes) -> None:
    assert sent(line + b"\r\n") == sent(b"")


def test_what_connection_lists_goes_no_further_and_takes_nothing_else_along() -> None:
    listed = b"Connection: X-Mine, Impersonate-User, Authorization, X-Forwarded-For, Host\r\n"
    assert sent(listed + b"x-mine: 1\r\n") == sent(b"")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (b"", b""),
        (b"X-Forwarded-For: 1.1.1.1 \r\n", b"1.1.1.1"),
        (b"x-forwarded-for:1.1.1.1, 2.2.2.2\r\nA: b\r\nX-FORWARDED-FOR: 3.3.3.3\r\n", None),
        (b"X-Forwarded-For: 1.1.1.1\r\nX_Forwarded_For: 6.6.6.6\r\n", b"1.1.1.1"),
        (b"X-Forwarded-For: 1.1.1.1\r\nX-Forwarded: 6.6.6.6\r\n", b"1.1.1.1"),
        (b"Connection: X-Forwarded-For\r\nX-Forwarded-For: 1.1.1.1\r\n", b"1.1.1.1"),
        (b"X-Forwarded-For: %b1.1.1.1\r\n" % (b"6.6.6.6," * 5000), b"6.6.6.6," * 255 + b"1.1.1.1"),
        (b"X-Forwarded-For: %b1.1.1.1\r\n" % (b"6" * 5000), b""),
    ],
)
def test_what_proxies_have_told_is_kept_in_one_list(lines: bytes, told: bytes | None) -> None:
    found = parse_request(head(HOST + lines)).fields.forwarded_for
    assert found == (b"1.1.1.1, 2.2.2.2,3.3.3.3" if told is None else told)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (b"User-Agent: kubectl/v1\r\n", b"kubectl/v1"),
        (b"USER-agent:\tkubectl v1 \r\n", b"kubectl v1"),
        (b"User-Agent: one\r\nUser-Agent: two\r\n", b"one"),
        (b"User-Agent:\r\nAccept: */*\r\n", b""),
        (b"X-User-Agent: other\r\nAccept: user-agent: other\r\n", b""),
        (b"", b""),
    ],
)
def test_a_field_is_found_by_its_name(lines: bytes, value: bytes) -> None:
    for block in (HOST + lines, lines + HOST):
        assert parse_request(head(block)).fields.value(b"user-agent") == value


@pytest.mark.parametrize(
    "name",
    [
        b"Impersonate-User",
        b"IMPERSONATE-GROUP",
        b"impersonate-extra-scopes",
        b"Impersonate-Uid",
        b"Impersonate_User",
        b"Impersonate-Anything-New",
    ],
)
def test_an_impersonation_field_is_noticed_in_any_spelling_and_not_passed_on(name: bytes) -> None:
    request = parse_request(head(HOST + name + b": x\r\n"))
    assert request.fields.impersonation
    assert name.lower() not in request.fields.passed_on.lower()


@pytest.mark.parametrize(
    ("lines", "length"),
    [(b"", 0), (b"Content-Length: 12\r\n", 12), (b"Transfer-Encoding: Chunked\r\n", None)],
)
def test_one_framing(lines: bytes, length: int | None) -> None:
    assert parse_request(head(HOST + lines)).fields.length == length


@pytest.mark.parametrize("offer", [b"websocket", b"SPDY/3.1"])
def test_the_upgrades_of_kubernetes_are_asked_for(offer: bytes) -> None:
    asked = sent(b"Connection: keep-alive, Upgrade\r\nUpgrade: " + offer + b"\r\n")
    assert b"\r\nConnection: Upgrade\r\nUpgrade: " + offer + b"\r\n" in asked


@pytest.mark.parametrize("offer", [b"h2c", b"websocket, h2c", b"TLS/1.0", b""])
def test_no_other_upgrade_is(offer: bytes) -> None:
    assert sent(b"Connection: Upgrade\r\nUpgrade: " + offer + b"\r\n") == sent(b"")


@pytest.mark.parametrize(
    ("minor", "connection", "kept"),
    [
        (1, b"", True),
        (1, b"Connection: close\r\n", False),
        (1, b"Connection: x\r\nConnection: Close\r\n", False),
        (0, b"", False),
        (0, b"Connection: Keep-Alive\r\n", True),
    ],
)
def test_whether_the_connection_stays(minor: int, connection: bytes, kept: bool) -> None:
    first = b"GET / HTTP/1.%d" % minor
    assert parse_request(head(HOST + connection, first)).keep_alive is kept


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"", 400),
        (HOST + HOST, 400),
        (HOST + b"Authorization: Bearer a\r\nauthorization: Bearer b\r\n", 400),
        (HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n", 400),
        (HOST + b"Content-Length: 1\r\nContent_Length: 2\r\n", 400),
        (HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400),
        (HOST + b"Content-Length: +1\r\n", 400),
        (HOST + b"Content-Length: 1, 1\r\n", 400),
        (HOST + b"Content-Length: 0x1\r\n", 400),
        (HOST + b"Content-Length: \r\n", 400),
        (HOST + b"Content-Length: 1" + b"0" * 18 + b"\r\n", 400),
        (HOST + b"Transfer-Encoding: gzip, chunked\r\n", 501),
        (HOST + b"Transfer-Encoding: identity\r\n", 501),
        (HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
        (HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n", 400),
        (HOST + b"A : b\r\n", 400),
        (HOST + b": b\r\n", 400),
        (HOST + b"A\r\n", 400),
        (HOST + b"A: b\r\n folded\r\n", 400),
        (HOST + b"A: b\nC: d\r\n", 400),
        (HOST + b"A: b\rC: d\r\n", 400),
        (HOST + b"A: \0\r\n", 400),
        (HOST + b"A: \x7f\r\n", 400),
        (HOST + b"A\xe9: b\r\n", 400),
    ],
)
def test_ambiguous_fields_are_refused(lines: bytes, status: int) -> None:
    with pytest.raises(Malformed) as problem:
        parse_request(head(lines))
    assert problem.value.status == status


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (b"GET  /api HTTP/1.1", 400),
        (b"GET /a b HTTP/1.1", 400),
        (b"GET /api HTTP/1.1 ", 400),
        (b"GET /api HTTP/2.0", 400),
        (b"GET /api http/1.1", 400),
        (b"GET /api", 400),
        (b"GET http://kube.example/api HTTP/1.1", 400),
        (b"OPTIONS * HTTP/1.1", 400),
        (b"CONNECT kube.example:443 HTTP/1.1", 400),
        (b"CONNECT /api HTTP/1.1", 405),
        (b"GET /a#b HTTP/1.1", 400),
        (b"GET /\xc3\xa9 HTTP/1.1", 400),
        (b"GET /\t HTTP/1.1", 400),
        (b"G(T / HTTP/1.1", 400),
        (b"", 400),
        (b"\r\nGET / HTTP/1.1", 400),
    ],
)
def test_first_lines_that_are_not_for_this_proxy(first: bytes, status: int) -> None:
    with pytest.raises(Malformed) as problem:
        parse_request(head(first=first))
    assert problem.value.status == status


@pytest.mark.parametrize(
    "lines", [b"Transfer-Encoding: chunked\r\n", b"Connection: upgrade\r\nUpgrade: websocket\r\n"]
)
def test_chunks_and_upgrades_need_http_1_1(lines: bytes) -> None:
    parse_request(head(HOST + lines, b"POST / HTTP/1.1"))
    with pytest.raises(Malformed):
        parse_request(head(HOST + lines, b"POST / HTTP/1.0"))


def test_what_is_wrong_is_said_without_repeating_it() -> None:
    with pytest.raises(Malformed) as problem:
        parse_request(head(HOST + b"Authorization : Bearer secret\r\n"))
    assert str(problem.value) == "header line 2 is not a name, a colon and a value"
