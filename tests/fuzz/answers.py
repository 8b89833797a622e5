"""What must hold for the bytes of an API server: which answer they are, and what a client gets."""

from dataclasses import dataclass, field

import h11

from fuzz import plain
from fuzz.plain_body import chunks
from fuzz.plain_grammar import Refused, head_length
from fuzz.reading import H11_SIZE, LARGEST_HEAD, pieces_of
from koproxy.wire.body import Body
from koproxy.wire.fields import Malformed
from koproxy.wire.response import Answer, read_answer


@dataclass
class _Answered:
    """What a client got: heads and bytes; ``ended`` says whether the proxy knows it to be whole."""

    answers: list[Answer] = field(default_factory=list)
    sent: bytes = b""
    ended: bool = False
    refused: bool = False


class _ApiServer:
    """An API server's bytes through ``wire``, as a connection takes them."""

    def __init__(self, method: bytes, minor: int, keep_alive: bool) -> None:
        self.result = _Answered()
        self.kept = False
        self._method, self._minor, self._keep_alive = method, minor, keep_alive
        self._buffer = b""
        self._seen = 0
        self._body: Body | None = None

    def receive(self, data: bytes) -> None:
        result = self.result
        if result.refused or result.ended:
            return
        self._buffer += data
        try:
            while self._buffer and self._body is None:
                found = read_answer(self._buffer, self._method, LARGEST_HEAD, self._seen)
                if found is None:
                    self._seen = len(self._buffer)
                    return
                answer, end = found
                self._seen = 0
                self._head(answer)
                self._buffer = self._buffer[end:]
            if self._body is not None:
                out, self._buffer = self._body.feed(self._buffer)
                result.sent += out
                result.ended = self._body.done
        except Malformed:
            result.refused = True

    def _head(self, answer: Answer) -> None:
        self.result.answers.append(answer)
        if answer.interim:
            if self._minor:
                self.result.sent += answer.head(minor=1, keep_alive=True)
            return
        self._body = answer.body(minor=self._minor)
        self.kept = self._keep_alive and not answer.ends_with_connection(minor=self._minor)
        self.result.sent += answer.head(minor=self._minor, keep_alive=self.kept)


def check_answers(data: bytes) -> None:
    flags, data = (data[0] if data else 0), data[1:]
    method, minor, keep_alive = (b"GET", b"HEAD")[flags & 1], 1 - (flags >> 1 & 1), flags & 4 != 0
    results = []
    for pieces in pieces_of(data):
        server = _ApiServer(method, minor, bool(keep_alive))
        for piece in pieces:
            server.receive(piece)
        results.append(server)
        got = server.result
        first = results[0].result
        assert (got.refused, got.ended) == (first.refused, first.ended), "pieces matter"
        assert got.refused or got.sent == first.sent, "pieces matter"
        assert got.answers == first.answers
    server, got = results[0], results[0].result
    model = _plain_answers(data, method)
    assert got.refused == model.refused
    assert len(got.answers) == len(model.answers)
    for answer, read in zip(got.answers, model.answers, strict=True):
        _check_answer(answer, read)
    _check_client(server, model, method, minor)


@dataclass
class _PlainAnswers:
    answers: list[plain.PlainAnswer] = field(default_factory=list)
    content: bytes = b""
    ended: bool = False
    refused: bool = False


def _plain_answers(data: bytes, method: bytes) -> _PlainAnswers:
    found = _PlainAnswers()
    at = 0
    try:
        while at < len(data):
            length = head_length(data[at:])
            if (length if length is not None else len(data) - at) > LARGEST_HEAD:
                raise Refused("large")
            if length is None:
                break
            answer = plain.answer(data[at : at + length], method)
            found.answers.append(answer)
            at += length
            if answer.status >= 200 or answer.status == 101:
                break
        else:
            return found
    except Refused:
        found.refused = True
        return found
    final = found.answers[-1] if found.answers else None
    if final is None or (final.status < 200 and final.status != 101):
        return found
    if final.length is not None:
        found.content = data[at : at + final.length]
        found.ended = len(found.content) == final.length
    elif final.chunked:
        body = chunks(data[at:])
        found.content, found.ended = bytes(body.content), body.end is not None
        found.refused = body.refused
    else:
        found.content = data[at:]
    return found


def _check_answer(answer: Answer, model: plain.PlainAnswer) -> None:
    assert answer.status == model.status
    assert answer.lines.partition(b"\r\n")[2] == model.passed
    assert answer.upgrade == model.upgrade
    assert answer.reusable == model.reusable
    assert (answer.length, answer.chunked) == (model.length, model.chunked)


def _check_client(server: _ApiServer, model: _PlainAnswers, method: bytes, minor: int) -> None:
    """Have h11 read what the client gets: the content, and an end only if there was one."""
    got = server.result
    final = got.answers[-1] if got.answers else None
    if final is not None and final.status == 101:
        asked = b"" if final.upgrade is None else b"Connection: Upgrade\r\nUpgrade: "
        assert asked + (final.upgrade or b"") in got.sent
        return
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=H11_SIZE)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "k")]))
    client.send(h11.EndOfMessage())
    if got.sent:  # nothing would mean the end of the connection
        client.receive_data(got.sent)
    for answer, read in zip(got.answers, model.answers, strict=True):
        if answer.interim and not minor:
            continue
        event = client.next_event()
        assert isinstance(event, h11.InformationalResponse | h11.Response)
        assert event.status_code == answer.status
        assert bytes(event.reason) == read.reason[1:]
        names = {bytes(name) for name, _ in event.headers}
        assert not names & {b"keep-alive", b"te", b"upgrade", b"proxy-authenticate"}
        assert isinstance(event, h11.Response) != answer.interim
    if final is None or final.interim:
        assert client.next_event() is h11.NEED_DATA
        return
    by_connection = final.ends_with_connection(minor=minor)
    content = b""
    try:
        while isinstance(event := client.next_event(), h11.Data):
            content += event.data
    except h11.RemoteProtocolError:
        # It takes framing fields in a trailer for such, which a client has to ignore (RFC 9110,
        # section 6.5.1); all that comes before the trailer has been read by then.
        assert got.ended
        assert final.chunked
        assert content == model.content
        return
    assert model.content.startswith(content)
    assert got.refused or content == model.content
    if isinstance(event, h11.EndOfMessage):
        assert got.ended, "half an answer looks whole"
        assert not by_connection or final.length == 0
        assert client.trailing_data[0] == b"", "bytes behind an answer"
        assert (client.their_state is h11.MUST_CLOSE) != server.kept
    else:
        assert event is h11.NEED_DATA
        assert by_connection or not got.ended, "a whole answer that looks cut"
