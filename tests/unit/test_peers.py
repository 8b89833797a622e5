"""Who the client is behind trusted proxies, and that nobody else has a say in it."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from koproxy.errors import ConfigurationError
from koproxy.proxy.peers import TrustedProxies

TRUSTED = TrustedProxies(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "fe80::/10"])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("10.0.0.1", b"203.0.113.9", b"203.0.113.9"),
        ("10.0.0.1", b"1.1.1.1, 203.0.113.9", b"203.0.113.9"),
        ("10.0.0.1", b"1.1.1.1,203.0.113.9 ,\t10.2.0.1", b"203.0.113.9"),
        ("10.0.0.1", b"10.3.0.1, 10.2.0.1", b"10.3.0.1"),
        ("10.0.0.1", b"", b"10.0.0.1"),
        ("10.0.0.1", b"unknown", b"10.0.0.1"),
        ("10.0.0.1", b"203.0.113.9, unknown", b"10.0.0.1"),
        ("10.0.0.1", b"203.0.113.9, unknown, 10.2.0.1", b"10.2.0.1"),
        ("10.0.0.1", b"203.0.113.9,", b"10.0.0.1"),
        ("10.0.0.1", b"203.0.113.9:4711", b"10.0.0.1"),
        ("10.0.0.1", b"203.0.113.09", b"10.0.0.1"),
        ("10.0.0.1", b"203.0.113.9%x", b"10.0.0.1"),
        ("10.0.0.1", b"fe80::1%eth0", b"10.0.0.1"),
        ("10.0.0.1", b"\xd9\xa1.1.1.1", b"10.0.0.1"),
        ("10.0.0.1", b"\xff", b"10.0.0.1"),
        ("10.0.0.1", b"2001:DB9:0::9", b"2001:db9::9"),
        ("10.0.0.1", b"203.0.113.9, ::ffff:10.2.0.1", b"203.0.113.9"),
        ("10.0.0.1", b"::ffff:203.0.113.9", b"203.0.113.9"),
        ("192.0.2.1", b"203.0.113.9", b"203.0.113.9"),
        ("2001:db8::1", b"203.0.113.9", b"203.0.113.9"),
        ("fe80::1%eth0", b"203.0.113.9", b"203.0.113.9"),
        ("192.0.2.2", b"203.0.113.9", b"192.0.2.2"),
        ("2001:db9::1", b"203.0.113.9, 10.0.0.1", b"2001:db9::1"),
        ("", b"203.0.113.9", b""),
    ],
)
def test_who_the_client_is(peer: str, forwarded_for: bytes, client: bytes) -> None:
    assert TRUSTED.client_address(peer, forwarded_for) == client


strangers = st.ip_addresses(network="203.0.113.0/24") | st.ip_addresses(network="2001:db9::/32")
proxies = st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="2001:db8::/32")


@given(st.binary(max_size=60), strangers, st.lists(proxies, max_size=4), proxies)
@example(b"10.0.0.1, 1.2.3.4,", ipaddress.ip_address("203.0.113.9"), [], "10.0.0.1")
def test_nothing_before_the_first_stranger_counts(
    invented: bytes, stranger: object, hops: list[object], peer: object
) -> None:
    told = b",".join([invented, *(str(each).encode() for each in [stranger, *hops])])
    assert TRUSTED.client_address(str(peer), told) == str(stranger).encode()


@given(st.binary(max_size=60), strangers)
def test_a_stranger_is_nobody_else(told: bytes, stranger: object) -> None:
    assert TRUSTED.client_address(str(stranger), told) == str(stranger).encode()


@given(st.text("0123456789abcdef.:,% ", max_size=60), proxies)
def test_what_is_found_is_an_address(told: str, peer: object) -> None:
    ipaddress.ip_address(TRUSTED.client_address(str(peer), told.encode()).decode())


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ("proxy.example", ["'proxy.example'", "no IP address"]),
        ("10.0.0.0/33", ["'10.0.0.0/33'", "no IP address and no network"]),
        ("10", ["'10'"]),
        ("10.0.0.1/8", ["'10.0.0.1/8'", "write 10.0.0.0/8"]),
        ("2001:db8::1/32", ["write 2001:db8::/32"]),
        ("::ffff:10.0.0.0/104", ["::ffff:"]),
        ("fe80::1%eth0", ["zone", "'fe80::1%eth0'"]),
    ],
)
def test_what_is_no_network_is_said(network: str, words: list[str]) -> None:
    with pytest.raises(ConfigurationError) as problem:
        TrustedProxies(["10.0.0.0/8", network])
    for word in ["--trusted-proxies", *words]:
        assert word in str(problem.value)
