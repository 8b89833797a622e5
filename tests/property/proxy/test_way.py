"""The one property that matters, over the whole way in memory: whatever bytes a client sends, in
whatever pieces, the API server gets whole requests of the verified identity, and nothing else.

The API server is played by an independent HTTP/1.1 reader (h11), strict about what it reads.
"""

from itertools import pairwise

import h11
from hypothesis import event, given, settings
from hypothesis import strategies as st
from support.memory import MemoryTLS, Stack, answer, request

EXEC = b"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: k\r\nImpersonate-User: admin\r\n\r\n"

GOOD = st.sampled_from(
    [
        request(),
        request(first=b"HEAD /x HTTP/1.1"),
        request(b"Expect: 100-continue\r\nContent-Length: 3\r\n", b"PUT /x HTTP/1.1") + b"abc",
        request(b"Content-Length: %d\r\n" % len(HIDDEN), b"POST /x HTTP/1.1") + HIDDEN,
        request(b"Transfer-Encoding: chunked\r\n", b"POST /x HTTP/1.1")
        + b"%x;x=y\r\n%b\r\n0\r\nImpersonate-User: admin\r\n\r\n" % (len(HIDDEN), HIDDEN),
        request(EXEC),
        request(EXEC.replace(b"SPDY/3.1", b"h2c")),
        request(b"Connection: Authorization, Impersonate-User, X-Forwarded-For\r\n"),
    ]
)
BAD = st.sampled_from(
    [
        request(token=b"bad"),
        request(b"Impersonate-User: admin\r\n"),
        request(b"Impersonate_Group: system:masters\r\n"),
        request(b"Content-Length: %d\r\n" % len(HIDDEN), token=b"bad") + HIDDEN,
        request(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + b"0\r\n\r\n",
        request(b"Content-Length: 5\r\nContent-Length: 0\r\n"),
        request(b"Content-Length : 5\r\n"),
        request(b"Transfer-Encoding: xchunked\r\n"),
        request(b"Transfer-Encoding:\x0bchunked\r\n"),
        request(b"A: b\nImpersonate-User: admin\r\n"),
        request(b"A: b\rImpersonate-User: admin\r\n"),
        request(b" folded\r\n"),
        request(b"Authorization: Bearer other\r\n"),
        request(first=b"GET http://other/ HTTP/1.1"),
        request(first=b"GET / HTTP/1.1\r\nImpersonate-User: admin"),
        request(first=b"GET /\nImpersonate-User:admin HTTP/1.1"),
        request(b"Transfer-Encoding: chunked\r\n", b"POST / HTTP/1.1") + b"3 \r\nabc\r\n0\r\n\r\n",
        request(b"Transfer-Encoding: chunked\r\n", b"POST / HTTP/1.1") + b"0\r\nA : b\r\n\r\n",
        HIDDEN,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\r\n",
        b"\0",
    ]
)
STREAM = st.lists(GOOD | GOOD | BAD | st.binary(max_size=20), max_size=6).map(b"".join)
ANSWERS = st.sampled_from(
    [
        answer(),
        answer(b"", b"204 No Content"),
        answer(b"no", b"403 Forbidden"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n" + EXEC + b"\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"garbage\r\n\r\n",
        b"",
    ]
)


class ApiServer:
    """Reads one upstream connection, and fails at whatever isn't jane's."""

    def __init__(self, connection: MemoryTLS) -> None:
        self.connection = connection
        self._h11 = h11.Connection(h11.SERVER)
        self._read = 0
        self._whole = 0
        self._answered = 0
        self.upgraded = False
        self._offers: list[bool] = []

    def look(self) -> None:
        sent = self.connection.sent
        if self.upgraded or len(sent) == self._read:
            return
        self._h11.receive_data(sent[self._read :])
        self._read = len(sent)
        while True:
            got = self._h11.next_event()
            if isinstance(got, h11.Request):
                self._check(got)
            elif isinstance(got, h11.EndOfMessage):
                assert got.headers == []
                self._whole += 1
                self._h11.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
                self._h11.send(h11.EndOfMessage())
                trailing, _ = self._h11.trailing_data
                # One request at a time, and nothing behind it.
                assert trailing == b""
                self._h11 = h11.Connection(h11.SERVER)
                return
            elif got is h11.NEED_DATA:
                return
            else:
                assert isinstance(got, h11.Data)

    def _check(self, got: h11.Request) -> None:
        fields = [(bytes(name), bytes(value)) for name, value in got.headers]
        who = [pair for pair in fields if pair[0].replace(b"_", b"-").startswith(b"impersonate-")]
        assert who == [(b"impersonate-user", b"jane")]
        credentials = [value for name, value in fields if b"authorization" in name]
        assert credentials == [b"Bearer own"]
        assert [value for name, value in fields if name == b"x-forwarded-for"] == [b"192.0.2.7"]
        assert bytes(got.target) != b"/hidden"
        self._offers.append((b"upgrade", b"SPDY/3.1") in fields)

    def reply(self, data: bytes) -> None:
        if self._answered < self._whole and not self.connection.gone and not self.upgraded:
            if data.startswith(b"HTTP/1.1 101") and self._offers[-1]:
                self.upgraded = True
            if not data.startswith(b"HTTP/1.1 100"):
                self._answered += 1
            self.connection.receive(data)


@given(
    STREAM,
    st.lists(st.integers(min_value=0), max_size=6),
    st.lists(st.tuples(ANSWERS, st.booleans()), max_size=8),
)
@settings(max_examples=600, deadline=None)
def test_only_whole_requests_of_the_verified_identity(
    stream: bytes, cuts: list[int], answers: list[tuple[bytes, bool]]
) -> None:
    stack = Stack()
    servers: list[ApiServer] = []

    def look() -> None:
        for connection in stack.upstreams[len(servers) :]:
            servers.append(ApiServer(connection))
        for server in servers:
            server.look()

    places = sorted({cut % (len(stream) + 1) for cut in cuts} | {0, len(stream)})
    for start, end in pairwise(places):
        stack.client.receive(stream[start:end])
        look()
        if answers and servers:
            reply, cut = answers.pop()
            servers[-1].reply(reply)
            if cut and not servers[-1].upgraded:
                servers[-1].connection.lose(clean=True)
            look()
    while answers and servers:
        servers[-1].reply(answers.pop()[0])
        look()
    event(f"{len(servers)} connections")
    event(f"upgraded: {any(server.upgraded for server in servers)}")
