"""What observers are told of requests, and that they are told before it happens."""

import pytest
from support.memory import Stack, answer, request

from koproxy.identity.decision import Forbidden, Unauthenticated
from koproxy.proxy.account import CLIENT_GONE, Account, Observers


class Watching:
    """Remembers what had been sent, to the client and to the API server, when it was told."""

    def __init__(self) -> None:
        self.stack = Stack(
            observers=Observers((self.decided,), (self.answering,), (self.complete,))
        )
        self.told: list[tuple[str, bytes, bytes]] = []
        self.account = Account(None, b"", 0.0)

    def decided(self, account: Account) -> None:
        self._tell("decided", account)

    def answering(self, account: Account) -> None:
        self._tell("answering", account)

    def complete(self, account: Account) -> None:
        self._tell("complete", account)

    def _tell(self, what: str, account: Account) -> None:
        self.account = account
        upstreams = b"".join(each.sent for each in self.stack.upstreams)
        self.told.append((what, self.stack.client.sent, upstreams))


@pytest.fixture
def watching() -> Watching:
    return Watching()


@pytest.fixture
def stack(watching: Watching) -> Stack:
    return watching.stack


def test_it_is_told_before_the_first_byte_goes_upstream(watching: Watching, stack: Stack) -> None:
    stack.client.receive(request())
    assert watching.told == [("decided", b"", b"")]
    assert stack.upstream.sent


def test_it_is_told_before_a_refusal_is_answered(watching: Watching, stack: Stack) -> None:
    stack.client.receive(request(token=b"nobody"))
    assert watching.told == [("decided", b"", b""), ("complete", b"", b"")]
    account = watching.account
    assert isinstance(account.decision, Unauthenticated)
    assert (account.status, account.refusal) == (401, "Unauthorized: the token is not known")
    assert (account.sent, account.answered, account.cut) == (0, 0, False)


def test_it_is_told_before_the_end_of_an_answer_is_sent(watching: Watching, stack: Stack) -> None:
    stack.client.receive(request())
    stack.clock.advance(2)
    stack.upstream.receive(answer(b"body"))
    assert watching.told[1:] == [("complete", b"", stack.upstream.sent)]
    account = watching.account
    assert (account.status, account.returned, account.refusal) == (200, 4, "")
    assert (account.answered - account.sent, account.ended - account.began) == (2, 2)


@pytest.mark.parametrize(
    ("head", "pieces"),
    [
        (b"Content-Length: 6\r\n", [b"one", b"two"]),
        (b"Transfer-Encoding: chunked\r\n", [b"3\r\none\r\n", b"3\r\ntwo\r\n0\r\n\r\n"]),
    ],
)
def test_it_is_told_before_the_last_piece_is_sent(
    watching: Watching, stack: Stack, head: bytes, pieces: list[bytes]
) -> None:
    stack.client.receive(request())
    stack.upstream.receive(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
    assert watching.told[1:] == [("answering", b"", stack.upstream.sent)]
    stack.upstream.receive(pieces[0])
    before = stack.client.sent
    stack.upstream.receive(pieces[1])
    assert watching.told[2:] == [("complete", before, stack.upstream.sent)]
    assert stack.client.sent == before + pieces[1]
    assert watching.account.returned == len(b"".join(pieces))


def test_what_is_no_request_is_told_of_too(watching: Watching, stack: Stack) -> None:
    stack.client.receive(b"nonsense\r\n\r\n")
    assert watching.told == [("complete", b"", b"")]
    assert (watching.account.request, watching.account.status) == (None, 400)


def test_a_body_is_counted(watching: Watching, stack: Stack) -> None:
    stack.client.receive(request(b"Content-Length: 7\r\n", b"PUT /api HTTP/1.1") + b"sev")
    stack.client.receive(b"en")
    stack.client.receive(b"77")
    stack.upstream.receive(answer())
    assert watching.account.received == 7


def test_a_tunnel_is_counted_to_its_end(watching: Watching, stack: Stack) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
    stack.client.receive(request(upgrade))
    stack.upstream.receive(b"HTTP/1.1 101 Switching\r\n" + upgrade + b"\r\nhello")
    stack.client.receive(b"abc")
    stack.upstream.receive(b"world")
    assert [what for what, _, _ in watching.told] == ["decided", "answering"]
    stack.upstream.lose(clean=True)
    assert [what for what, _, _ in watching.told] == ["decided", "answering", "complete"]
    account = watching.account
    assert (account.status, account.received, account.returned, account.cut) == (101, 3, 10, False)


def test_who_goes_without_an_answer_is_told_of_as_gone(watching: Watching, stack: Stack) -> None:
    stack.client.receive(request())
    stack.client.lose()
    assert (watching.account.status, watching.account.cut) == (CLIENT_GONE, True)


def test_an_answer_that_breaks_is_told_of_as_cut(watching: Watching, stack: Stack) -> None:
    stack.client.receive(request())
    stack.upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    stack.upstream.lose()
    account = watching.account
    assert (account.status, account.returned, account.cut) == (200, 4, True)


def test_a_good_token_and_a_bad_identity_is_a_decision_too(
    watching: Watching, stack: Stack
) -> None:
    stack.client.receive(request(token=b"odd"))
    assert isinstance(watching.account.decision, Forbidden)


def test_a_watch_lets_go_of_what_was_asked(watching: Watching, stack: Stack) -> None:
    stack.client.receive(request())
    stack.upstream.receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    stack.clock.advance(5)
    stack.clients.sweep()
    assert watching.account.request is None
