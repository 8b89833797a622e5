"""Whose address goes upstream, and into the account, of a request that a proxy has passed on."""

import re
from dataclasses import replace

import pytest
from support.memory import MemoryTLS, Stack, answer, request

from koproxy.proxy.peers import TrustedProxies

PROXY = "10.0.0.1"


def behind(peer: str, networks: str = "10.0.0.0/8") -> tuple[Stack, MemoryTLS]:
    """A stack that trusts these, and a connection from somewhere."""
    stack = Stack()
    stack.way = replace(stack.way, trusted=TrustedProxies([networks]))
    return stack, stack.new_client(peer)


def addresses(sent: bytes) -> list[str]:
    """Each address that the API server was told of."""
    return [each.decode() for each in re.findall(rb"\r\nX-Forwarded-For: ([^\r]*)\r\n", sent)]


@pytest.mark.parametrize(
    ("peer", "lines", "address"),
    [
        (PROXY, b"X-Forwarded-For: 1.1.1.1, 203.0.113.9\r\n", "203.0.113.9"),
        (PROXY, b"X-Forwarded-For: 203.0.113.9\r\nx-forwarded-for: 10.0.0.2\r\n", "203.0.113.9"),
        (PROXY, b"X_Forwarded_For: 203.0.113.9\r\n", PROXY),
        (PROXY, b"X-Real-Ip: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\n", PROXY),
        (PROXY, b"", PROXY),
        ("192.0.2.7", b"X-Forwarded-For: 203.0.113.9\r\n", "192.0.2.7"),
    ],
)
def test_whose_address_goes_upstream(peer: str, lines: bytes, address: str) -> None:
    stack, client = behind(peer)
    client.receive(request(lines))
    assert addresses(stack.upstream.sent) == [address]
    stack.upstream.receive(answer())
    assert [each.peer.decode() for each in stack.accounts.all] == [address]


def test_requests_of_several_clients_come_on_one_connection() -> None:
    stack, client = behind(PROXY)
    told = [b"203.0.113.9", b"203.0.113.9", b"203.0.113.10", b"", b"203.0.113.9"]
    for address in told:
        client.receive(request(b"X-Forwarded-For: %b\r\n" % address if address else b""))
        stack.upstream.receive(answer())
    expected = [address.decode() or PROXY for address in told]
    assert addresses(stack.upstream.sent) == expected
    assert [each.peer.decode() for each in stack.accounts.all] == expected


def test_who_has_not_said_for_whom_it_speaks_passes_on_what_anybody_may_have_written() -> None:
    stack, _ = behind(PROXY)
    client = stack.new_client(PROXY, peer_forwards=False)
    client.receive(request(b"X-Forwarded-For: 203.0.113.9\r\n"))
    assert addresses(stack.upstream.sent) == [PROXY]


def test_what_is_no_request_is_the_proxys_own() -> None:
    stack, client = behind(PROXY)
    client.receive(request(b"X-Forwarded-For: 203.0.113.9\r\n"))
    stack.upstream.receive(answer())
    client.receive(b"no request\r\n\r\n")
    assert [each.peer.decode() for each in stack.accounts.all] == ["203.0.113.9", PROXY]
