"""What must hold for the bytes of a client: which requests they are, and what goes upstream."""

from dataclasses import dataclass, field

import h11

from fuzz import plain
from fuzz.plain_body import chunks
from fuzz.plain_grammar import Refused, head_length
from fuzz.plain_websocket import MARK
from fuzz.reading import H11_SIZE, LARGEST_HEAD, content, pieces_of
from koproxy.wire.body import Body, FixedBody
from koproxy.wire.fields import Malformed
from koproxy.wire.request import Request, parse_request, read_request, upstream_head

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
            self._over = request.fields.upgrade is not None or not request.keep_alive
        result.whole[-1] = self._body.done
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
    expected = plain_requests(data)
    for request, model in zip(client.requests, expected.requests, strict=True):
        idempotent = model.method in (b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE")
        assert request.fields.authorization == model.authorization
        assert request.fields.impersonation == model.impersonates
        upgrades = model.upgrade is not None
        assert request.repeatable == (idempotent and model.length == 0 and not upgrades)
    assert whole.refused == expected.refused, f"refused: {whole.refused}, but {expected}"
    assert len(whole.sent) == len(expected.sent)
    for sent, done, body, model in zip(
        whole.sent, whole.whole, expected.sent, expected.requests, strict=True
    ):
        _check_upstream(sent, done, body, model, refused=whole.refused)
    assert whole.whole == expected.whole


@dataclass
class PlainRequests:
    """A client's bytes, read plainly: requests and their contents, up to a refusal or an end."""

    requests: list[plain.PlainRequest] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    refused: bool = False


def plain_requests(data: bytes) -> PlainRequests:
    """Read what a client sends on one connection, as far as the proxy would."""
    found = PlainRequests()
    try:
        _plain_requests(data, found)
    except Refused:
        found.refused = True
    return found


def _plain_requests(data: bytes, found: PlainRequests) -> None:
    at = 0
    while at < len(data):
        length = head_length(data[at:])
        if (length if length is not None else len(data) - at) > LARGEST_HEAD:
            raise Refused("large")
        if length is None:
            return
        request = plain.request(data[at : at + length])
        at += length
        found.requests.append(request)
        if request.length is not None:
            body = data[at : at + request.length]
            found.sent.append(body)
            found.whole.append(len(body) == request.length)
            at += request.length
        else:
            read = chunks(data[at:])
            found.sent.append(bytes(read.content))
            found.whole.append(read.end is not None)
            if read.refused:
                raise Refused("chunks")
            at = len(data) if read.end is None else at + read.end
        if request.upgrade is not None or not request.keep_alive:
            return


def _check_upstream(
    sent: bytes, whole: bool, expected: bytes, model: plain.PlainRequest, *, refused: bool
) -> None:
    head = model.upstream(
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
    assert expected.startswith(read), "the content upstream is the client's"
    assert refused or read == expected, "content is held back"
    assert ended == whole, "a request upstream ends where the client's does"
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
