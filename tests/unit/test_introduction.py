"""A connection from a trusted proxy, until it is known from whom it comes."""

import select
import socket
from collections.abc import Iterator

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactor
from twisted.logger import capturedLogs, formatEvent

from koproxy.proxy.introduction import QUIET_SECONDS, Introduction, Introductions
from koproxy.proxy.limits import Clients, Limits
from koproxy.proxy.peers import TrustedProxies
from koproxy.proxy.sockets import Sockets
from koproxy.proxy.tls import HANDSHAKE_SECONDS

PROXY = "10.0.0.1"
CLIENT = "203.0.113.9"
HEADER = b"PROXY TCP4 203.0.113.9 10.0.0.2 54321 443\r\n"
LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
TLS = b"\x16\x03\x01 and so on"


class Door:
    """Where connections come from one proxy, of each address one at a time."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.sockets = Sockets(MemoryReactor())
        self.clients = Clients(self.clock, Limits(connections=2, connections_per_peer=1))
        self.served: list[tuple[socket.socket, str, bool]] = []
        self.all = Introductions(
            self.clock, self.sockets, self.clients, TrustedProxies(["10.0.0.0/8"])
        )
        self._ends: list[socket.socket] = []

    def connect(self, first: bytes = b"") -> socket.socket:
        """A connection whose first bytes have come already."""
        ours, theirs = socket.socketpair()
        self._ends += [ours, theirs]
        ours.settimeout(5)
        ours.sendall(first)
        assert self.clients.admit(PROXY)
        Introduction(self.all, theirs, PROXY, self._serve)
        return ours

    def _serve(self, connected: socket.socket, peer: str, forwards: bool) -> None:
        self.served.append((connected, peer, forwards))

    def counted(self) -> set[str]:
        """From which of the two addresses there is a connection."""
        found = set()
        for peer in (PROXY, CLIENT):
            if self.clients.admit(peer):
                self.clients.leave(peer)
            else:
                found.add(peer)
        return found

    def close(self) -> None:
        for end in self._ends:
            end.close()
        assert self.sockets.watched == 0
        assert self.clock.getDelayedCalls() == []
        self.sockets.close()


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.close()


def test_only_trusted_proxies_introduce(door: Door) -> None:
    assert door.all.needs(PROXY)
    assert not door.all.needs(CLIENT)


def test_a_header_that_is_there_already_is_not_waited_for(door: Door) -> None:
    door.connect(HEADER + TLS)
    [(connected, peer, forwards)] = door.served
    assert (peer, forwards) == (CLIENT, True)
    assert connected.recv(100) == TLS
    assert door.counted() == {CLIENT}


def test_a_header_may_come_in_any_pieces(door: Door) -> None:
    client = door.connect()
    for byte in HEADER:
        assert door.counted() == {PROXY}
        assert door.served == []
        client.sendall(bytes([byte]))
        door.sockets.doRead()
    client.sendall(TLS)
    [(connected, peer, forwards)] = door.served
    assert (peer, forwards) == (CLIENT, True)
    assert connected.recv(100) == TLS
    assert door.counted() == {CLIENT}


def test_what_was_read_is_not_read_again_and_again(door: Door) -> None:
    client = door.connect(HEADER[:20])
    assert not select.select([door.sockets], [], [], 0)[0]
    client.close()
    assert select.select([door.sockets], [], [], 5)[0]
    door.sockets.doRead()
    assert door.counted() == set()


@pytest.mark.parametrize("header", [LOCAL, b"PROXY UNKNOWN\r\n"])
def test_a_proxy_may_come_for_itself(door: Door, header: bytes) -> None:
    door.connect(header + TLS)
    [(connected, peer, forwards)] = door.served
    assert (connected.recv(100), peer, forwards) == (TLS, PROXY, False)
    assert door.counted() == {PROXY}


def test_too_many_of_a_client_are_closed_and_the_proxy_is_not_charged(door: Door) -> None:
    assert door.clients.admit(CLIENT)
    assert door.connect(HEADER).recv(1) == b""
    assert door.served == []
    assert door.clients.turned_away == 1
    assert door.counted() == {CLIENT}


@pytest.mark.parametrize("sent", [b"", HEADER[:-1], LOCAL[:14]])
def test_a_header_has_its_time(door: Door, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    client = door.connect(sent)
    door.clock.advance(HANDSHAKE_SECONDS / 2)
    door.sockets.doRead()
    assert door.counted() == {PROXY}
    door.clock.advance(HANDSHAKE_SECONDS / 2)
    assert client.recv(1) == b""
    assert door.counted() == set()


def test_dribbling_brings_no_more(door: Door) -> None:
    client = door.connect()
    for byte in HEADER[: int(HANDSHAKE_SECONDS)]:
        client.sendall(bytes([byte]))
        door.sockets.doRead()
        door.clock.advance(1)
    assert client.recv(1) == b""
    assert door.counted() == set()


@pytest.mark.parametrize("sent", [b"", HEADER[:20]])
def test_who_goes_before_the_end_is_forgotten(door: Door, sent: bytes) -> None:
    client = door.connect(sent)
    client.close()
    door.sockets.doRead()
    assert door.served == []
    assert door.counted() == set()


@pytest.mark.parametrize("sent", [TLS, b"PROXY TCP4 1.2.3.4\r\n", LOCAL[:12] + b"\x22\0\0\0"])
def test_what_is_no_header_is_closed(door: Door, sent: bytes) -> None:
    client = door.connect(sent)
    with pytest.raises(ConnectionResetError):  # bytes were left unread
        client.recv(1)
    assert door.served == []
    assert door.counted() == set()


def test_that_it_was_none_is_said_but_not_for_each(door: Door) -> None:
    with capturedLogs() as said:
        for _ in range(3):
            door.connect(TLS)
        door.connect().close()
        door.sockets.doRead()
        door.clock.advance(QUIET_SECONDS)
        door.connect(TLS)
    begins = "closed a connection from 10.0.0.1, a trusted proxy: no PROXY header, "
    why = "it begins as neither version does"
    assert [formatEvent(each) for each in said] == [
        f"{begins}{why}",
        f"{begins}{why}; 2 others since this was last said",
    ]


def test_a_failure_is_one_connections_own(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    client = door.connect()
    monkeypatch.setattr("koproxy.wire.proxy_protocol._end", lambda _held: 1 // 0)
    client.sendall(b"x")
    door.sockets.doRead()
    assert door.counted() == set()
