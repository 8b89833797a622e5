"""A client's request head, read strictly, and the one head that goes upstream for it.

:func:`upstream_head` is the only place in koproxy where the head of a client's request is written
for the API server: whatever the client sent, the credential in it is the proxy's and the identity
is the one that was verified. Nothing here knows how a token is verified.
"""

import re
from dataclasses import dataclass

from koproxy.wire.body import NO_BODY, Body, ChunkedBody, FixedBody
from koproxy.wire.fields import (
    HOP_BY_HOP,
    TOKEN,
    Malformed,
    content_length,
    field_lines,
    head_end,
    list_members,
)
from koproxy.wire.subprotocols import HEADER as SUBPROTOCOLS
from koproxy.wire.subprotocols import read_offer

# Only the origin form (RFC 9112, section 3.2.1). A proxy to one server has no use for the absolute
# form, for "*" or for CONNECT, and "#" or a byte over 0x7e is no part of a target.
_REQUEST_LINE = re.compile(rb"(" + TOKEN + rb"{1,32}+) (/[\x21\x22\x24-\x7e]*+) HTTP/1\.([01])\r\n")

# The upgrades that Kubernetes speaks. Any other one is not passed on, which RFC 9110 (section
# 7.8) allows: after "h2c" a client would write requests that nobody checks.
_UPGRADES = frozenset({b"websocket", b"spdy/3.1"})

# Who the API server should take a client for, and from where: never a client's to say. Subprotocols
# may have a token among them: those of an upgrade are looked at and written anew.
_DROPPED = HOP_BY_HOP | {
    b"authorization",
    b"content-length",
    b"forwarded",
    b"host",
    SUBPROTOCOLS,
    b"x-real-ip",
}
_DROPPED_PREFIXES = (b"x-forwarded-", b"x-remote-")

_FORWARDED_FOR = b"x-forwarded-for"
_MOST_FORWARDED = 2048  # bytes of it that are kept: more proxies than any request passes

_IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"})


@dataclass(frozen=True, slots=True)
class Fields:
    """What a request's header fields say, apart from its first line.

    ``ending`` are the lines as they came, and the empty one. ``passed_on`` are those that go
    upstream unchanged, with the message's framing; the rest is what the proxy acts upon.
    ``authorization`` is the value of that field, or a token among a WebSocket's subprotocols as it
    would stand there. ``length`` is the body's size in bytes, or None if it comes in chunks.
    ``forwarded_for`` are the members of ``X-Forwarded-For``, the last 2 KB of them: anybody may
    have written them.
    """

    ending: bytes
    authorization: bytes
    impersonation: bool
    length: int | None
    upgrade: bytes | None
    close: bool
    keep_alive: bool
    has_host: bool
    passed_on: bytes
    forwarded_for: bytes

    def value(self, name: bytes) -> bytes:
        """Give the value of the first field of a ``name`` in lower case; empty if there is none.

        For whoever tells of requests: it looks through all lines each time.
        """
        lines = b"\n" + self.ending.lower()
        found = lines.find(b"\n%b:" % name)
        if found < 0:
            return b""
        begin = found + len(name) + 1
        return self.ending[begin : self.ending.index(b"\r", begin)].strip(b" \t")


