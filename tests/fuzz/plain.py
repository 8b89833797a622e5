"""Heads read a second time, slowly and plainly, from RFC 9112 and the proxy's own rules.

What a request head must become, and what an answer head says: the whole of it, byte for byte.
"""

from dataclasses import dataclass

from fuzz.plain_grammar import DIGITS, fields, is_text, is_token, lines, members, need, number
from fuzz.plain_websocket import offered

ONE_CONNECTIONS = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer"
    b" transfer-encoding upgrade".split()
)
PROTOCOLS = b"sec-websocket-protocol"


@dataclass
class PlainRequest:
    """A request head, and what of it goes upstream: ``passed``, with the framing at its end."""

    method: bytes
    target: bytes
    minor: int
    authorization: bytes
    impersonates: bool
    length: int | None
    upgrade: bytes | None
    keep_alive: bool
    passed: bytes

    def upstream(
        self, *, host: bytes, prefix: bytes, identity: bytes, credential: bytes, peer: bytes
    ) -> bytes:
        """The whole head that the API server must get."""
        own = b"Authorization: " + credential + b"\r\n" if credential else b""
        return (
            self.method
            + (b" " + prefix + self.target + b" HTTP/1.1\r\nHost: " + host + b"\r\n")
            + (self.passed + identity + own)
            + (b"X-Forwarded-For: " + peer + b"\r\n\r\n")
        )


def _is_the_clients_to_say(name: bytes) -> bool:
    """Whether a client's field may reach the API server; ``_`` is read as ``-``."""
    name = name.replace(b"_", b"-")
    if name in ONE_CONNECTIONS or name in (b"host", b"content-length", b"authorization"):
        return False
    if name.startswith((b"impersonate-", b"x-remote-", b"x-forwarded-")):
        return False
    return name not in (b"forwarded", b"x-real-ip", PROTOCOLS)


def leaves(target: bytes) -> bool:
    """Whether the target's path has a segment by which it would climb, or stay where it is."""
    path = target.partition(b"?")[0].lower().replace(b"%2e", b".")
    for slash in (b"%2f", b"%5c", b"\\"):
        path = path.replace(slash, b"/")
    return any(segment.partition(b";")[0] in (b".", b"..") for segment in path.split(b"/")[1:])


def request(head: bytes) -> PlainRequest:
    """Read a whole request head, or say that it is :class:`Refused`."""
    first, *block = lines(head)
    need(b"" in block and block.index(b"") == len(block) - 1, "not one head")
    words = first.split(b" ")
    need(len(words) == 3, "not three words")
    method, target, version = words
    need(is_token(method) and len(method) <= 32 and method != b"CONNECT", "method")
    need(target.startswith(b"/"), "target")
    for byte in target:
        need(0x21 <= byte <= 0x7E and byte != 0x23, "target")
    need(version in (b"HTTP/1.0", b"HTTP/1.1"), "version")
    minor = version[-1] - 0x30

    found = fields(block[:-1])
    values: dict[bytes, list[bytes]] = {}
    for name, value, _ in found:
        values.setdefault(name.replace(b"_", b"-"), []).append(value)
    for name in (b"authorization", b"content-length", b"host", b"transfer-encoding", b"upgrade"):
        need(len(values.get(name, [])) < 2, "twice")
    need(minor == 0 or b"host" in values, "no host")
    for name, _, _ in found:
        need(name not in (b"content_length", b"transfer_encoding"), "an underscore")

    length: int | None = 0
    framing = b""
    if b"transfer-encoding" in values:
        need(minor == 1 and b"content-length" not in values, "two framings")
        need(values[b"transfer-encoding"][0].lower() == b"chunked", "coding")
        length, framing = None, b"Transfer-Encoding: chunked\r\n"
    elif b"content-length" in values:
        length = number(values[b"content-length"][0])
        framing = b"Content-Length: " + str(length).encode() + b"\r\n"

    listed = members(values.get(b"connection", []))
    authorization = values.get(b"authorization", [b""])[0]
    upgrade = None
    if b"upgrade" in listed and b"upgrade" in values:
        asked = values[b"upgrade"][0]
        if asked.lower() in (b"websocket", b"spdy/3.1"):
            need(minor == 1 and length == 0, "an upgrade that can't be")
            upgrade = asked.lower()
            framing += b"Connection: Upgrade\r\nUpgrade: " + asked + b"\r\n"
    if upgrade == b"websocket":
        protocols = [line for line in found if line[0] == PROTOCOLS]
        authorization, left = offered([value for _, value, _ in protocols], authorization)
        if PROTOCOLS not in listed:
            if left is None:
                framing += b"".join(line for _, _, line in protocols)
            elif left:
                framing += b"Sec-WebSocket-Protocol: " + b", ".join(left) + b"\r\n"
    passed = b""
    for name, _, line in found:
        if _is_the_clients_to_say(name) and name not in listed:
            passed += line
    return PlainRequest(
        method=method,
        target=target,
        minor=minor,
        authorization=authorization,
        impersonates=any(name.startswith(b"impersonate-") for name in values),
        length=length,
        upgrade=upgrade,
        keep_alive=b"close" not in listed and (minor == 1 or b"keep-alive" in listed),
        passed=passed + framing,
    )


