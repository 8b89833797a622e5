"""Addresses and networks in expressions, as kube-apiserver has been seen to read them."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koproxy.cel.functions.network import OVERLOADS
from koproxy.cel.overloads import Functions
from koproxy.cel.values import CelError

FUNCTIONS = Functions(OVERLOADS)
KINDS = (
    "isUnspecified",
    "isLoopback",
    "isLinkLocalMulticast",
    "isLinkLocalUnicast",
    "isGlobalUnicast",
)
ODD = st.text(
    st.sampled_from("0123456789abcdefF.:/%+- [\u0661\x00\n") | st.characters(codec="utf-8")
)
ADDRESSES = st.ip_addresses().filter(lambda each: getattr(each, "ipv4_mapped", None) is None)


def call(name: str, *values: Any) -> Any:
    return FUNCTIONS.find(name, values).function(*values)


def ip(text: str) -> Any:
    return call("ip", text)


def cidr(text: str) -> Any:
    return call("cidr", text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("::", "::"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::1.2.3.4", "::102:304"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("::ffff:0:1.2.3.4", "::ffff:0:102:304"),
        ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
    ],
)
def test_what_is_an_address(text: str, written: str) -> None:
    assert call("isIP", text) is True
    assert call("string", ip(text)) == written
    assert call("ip.isCanonical", text) is (text == written)
    assert call("family", ip(text)) == (6 if ":" in text else 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "unable to parse IP"),
        ("1.2.3", "unable to parse IP"),
        ("1.2.3.4.5", "unable to parse IP"),
        ("1.2.3.256", "unable to parse IP"),
        ("01.2.3.4", "unable to parse IP"),
        ("1.2.3.4 ", "unable to parse IP"),
        ("1.2.3.4/8", "unable to parse IP"),
        ("1.2.3.4%eth0", "unable to parse IP"),
        ("\u0661.2.3.4", "unable to parse IP"),
        ("16909060", "unable to parse IP"),
        (":::", "unable to parse IP"),
        ("1::2::3", "unable to parse IP"),
        ("1::2:3:4:5:6:7:8", "unable to parse IP"),
        ("12345::", "unable to parse IP"),
        ("::01.2.3.4", "unable to parse IP"),
        ("fe80::1%", "unable to parse IP"),
        ("[::1]", "unable to parse IP"),
        ("1" * 100_000, "unable to parse IP"),
        ("::ffff:1.2.3.4", "IPv4-mapped IPv6 address .* is not allowed"),
        ("::FFFF:102:304", "IPv4-mapped IPv6 address .* is not allowed"),
        ("fe80::1%eth0", "with zone value is not allowed"),
    ],
)
def test_what_is_none(text: str, said: str) -> None:
    assert call("isIP", text) is False
    for function in ("ip", "ip.isCanonical"):
        with pytest.raises(CelError, match=said):
            call(function, text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0.0.0.0", "isUnspecified"),
        ("255.255.255.255", None),
        ("127.255.255.255", "isLoopback"),
        ("128.0.0.1", "isGlobalUnicast"),
        ("10.0.0.1", "isGlobalUnicast"),
        ("169.254.1.1", "isLinkLocalUnicast"),
        ("169.253.1.1", "isGlobalUnicast"),
        ("224.0.0.255", "isLinkLocalMulticast"),
        ("224.0.1.0", None),
        ("239.1.1.1", None),
        ("240.0.0.1", "isGlobalUnicast"),
        ("::", "isUnspecified"),
        ("::1", "isLoopback"),
        ("::2", "isGlobalUnicast"),
        ("::127.0.0.1", "isGlobalUnicast"),
        ("2001:db8::1", "isGlobalUnicast"),
        ("fc00::1", "isGlobalUnicast"),
        ("fe80::1", "isLinkLocalUnicast"),
        ("febf::1", "isLinkLocalUnicast"),
        ("fec0::1", "isGlobalUnicast"),
        ("ff02::1", "isLinkLocalMulticast"),
        ("ff32::1", "isLinkLocalMulticast"),
        ("ff01::1", None),
        ("ff05::1", None),
    ],
)
def test_the_kinds_of_addresses(text: str, kind: str | None) -> None:
    assert [each for each in KINDS if call(each, ip(text))] == ([] if kind is None else [kind])


@pytest.mark.parametrize(
    ("text", "address", "bits", "masked"),
    [
        ("10.0.0.0/8", "10.0.0.0", 8, "10.0.0.0/8"),
        ("10.0.0.5/8", "10.0.0.5", 8, "10.0.0.0/8"),
        ("10.0.0.5/0", "10.0.0.5", 0, "0.0.0.0/0"),
        ("10.0.0.5/32", "10.0.0.5", 32, "10.0.0.5/32"),
        ("2001:db8::1/32", "2001:db8::1", 32, "2001:db8::/32"),
        ("::/128", "::", 128, "::/128"),
    ],
)
def test_what_is_a_network(text: str, address: str, bits: int, masked: str) -> None:
    assert call("isCIDR", text) is True
    found = cidr(text)
    assert call("string", found) == text
    assert call("ip", found) == ip(address)
    assert call("prefixLength", found) == bits
    assert call("masked", found) == cidr(masked)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "10.0.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/+8",
        "10.0.0.0/00",
        "10.0.0.0/8/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/\u0668",
        "::/129",
        "fe80::1%eth0/64",
        "::ffff:1.2.3.4/128",
        "010.0.0.0/8",
        "10.0.0.0/" + "9" * 100_000,
    ],
)
def test_what_is_no_network(text: str) -> None:
    assert call("isCIDR", text) is False
    with pytest.raises(CelError, match=r"^network address parse error during conversion"):
        cidr(text)


@pytest.mark.parametrize(
    ("network", "text", "inside"),
    [
        ("10.0.0.5/8", "10.255.0.1", True),
        ("10.0.0.5/8", "11.0.0.1", False),
        ("10.0.0.5/8", "::1", False),
        ("::/0", "10.0.0.1", False),
        ("0.0.0.0/0", "255.255.255.255", True),
    ],
)
def test_which_addresses_are_in_a_network(network: str, text: str, inside: bool) -> None:
    assert call("containsIP", cidr(network), text) is inside
    assert call("containsIP", cidr(network), ip(text)) is inside


@pytest.mark.parametrize(
    ("network", "text", "inside"),
    [
        ("10.0.0.5/8", "10.1.0.0/16", True),
        ("10.0.0.5/8", "10.0.0.0/8", True),
        ("10.1.0.0/16", "10.0.0.0/8", False),
        ("10.0.0.0/16", "10.0.0.0/8", False),
        ("fe80::/64", "fe80::/10", False),
        ("10.0.0.5/8", "11.0.0.0/16", False),
        ("0.0.0.0/0", "::/0", False),
        ("0.0.0.0/0", "10.0.0.0/8", True),
    ],
)
def test_which_networks_are_in_a_network(network: str, text: str, inside: bool) -> None:
    assert call("containsCIDR", cidr(network), text) is inside
    assert call("containsCIDR", cidr(network), cidr(text)) is inside


@pytest.mark.parametrize(
    ("function", "text"),
    [("containsIP", "x"), ("containsIP", "::ffff:10.0.0.1"), ("containsCIDR", "10.0.0.1")],
)
def test_that_what_cannot_be_read_is_not_said_to_be_outside(function: str, text: str) -> None:
    with pytest.raises(CelError):
        call(function, cidr("::/0"), text)


def test_which_are_the_same() -> None:
    assert ip("::1.2.3.4") == ip("::102:304")
    assert ip("1.2.3.4") != ip("::1.2.3.4")
    assert ip("0.0.0.0") != ip("::")
    assert cidr("10.0.0.5/8") == cidr("10.0.0.5/8")
    assert cidr("10.0.0.5/8") != cidr("10.0.0.0/8")
    assert cidr("10.0.0.0/8") != cidr("10.0.0.0/16")


@given(ODD | ADDRESSES.map(str) | ADDRESSES.map(lambda each: each.exploded.upper()))
def test_any_text_is_an_address_or_none(text: str) -> None:
    try:
        found = ip(text)
    except CelError:
        assert call("isIP", text) is False
        return
    assert call("isIP", text) is True
    written = call("string", found)
    assert ip(written) == found
    assert call("ip.isCanonical", written) is True
    assert sum(call(kind, found) for kind in KINDS) <= 1


@given(ODD | st.builds("{}/{}".format, ADDRESSES | ODD, st.integers(-1, 130)))
def test_any_text_is_a_network_or_none(text: str) -> None:
    try:
        found = cidr(text)
    except CelError:
        assert call("isCIDR", text) is False
        return
    assert call("isCIDR", text) is True
    assert cidr(call("string", found)) == found
    masked = call("masked", found)
    assert call("masked", masked) == masked
    assert call("containsIP", masked, call("ip", found)) is True
    assert call("containsCIDR", found, masked) is True


@given(ADDRESSES, ADDRESSES, st.integers(0, 128))
def test_a_network_has_what_begins_as_it_does(
    one: ipaddress.IPv4Address, other: ipaddress.IPv4Address, bits: int
) -> None:
    bits = min(bits, one.max_prefixlen)
    rest = one.max_prefixlen - bits
    alike = one.version == other.version and int(one) >> rest == int(other) >> rest
    assert call("containsIP", cidr(f"{one}/{bits}"), str(other)) is alike
