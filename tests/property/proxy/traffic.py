"""What clients say in the machine: in order, odd, and against the rules.

Every request has a name of its own in its target, so that whoever reads it upstream can tell whose
it is; so has what is hidden in a body.
"""

from collections.abc import Callable

from support.memory import request

Build = Callable[[bytes, bytes], bytes]
"""Gives the request with this name and this token."""

TOKENS = (*[b"jane", b"anna"] * 6, b"late", b"late", b"odd", b"early", b"bad")

_SPDY = b"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
_WEBSOCKET = (
    b"Connection: keep-alive, upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n"
)


def _hidden(name: bytes) -> bytes:
    return b"GET /%b-hidden HTTP/1.1\r\nHost: k\r\nAuthorization: Bearer jane\r\n\r\n" % name


def _plain(method: bytes, lines: bytes = b"", minor: int = 1) -> Build:
    return lambda name, token: request(lines, b"%b /%b HTTP/1.%d" % (method, name, minor), token)


def _sized(method: bytes, body: bytes | None, lines: bytes = b"") -> Build:
    def build(name: bytes, token: bytes) -> bytes:
        content = _hidden(name) if body is None else body
        first = b"%b /%b HTTP/1.1" % (method, name)
        return request(lines + b"Content-Length: %d\r\n" % len(content), first, token) + content

    return build


def _chunked(method: bytes, ending: bytes) -> Build:
    def build(name: bytes, token: bytes) -> bytes:
        hidden = _hidden(name)
        head = request(
            b"Transfer-Encoding: chunked\r\n", b"%b /%b HTTP/1.1" % (method, name), token
        )
        return head + b"%x;x=y\r\n%b\r\n" % (len(hidden), hidden) + ending

    return build


GOOD: dict[str, Build] = {
    "get": _plain(b"GET"),
    "delete": _plain(b"DELETE", b"Content-Length: 0\r\n"),
    "head": _plain(b"HEAD"),
    "post": _plain(b"POST"),
    "get, close": _plain(b"GET", b"Connection: close\r\n"),
    "get, Connection lists": _plain(
        b"GET", b"Connection: Authorization, Impersonate-User, X-Forwarded-For, Host\r\n"
    ),
    "get, X-Remote": _plain(
        b"GET", b"X-Remote-User: admin\r\nX_Remote_Group: g\r\nX-Forwarded-For: 1.1.1.1\r\n"
    ),
    "get, h2c": _plain(b"GET", b"Connection: upgrade\r\nUpgrade: h2c\r\n"),
    "get 1.0": _plain(b"GET", minor=0),
    "get 1.0, keep-alive": _plain(b"GET", b"Connection: keep-alive\r\n", minor=0),
    "put, expect": _sized(b"PUT", b"abc", b"Expect: 100-continue\r\n"),
    "patch": _sized(b"PATCH", b"x" * 3000),
    "post, hidden": _sized(b"POST", None),
    "put, hidden, close": _sized(b"PUT", None, b"Connection: close\r\n"),
    "post, chunks, trailer": _chunked(b"POST", b"0\r\nImpersonate-User: admin\r\n\r\n"),
    "put, chunks": _chunked(b"PUT", b"0\r\n\r\n"),
    "spdy": _plain(b"POST", _SPDY),
    "websocket": _plain(b"GET", _WEBSOCKET),
}

BAD: dict[str, Build] = {
    "impersonates": _plain(b"GET", b"Impersonate-User: admin\r\n"),
    "impersonates by _": _plain(b"GET", b"impersonate_group: system:masters\r\n"),
    "impersonates, hidden": _sized(b"GET", None, b"Impersonate-User: admin\r\n"),
    "both lengths": _plain(b"POST", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    "two lengths": _plain(b"POST", b"Content-Length: 5\r\nContent-Length: 0\r\n"),
    "blank before colon": _plain(b"POST", b"Content-Length : 5\r\n"),
    "odd coding": _plain(b"POST", b"Transfer-Encoding:\x0bchunked\r\n"),
    "bare LF": _plain(b"GET", b"A: b\nImpersonate-User: admin\r\n"),
    "bare CR": _plain(b"GET", b"A: b\rImpersonate-User: admin\r\n"),
    "folded": _plain(b"GET", b" folded\r\n"),
    "two credentials": _plain(b"GET", b"Authorization: Bearer jane\r\n"),
    "absolute": _plain(b"GET http://other", b""),
    "CONNECT": _plain(b"CONNECT"),
    "chunk size with blank": _chunked(b"POST", b"0 \r\n\r\n"),
    "trailer with blank": _chunked(b"POST", b"0\r\nA : b\r\n\r\n"),
    "upgrade with body": _sized(b"POST", b"abc", _SPDY),
    "HTTP/2": lambda name, _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _hidden(name),
    "empty line first": lambda name, _: b"\r\n" + _hidden(name),
    "NUL": lambda name, _: b"\0" + _hidden(name),
}