@dataclass(slots=True)
class Request:
    """One request head. ``target`` is in origin form; ``minor`` is the 0 or 1 of HTTP/1.x."""

    method: bytes
    target: bytes
    minor: int
    fields: Fields

    @property
    def keep_alive(self) -> bool:
        """Whether the client's connection may carry another request (RFC 9112, section 9.3)."""
        if self.fields.close:
            return False
        return self.minor == 1 or self.fields.keep_alive

    def body(self) -> Body:
        """A follower of this request's body, in the form that goes upstream."""
        if self.fields.length is None:
            return ChunkedBody(ChunkedBody.PLAIN)
        return FixedBody(self.fields.length) if self.fields.length else NO_BODY

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does what sending it once does, and it can be sent again."""
        fields = self.fields
        return self.method in _IDEMPOTENT and fields.length == 0 and fields.upgrade is None


def parse_fields(block: bytes) -> Fields:
    """Read the field lines of a request head (without its first line and the empty one).

    Raises :class:`Malformed` for what is not HTTP/1.1, for two fields of which there may be one,
    and for a body whose end could be read in two ways (RFC 9112, section 6.3); with status 401 for
    a WebSocket whose token is among its subprotocols, but not as it should be.
    """
    seen: dict[bytes, bytes] = {}
    connection: list[bytes] = []
    impersonation = False
    kept: list[tuple[bytes, bytes]] = []
    forwarded_for: list[bytes] = []
    for name, value, line in field_lines(block):
        # Some servers behind an API server read "_" as "-": both spellings are one name here.
        spelled = name.replace(b"_", b"-")
        if spelled in _SINGLE:
            if spelled in seen:
                raise Malformed(f"two {_SINGLE[spelled]} headers")
            if spelled != name and spelled in _FRAMING:
                raise Malformed(f"{_SINGLE[spelled]} with an underscore")
            seen[spelled] = value
        if spelled == b"connection":
            connection += list_members(value)
        elif spelled.startswith(b"impersonate-"):
            impersonation = True
        elif spelled not in _DROPPED and not spelled.startswith(_DROPPED_PREFIXES):
            kept.append((name, line))
        elif name == _FORWARDED_FOR:  # spelled so: another spelling may have passed the proxies by
            forwarded_for.append(value)

    coding, size = seen.get(b"transfer-encoding"), seen.get(b"content-length")
    length: int | None = 0
    framing = b""
    if coding is not None:
        if coding.lower() != b"chunked":
            raise Malformed("Transfer-Encoding is not chunked alone", 501)
        if size is not None:
            raise Malformed("both Transfer-Encoding and Content-Length")
        length, framing = None, b"Transfer-Encoding: chunked\r\n"
    elif size is not None:
        length = content_length(size)
        framing = b"Content-Length: %d\r\n" % length

    authorization = seen.get(b"authorization", b"")
    upgrade = seen.get(b"upgrade", b"").lower() if b"upgrade" in connection else b""
    if upgrade in _UPGRADES:
        if length != 0:
            raise Malformed("an upgrade with a body")
        framing += b"Connection: Upgrade\r\nUpgrade: %s\r\n" % seen[b"upgrade"]
    if upgrade == b"websocket":
        offer = read_offer(block)
        authorization = authorization or offer.authorization()
        if SUBPROTOCOLS not in connection:
            framing += offer.passed_on

    return Fields(
        ending=block + b"\r\n",
        authorization=authorization,
        impersonation=impersonation,
        length=length,
        upgrade=upgrade if upgrade in _UPGRADES else None,
        close=b"close" in connection,
        keep_alive=b"keep-alive" in connection,
        has_host=b"host" in seen,
        passed_on=b"".join(line for name, line in kept if name not in connection) + framing,
        forwarded_for=_last_members(forwarded_for),
    )


def _last_members(values: list[bytes]) -> bytes:
    """One list of several, without what is too far to its left."""
    members = b",".join(values)
    if len(members) <= _MOST_FORWARDED:
        return members
    return members[-_MOST_FORWARDED:].partition(b",")[2]


def leaves(target: bytes) -> bool:
    """Whether a target has a segment ``.`` or ``..``, however written, by which it would leave the
    path that is put before it (RFC 3986, section 5.2.4).
    """
    return _DOTS.search(target.partition(b"?")[0]) is not None


_DOTS = re.compile(rb"(?:/|\\|%2f|%5c)(?:\.|%2e){1,2}(?=/|\\|%2f|%5c|;|\Z)", re.IGNORECASE)
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_SINGLE = {
    b"authorization": "Authorization",
    b"content-length": "Content-Length",
    b"host": "Host",
    b"transfer-encoding": "Transfer-Encoding",
    b"upgrade": "Upgrade",
}


def read_request(
    data: bytes, before: Fields | None, largest: int, seen: int = 0
) -> tuple[Request, int] | None:
    """Read the request head that ``data`` begins with; gives it and where it ends.

    None if it isn't whole yet; ``seen`` bytes of it were looked at before. ``before`` are the
    fields of this connection's last request: clients send the same ones again and again, and equal
    bytes have an equal meaning. Raises :class:`Malformed`, also for a head of more than
    ``largest`` bytes.
    """
    if before is not None and data.endswith(before.ending):
        end = len(data)
        line = _REQUEST_LINE.fullmatch(data, 0, end - len(before.ending))
        if line is not None and end <= largest:
            return _request(line, before), end
    end = head_end(data, largest, seen)
    return (parse_request(data[:end]), end) if end else None


def parse_request(head: bytes) -> Request:
    """Read a whole request head, the empty line at its end included.

    Raises :class:`Malformed`.
    """
    line = _REQUEST_LINE.match(head)
    if line is None:
        raise Malformed(_request_line_problem(head))
    return _request(line, parse_fields(head[line.end() : -2]))


def _request(line: re.Match[bytes], fields: Fields) -> Request:
    method, target, minor = line.groups()
    if method == b"CONNECT":
        raise Malformed("CONNECT is not supported", 405)
    if minor == b"1":
        if not fields.has_host:
            raise Malformed("no Host header")
        return Request(method, target, 1, fields)
    if fields.length is None or fields.upgrade is not None:
        raise Malformed("Transfer-Encoding or Upgrade in an HTTP/1.0 request")
    return Request(method, target, 0, fields)


def _request_line_problem(head: bytes) -> str:
    """Say what is wrong with a first line, without repeating it."""
    words = head.partition(b"\r\n")[0].split(b" ")
    if len(words) != 3:
        return "the request line is not a method, a target and a version"
    if words[2] not in (b"HTTP/1.0", b"HTTP/1.1"):
        return "the version is neither HTTP/1.1 nor HTTP/1.0"
    if not words[1].startswith(b"/"):
        return "the target does not begin with a slash"
    return "the method or the target has a character that is not allowed there"


def upstream_head(
    request: Request,
    *,
    host: bytes,
    prefix: bytes,
    identity: bytes,
    credential: bytes,
    peer: bytes,
    noted: bytes = b"",
) -> bytes:
    """Write the head that the API server gets for ``request``.

    ``identity`` are the whole ``Impersonate-*`` lines of a verified identity, and ``credential``
    the value of the proxy's own ``Authorization`` (empty where a client certificate speaks for
    it). ``host`` is the API server's name and port, ``prefix`` the path that its URL has before
    every target, ``peer`` the address of the client, ``noted`` lines for the API server's logs,
    which stand first: of several with one name, Go's servers take the first.
    """
    return b"%b %b%b HTTP/1.1\r\nHost: %b\r\n%b%b%b%bX-Forwarded-For: %b\r\n\r\n" % (
        request.method,
        prefix,
        request.target,
        host,
        noted,
        request.fields.passed_on,
        identity,
        b"Authorization: %b\r\n" % credential if credential else b"",
        peer,
    )
