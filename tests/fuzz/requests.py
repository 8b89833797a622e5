"""What must hold for the bytes of a client: which requests they are, and what goes upstream."""

from dataclasses import dataclass, field

import h11

from fuzz import plain, plain_stream
from fuzz.plain_websocket import MARK
from fuzz.reading import H11_SIZE, LARGEST_HEAD, content, pieces_of
from koproxy.wire.body import Body, FixedBody
from koproxy.wire.fields import Malformed
from koproxy.wire.request import Request, leaves, parse_request, read_request, upstream_head

HOST, PREFIX, CREDENTIAL, PEER = b"kube.example:6443", b"/prefix", b"Bearer own", b"192.0.2.7"
IDENTITY = b"Impersonate-User: jane\r\nImpersonate-Group: dev\r\n"


@dataclass
class _Upstream:
    """What a client's bytes became: each request's bytes upstream, and whether they ended so."""

    sent: list[bytes] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    refused: bool = False


class _Client:
    """A client's bytes through ``wire``, as a connection takes them."""

    def __init__(self) -> None:
        self.result = _Upstream()
        self.requests: list[Request] = []
        self._buffer = b""
        self._seen = 0
        self._body: Body = FixedBody(0)
        self._over = False

    def receive(self, data: bytes) -> None:
        if self._over:
            return
        self._buffer += data
        try:
            while self._buffer and not self._over:
                if not self._step():
                    break
        except Malformed:
            self.result.refused = self._over = True

    def _step(self) -> bool:
        result = self.result
        if not self._body.done:
            out, self._buffer = self._body.feed(self._buffer)
            result.sent[-1] += out
        else:
            before = self.requests[-1].fields if self.requests else None
            found = read_request(self._buffer, before, LARGEST_HEAD, self._seen)
            if found is None:
                self._seen = len(self._buffer)
                return False
            self._seen = 0
            request, end = found
            head, self._buffer = self._buffer[:end], self._buffer[end:]
            assert request == parse_request(head), "equal bytes have an equal meaning"
            self.requests.append(request)
            result.sent.append(_upstream(request))
            result.whole.append(False)
            self._body = request.body()
        result.whole[-1] = self._body.done
        last = self.requests[-1]
        if last.fields.upgrade is not None or not last.keep_alive:
            self._over = self._body.done
        return True


def _upstream(request: Request) -> bytes:
    return upstream_head(
        request, host=HOST, prefix=PREFIX, identity=IDENTITY, credential=CREDENTIAL, peer=PEER
    )


def check_requests(data: bytes) -> None:
    outcomes = []
    for pieces in pieces_of(data):
        client = _Client()
        for piece in pieces:
            client.receive(piece)
        outcomes.append(client.result)
    whole = outcomes[0]
    for outcome in outcomes[1:]:
        assert outcome.refused == whole.refused, "pieces decide whether it is refused"
        if not whole.refused:
            assert (outcome.sent, outcome.whole) == (whole.sent, whole.whole), "pieces matter"
        else:
            assert outcome.whole == whole.whole, "pieces matter before a refusal"
    expected = plain_stream.requests(data, LARGEST_HEAD)
    assert whole.refused == expected.refused, f"refused: {whole.refused}, but {expected}"
    assert len(whole.sent) == len(expected.messages)
    for request, sent, message in zip(client.requests, whole.sent, expected.messages, strict=True):
        _check_request(request, message.request)
        _check_upstream(sent, message)
    assert whole.whole == [message.whole for message in expected.messages]


def _check_request(request: Request, model: plain.PlainRequest) -> None:
    assert request.fields.authorization == model.authorization
    assert request.fields.impersonation == model.impersonates
    idempotent = model.method in (b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE")
    assert leaves(request.target) == plain.leaves(model.target)
    bare = model.length == 0 and model.upgrade is None
    assert request.repeatable == (idempotent and bare)


def _check_upstream(sent: bytes, message: plain_stream.PlainMessage) -> None:
    head = message.request.upstream(
        host=HOST, prefix=PREFIX, identity=IDENTITY, credential=CREDENTIAL, peer=PEER
    )
    assert sent.startswith(head), f"{sent!r} does not begin with {head!r}"
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=H11_SIZE)
    server.receive_data(sent)
    event = server.next_event()
    assert isinstance(event, h11.Request)
    assert event.http_version == b"1.1"
    _check_fields([(bytes(name), bytes(value)) for name, value in event.headers])
    read, ended = content(server)
    assert message.content.startswith(read), "the content upstream is the client's"
    assert message.refused or read == message.content, "content is held back"
    assert ended == message.whole, "a request upstream ends where the client's does"
    if ended:
        assert server.trailing_data[0] == b"", "a second request behind the first"


def _check_fields(fields: list[tuple[bytes, bytes]]) -> None:
    """Only the proxy says who it is: however a field's name is spelled."""
    spelled = [(name.replace(b"_", b"-"), value) for name, value in fields]
    names = [name for name, _ in spelled]
    assert [pair for pair in fields if pair[0].startswith(b"impersonate-")] == [
        (b"impersonate-user", b"jane"),
        (b"impersonate-group", b"dev"),
    ]
    assert [name for name in names if name.startswith(b"impersonate-")] == [
        b"impersonate-user",
        b"impersonate-group",
    ]
    assert [value for name, value in spelled if name == b"authorization"] == [CREDENTIAL]
    assert [value for name, value in spelled if name == b"host"] == [HOST]
    assert [value for name, value in spelled if name.startswith(b"x-forwarded-")] == [PEER]
    for name in names:
        assert not name.startswith(b"x-remote-")
        assert name not in {b"proxy-authorization", b"te", b"trailer", b"keep-alive", b"x-real-ip"}
    for name, value in fields:
        assert not (name == b"sec-websocket-protocol" and MARK in value.lower())
    assert names.count(b"content-length") + names.count(b"transfer-encoding") <= 1