@dataclass
class PlainAnswer:
    """An answer head; ``length`` is None for chunks and for a body that its connection ends."""

    status: int
    reason: bytes
    passed: bytes
    length: int | None
    chunked: bool
    upgrade: bytes | None
    reusable: bool


def answer(head: bytes, method: bytes) -> PlainAnswer:
    """Read a whole answer head to a request with ``method``, or say that it is refused."""
    first, *block = lines(head)
    need(b"" in block and block.index(b"") == len(block) - 1, "not one head")
    version, blank, rest = first[:8], first[8:9], first[9:]
    need(version in (b"HTTP/1.0", b"HTTP/1.1") and blank == b" ", "version")
    digits, reason = rest[:3], rest[3:]
    need(len(digits) == 3 and all(byte in DIGITS for byte in digits), "status")
    status = int(digits)
    need(100 <= status <= 599, "status")
    need(not reason or reason.startswith(b" "), "status")
    need(is_text(reason), "reason")
    found = fields(block[:-1])
    values: dict[bytes, list[bytes]] = {}
    for name, value, _ in found:
        values.setdefault(name, []).append(value)
    for name in (b"content-length", b"transfer-encoding", b"upgrade"):
        need(len(values.get(name, [])) < 2, "twice")
    length: int | None = None
    chunked = b"transfer-encoding" in values
    if b"content-length" in values:
        need(not chunked, "two framings")
        length = number(values[b"content-length"][0])
    announced = chunked or bool(length)
    if chunked:
        need(values[b"transfer-encoding"][0].lower() == b"chunked", "coding")
        need(version == b"HTTP/1.1", "chunks in HTTP/1.0")
    if status < 200 or status in (204, 304):
        length, chunked = 0, False
    if method == b"HEAD":
        length = 0
    bodyless = method == b"HEAD" or status < 200 or status in (204, 304)
    listed = members(values.get(b"connection", []))
    dropped = (ONE_CONNECTIONS - {b"trailer"}) | (listed - {b"content-length", b"trailer"})
    if status < 200 or status == 204:
        dropped |= {b"content-length"}
    return PlainAnswer(
        status=status,
        reason=reason or b" ",
        passed=b"".join(line for name, _, line in found if name not in dropped),
        length=length,
        chunked=chunked,
        upgrade=values.get(b"upgrade", [None])[0]
        if status == 101 and b"upgrade" in listed
        else None,
        reusable=version == b"HTTP/1.1"
        and b"close" not in listed
        and (length is not None or chunked)
        and not (bodyless and announced),
    )
