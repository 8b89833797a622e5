"""One request and the answer that it gets, as a handler sees them.

A handler may answer in one call, in pieces, or with bytes of its own making; the connection is
not its business beyond that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from twisted.internet.defer import Deferred, succeed

from koproxy_harness.errors import HarnessError
from koproxy_harness.serving.bodiless import BODILESS, not_with_body
from koproxy_harness.serving.cut import Cut

if TYPE_CHECKING:
    from koproxy_harness.serving.connection import Connection
    from koproxy_harness.serving.parsing import Head, Headers


class Request:
    """A request as it was received.

    `headers` are pairs in the order and spelling of the wire; `raw` is every byte of it, with
    the framing of its body; `connection` numbers the connection that it came on, from 1;
    `peer_name` is the common name of the client certificate, if there was one, `peer_groups` are
    its organisations, and `peer_fingerprint` is its SHA-256 in hexadecimal digits. While a body is
    still coming, `body` and `raw` grow and `complete` is false. `status` is what it was answered
    with (None: nothing yet, or bytes of a handler's own), `user` as whom (None: nobody was asked).
    """

    def __init__(
        self,
        head: Head,
        connection: int,
        peer_name: str | None,
        peer_groups: tuple[str, ...] = (),
        peer_fingerprint: str = "",
    ) -> None:
        self.method = head.method
        self.target = head.target
        self.headers: Headers = head.headers
        self.trailers: Headers = ()
        self.connection = connection
        self.peer_name = peer_name
        self.peer_groups = peer_groups
        self.peer_fingerprint = peer_fingerprint
        self.complete = False
        self.status: int | None = None
        self.user: str | None = None
        self._raw = bytearray(head.raw)
        self._body = bytearray()
        self._tunnelled = bytearray()

    @property
    def path(self) -> str:
        """The path, percent-decoded, without the query."""
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; of a repeated one the last."""
        parsed = parse_qs(self.target.partition("?")[2], keep_blank_values=True)
        return {name: values[-1] for name, values in parsed.items()}

    @property
    def body(self) -> bytes:
        """The body, without its framing."""
        return bytes(self._body)

    @property
    def raw(self) -> bytes:
        """The exact bytes of the request, from its first line to the end of its body."""
        return bytes(self._raw)

    @property
    def tunnelled(self) -> bytes:
        """What came after a 101, when the connection was a tunnel."""
        return bytes(self._tunnelled)

    def header(self, name: str) -> str | None:
        """Give the value of a field that must not be there twice, None without one."""
        values = self.values(name)
        if len(values) > 1:
            raise HarnessError(f"the request has {len(values)} fields named {name}")
        return values[0] if values else None

    def values(self, name: str) -> list[str]:
        """Give the values of all fields of this name, in any case."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def tokens(self, name: str) -> list[str]:
        """Give the parts of a field that is a list, in lower case."""
        parts = ",".join(self.values(name)).lower().split(",")
        return [part.strip() for part in parts if part.strip()]

    def json(self) -> Any:
        """Give the body as JSON."""
        return json.loads(self._body)

    def add(self, body: bytes, raw: bytes) -> None:
        self._body += body
        self._raw += raw

    def add_tunnelled(self, data: bytes) -> None:
        self._tunnelled += data

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.target}>"


class Exchange:
    """The answer to one request; every method may be called from any thread.

    In one call: `respond`. In pieces: `begin`, `send` for each chunk, `end`. By hand: `write`
    any bytes at all, then `end` (the next request on this connection is read), `close` or
    `abort` (a TCP reset).
    """

    def __init__(
        self, request: Request, connection: Connection, run: Callable[[Callable[[], Any]], Any]
    ) -> None:
        self.request = request
        self.begun = False
        self.answered = False
        self._chunked = False
        self._connection = connection
        self._run = run
        self._waiting: list[Deferred[Request]] = []
        self._is_over = False
        self._gone: list[Callable[[], None]] = []
        self._instead: dict[str, tuple[str, str]] = {}
        self._cut: Cut | None = None

    # The request

    def whole(self) -> Deferred[Request]:
        """Wait for the end of the request's body; fails with `ConnectionError` if it is cut."""
        if self.request.complete:
            return succeed(self.request)
        waiting: Deferred[Request] = Deferred()
        self._waiting.append(waiting)
        return waiting

    def pause(self) -> None:
        """Stop reading from the client: what it sends fills the buffers on the way."""
        self._run(lambda: self._connection.hold("a handler"))

    def resume(self) -> None:
        """Read from the client again."""
        self._run(lambda: self._connection.release("a handler"))

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Have `callback` called once the answer is over, or the client has gone."""
        if self._is_over:
            callback()
        else:
            self._gone.append(callback)

    # The answer

    def respond(
        self, status: int, body: bytes | str | dict[str, Any] = b"", headers: Headers = ()
    ) -> None:
        """Answer with a whole body; a dict is sent as JSON.

        A 204 and a 304 have no body (RFC 9110, section 6.4.1) and get no `Content-Length`. Raises
        `HarnessError` for a body with one of these, and for a 1xx, which is no answer yet.
        """
        if status in BODILESS or status < 200:
            if body not in (b"", "") or status < 200:
                raise not_with_body(status)
            self.write(self._head(status, headers))
            self.end()
            return
        fields = list(headers)
        named = {name.lower() for name, _ in fields}
        if isinstance(body, dict):
            body = json.dumps(body)
            if "content-type" not in named:
                fields.append(("Content-Type", "application/json"))
        data = body.encode() if isinstance(body, str) else body
        if "content-length" not in named:
            fields.append(("Content-Length", str(len(data))))
        whole = self._head(status, fields) + (b"" if self.request.method == "HEAD" else data)
        self.write(whole)
        self.end()

    def begin(self, status: int, headers: Headers = ()) -> None:
        """Send the head of an answer whose body comes in chunks.

        Raises `HarnessError` for a status that has no body: 204, 304 and 1xx.
        """
        if status in BODILESS or status < 200:
            raise not_with_body(status)
        self._chunked = True
        self.write(self._head(status, (*headers, ("Transfer-Encoding", "chunked"))))

    def send(self, data: bytes) -> None:
        """Send one chunk."""
        if data:
            self.begun = True
            self._run(lambda: self._send(data))

    def end(self) -> None:
        """Say that the answer is whole, with the last chunk if it came in chunks."""
        if self._chunked:
            self._run(lambda: self._connection.write(b"0\r\n\r\n"))
        self._run(lambda: self._connection.answered(self))

    def write(self, data: bytes) -> None:
        """Send these bytes, whatever they are."""
        self.begun = True
        self._run(lambda: self._write(data))

    def close(self) -> None:
        """Close the connection once everything is sent."""
        self._run(self._connection.close)

    def abort(self) -> None:
        """Reset the connection; what is not sent yet is lost."""
        self._run(self._connection.abort)

    def drained(self) -> Deferred[None]:
        """Wait until what was written has left for the network (in the reactor's thread)."""
        return self._connection.drained()

    def tunnel(
        self, protocol: str, received: Callable[[bytes], None], headers: Headers = ()
    ) -> None:
        """Answer 101, with these `headers` too, and give every byte that comes to `received`."""
        fields = (("Connection", "Upgrade"), ("Upgrade", protocol), *headers)
        self._run(lambda: self._connection.switch(self._head(101, fields), received))

    # For faults

    def replace(self, headers: Headers) -> None:
        """Have these fields in the place of the answer's own of the same names."""
        self._instead = {name.lower(): (name, value) for name, value in headers}

    def cut(self, after: int, reset: bool) -> None:
        """Have the connection end, or be reset, after so many bytes of the answer's body.

        The chunk that would go beyond is sent as a shorter one. What a handler writes by hand is
        counted as it is, from the end of the head on.
        """
        self._cut = Cut(after, reset)

    def _head(self, status: int, headers: Sequence[tuple[str, str]]) -> bytes:
        self.request.status = status
        fields = [field for field in headers if field[0].lower() not in self._instead]
        return head(status, [*fields, *self._instead.values()])

    def _write(self, data: bytes) -> None:
        if self._cut is None:
            self._connection.write(data)
            return
        self._connection.write(self._cut.let_through(data))
        if self._cut.done:
            self._connection.hang_up(self._cut.reset)

    def _send(self, data: bytes) -> None:
        if self._cut is not None:
            data = self._cut.of_body(data)
        if data:
            self._connection.write(b"%x\r\n%b\r\n" % (len(data), data))
        if self._cut is not None and self._cut.done:
            self._connection.hang_up(self._cut.reset)

    # For the connection

    def completed(self) -> None:
        self.request.complete = True
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(self.request)

    def over(self) -> None:
        self._is_over = True
        waiting, self._waiting = self._waiting, []
        gone, self._gone = self._gone, []
        for waiter in waiting:
            waiter.errback(ConnectionError("the client has gone"))
        for callback in gone:
            callback()


def head(status: int, headers: Sequence[tuple[str, str]]) -> bytes:
    """Give the bytes of an answer's head."""
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
