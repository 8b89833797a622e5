"""Whatever a client sends: the head upstream has the proxy's credential and this identity alone.

An independent HTTP/1.1 reader (h11) plays the API server.
"""

import h11
from hypothesis import example, given, settings
from hypothesis import strategies as st

from koproxy.wire.fields import Malformed
from koproxy.wire.request import Fields, Request, parse_request, read_request, upstream_head

IDENTITY = [(b"impersonate-user", b"jane"), (b"impersonate-group", b"dev")]

NAMES = st.sampled_from(
    [
        b"Impersonate-User",
        b"impersonate_user",
        b"Impersonate-Extra-x",
        b"Authorization",
        b"authorization",
        b"Proxy-Authorization",
        b"Connection",
        b"connection",
        b"Upgrade",
        b"Host",
        b"Content-Length",
        b"Content_Length",
        b"Transfer-Encoding",
        b"X-Forwarded-For",
        b"X-Remote-User",
        b"Trailer",
        b"TE",
        b"Expect",
        b"Accept",
    ]
) | st.from_regex(rb"[!#-'*+.^-z|~A-Z0-9-]{1,12}", fullmatch=True)
VALUES = (
    st.sampled_from(
        [
            b"chunked",
            b"close",
            b"keep-alive, Impersonate-User, Authorization",
            b"upgrade, host, content-length",
            b"websocket",
            b"h2c",
            b"0",
            b"5",
            b"Bearer x",
            b"admin\r\nImpersonate-User: admin",
            b"admin\nImpersonate-User: admin",
            b"a\rb",
            b"\0",
        ]
    )
    | st.binary(max_size=12)
    | st.from_regex(rb"[ -~]{0,20}", fullmatch=True)
)
SEPARATORS = st.just(b": ") | st.sampled_from([b":", b":\t"]) | st.sampled_from([b" : ", b"\r\n :"])
LINES = st.lists(
    st.tuples(NAMES, SEPARATORS, VALUES).map(b"".join).map(lambda line: line + b"\r\n"), max_size=8
).map(b"".join)
FIRST = st.tuples(
    st.sampled_from([b"GET", b"POST", b"HEAD", b"get", b"P\0T"]),
    st.sampled_from([b" ", b"  ", b"\t"]),
    st.from_regex(rb"/[!-~]{0,12}", fullmatch=True) | st.sampled_from([b"*", b"http://x/", b"/ "]),
    st.sampled_from([b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b" HTTP/1.1\n", b"\r\n"]),
).map(b"".join)
HEADS = (
    st.tuples(st.just(b"GET /api HTTP/1.1\r\nHost: k\r\n"), LINES, st.just(b"\r\n"))
    | st.tuples(FIRST, st.just(b"Host: k\r\n"), LINES, st.just(b"\r\n"))
).map(b"".join) | st.binary(max_size=60).map(lambda head: head + b"\r\n\r\n")


def as_the_api_server_reads(head: bytes) -> h11.Request:
    server = h11.Connection(h11.SERVER)
    server.receive_data(head)
    event = server.next_event()
    assert isinstance(event, h11.Request)
    return event


@given(HEADS)
@settings(max_examples=500)
@example(b"GET /api HTTP/1.1\r\nHost: k\r\nConnection: Impersonate-User, Authorization\r\n\r\n")
def test_only_the_proxy_says_who_it_is(head: bytes) -> None:
    head = head[: head.index(b"\r\n\r\n") + 4]
    try:
        request = parse_request(head)
    except Malformed:
        return
    seen = as_the_api_server_reads(
        upstream_head(
            request,
            host=b"kube:6443",
            prefix=b"",
            identity=b"".join(b"%b: %b\r\n" % pair for pair in IDENTITY),
            credential=b"Bearer own",
            peer=b"192.0.2.7",
        )
    )
    fields = [(bytes(name), bytes(value)) for name, value in seen.headers]
    names = [name.replace(b"_", b"-") for name, _ in fields]
    assert [pair for pair in fields if pair[0].startswith(b"impersonate")] == IDENTITY
    assert not [name for name in names if name.startswith(b"x-remote-")]
    for name, value in (
        (b"authorization", b"Bearer own"),
        (b"host", b"kube:6443"),
        (b"x-forwarded-for", b"192.0.2.7"),
    ):
        assert names.count(name) == 1
        assert (name, value) in fields
    assert names.count(b"content-length") + names.count(b"transfer-encoding") == (
        0 if request.fields.length == 0 and b"content-length" not in names else 1
    )
    assert (b"connection" in names) == (request.fields.upgrade is not None)
    assert bytes(seen.target) == request.target
    assert bytes(seen.method) == request.method


@given(
    HEADS, st.sampled_from([b"GET /other HTTP/1.1\r\n", b"GET /other HTTP/1.0\r\n", b"GET /\r\n"])
)
def test_fields_seen_before_mean_what_they_meant(head: bytes, first: bytes) -> None:
    head = head[: head.index(b"\r\n\r\n") + 4]
    try:
        before = parse_request(head).fields
    except Malformed:
        return
    other = parse_request(b"GET / HTTP/1.1\r\nHost: other\r\n\r\n").fields
    for again in (head, head + head, first + before.ending, before.ending, first + head):
        assert outcome(again, before) == outcome(again, other) == outcome(again, None)


def outcome(data: bytes, before: Fields | None) -> tuple[Request, int] | str | None:
    try:
        return read_request(data, before, 65536)
    except Malformed as problem:
        return str(problem)
