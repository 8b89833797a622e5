"""IP addresses and networks: ``ip('10.0.0.1')``, ``cidr('10.0.0.0/8')``. Pure.

Python's ``ipaddress`` reads and writes addresses as Go's ``net/netip`` does, and counts bits. What
it takes besides, or sees otherwise, is decided here: zones, addresses of IPv4 within IPv6, a prefix
as a mask or with zeros before it, and what is link-local or global.
https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-ip-address-library
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import ClassVar

from koproxy.cel.overloads import Overload
from koproxy.cel.values import CelError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LONGEST = 60  # characters, zone and prefix length left out; no address is longer
_BITS = re.compile("0|[1-9][0-9]{0,2}")


@dataclass(frozen=True, slots=True)
class IP:
    """An address."""

    type_name: ClassVar[str] = "net.IP"

    address: Address


@dataclass(frozen=True, slots=True)
class CIDR:
    """An address, and how many of its first bits are the network's; the others are kept."""

    type_name: ClassVar[str] = "net.CIDR"

    address: Address
    bits: int

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """Give the network that it is in."""
        return ipaddress.ip_network((self.address, self.bits), strict=False)

    def masked(self) -> "CIDR":
        """Give it without the bits that aren't the network's."""
        return CIDR(self.network.network_address, self.bits)

    def contains(self, ip: IP) -> bool:
        """Say whether an address is in the network."""
        return ip.address in self.network

    def contains_all(self, other: "CIDR") -> bool:
        """Say whether all of another network is in this one."""
        same = self.address.version == other.address.version
        return same and self.bits <= other.bits and other.address in self.network


def address_of(text: str) -> tuple[Address, str]:
    """Read an address, and the zone behind it or ""; raises ValueError."""
    found, percent, zone = text.partition("%")
    if len(found) > _LONGEST or (percent and (not zone or ":" not in found)):
        raise ValueError("unable to parse IP")
    return ipaddress.ip_address(found), zone


def read_ip(text: str) -> IP:
    """Read an address without a zone, as Kubernetes does; raises ``CelError``."""
    try:
        address, zone = address_of(text)
    except ValueError:
        shown = f'"{text[:100]}"'
        raise CelError(
            f"IP Address {shown} parse error during conversion from string: "
            f"ParseAddr({shown}): unable to parse IP"
        ) from None
    if zone:
        raise CelError(f'IP address "{text[:100]}" with zone value is not allowed')
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        raise CelError(f'IPv4-mapped IPv6 address "{text}" is not allowed')
    return IP(address)


def read_cidr(text: str) -> CIDR:
    """Read a network as Kubernetes does; raises ``CelError``."""
    what = "network address parse error during conversion from string"
    wrong = CelError(f'{what}: {what}: netip.ParsePrefix("{text[:100]}"): unable to parse')
    found, _, bits = text.rpartition("/")
    try:
        address, zone = address_of(found)
    except ValueError:
        raise wrong from None
    if zone or _BITS.fullmatch(bits) is None or int(bits) > address.max_prefixlen:
        raise wrong
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        raise CelError(f'{what}: IPv4-mapped IPv6 address "{text}" is not allowed')
    return CIDR(address, int(bits))


def _is_ip(text: str) -> bool:
    try:
        read_ip(text)
    except CelError:
        return False
    return True


def _is_cidr(text: str) -> bool:
    try:
        read_cidr(text)
    except CelError:
        return False
    return True


def _is_link_local_multicast(ip: IP) -> bool:
    if isinstance(ip.address, ipaddress.IPv4Address):
        return ip.address.packed[:3] == b"\xe0\x00\x00"
    return ip.address.packed[0] == 0xFF and ip.address.packed[1] & 0x0F == 0x02


def _is_link_local_unicast(ip: IP) -> bool:
    if isinstance(ip.address, ipaddress.IPv4Address):
        return ip.address.packed[:2] == b"\xa9\xfe"
    return ip.address.packed[0] == 0xFE and ip.address.packed[1] & 0xC0 == 0x80


def _is_global_unicast(ip: IP) -> bool:
    """As Go has it: private addresses are global ones, and the one of broadcasts is none."""
    address = ip.address
    return not (
        address.is_unspecified
        or address.is_loopback
        or address.is_multicast
        or _is_link_local_unicast(ip)
        or address == ipaddress.IPv4Address("255.255.255.255")
    )


OVERLOADS = (
    Overload("ip(string) -> net.IP", read_ip),
    Overload("isIP(string) -> bool", _is_ip),
    Overload("ip.isCanonical(string) -> bool", lambda text: str(read_ip(text).address) == text),
    Overload("net.IP.family() -> int", lambda ip: ip.address.version),
    Overload("net.IP.isUnspecified() -> bool", lambda ip: ip.address.is_unspecified),
    Overload("net.IP.isLoopback() -> bool", lambda ip: ip.address.is_loopback),
    Overload("net.IP.isLinkLocalMulticast() -> bool", _is_link_local_multicast),
    Overload("net.IP.isLinkLocalUnicast() -> bool", _is_link_local_unicast),
    Overload("net.IP.isGlobalUnicast() -> bool", _is_global_unicast),
    Overload("string(net.IP) -> string", lambda ip: str(ip.address)),
    Overload("cidr(string) -> net.CIDR", read_cidr),
    Overload("isCIDR(string) -> bool", _is_cidr),
    Overload(
        "net.CIDR.containsIP(string) -> bool", lambda cidr, text: cidr.contains(read_ip(text))
    ),
    Overload("net.CIDR.containsIP(net.IP) -> bool", CIDR.contains),
    Overload(
        "net.CIDR.containsCIDR(string) -> bool",
        lambda cidr, text: cidr.contains_all(read_cidr(text)),
    ),
    Overload("net.CIDR.containsCIDR(net.CIDR) -> bool", CIDR.contains_all),
    Overload("net.CIDR.ip() -> net.IP", lambda cidr: IP(cidr.address)),
    Overload("net.CIDR.prefixLength() -> int", lambda cidr: cidr.bits),
    Overload("net.CIDR.masked() -> net.CIDR", CIDR.masked),
    Overload("string(net.CIDR) -> string", lambda cidr: f"{cidr.address}/{cidr.bits}"),
)
