"""Who the client is, behind proxies that are trusted to say so.

``X-Forwarded-For`` is a list to which each proxy adds at its end whom it was asked by: what stands
to the left of the first address that is no trusted proxy's may be anybody's invention, and is
never looked at. Nothing here knows how an address came to be a connection's.
"""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from koproxy.errors import ConfigurationError

_KEPT = 4096  # addresses of which it is known whether they are trusted
_LONGEST = 45  # an address of IPv6 with one of IPv4 in it

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """The networks that trusted proxies are in."""

    def __init__(self, networks: Sequence[str]) -> None:
        """Take networks as CIDRs, or single addresses.

        Raises:
            ConfigurationError: one is neither.
        """
        self._networks = tuple(map(_network, networks))
        self._read = lru_cache(_KEPT)(self._look)

    def __contains__(self, address: str) -> bool:
        """Whether an IP address is a trusted proxy's; what is no address is nobody's."""
        found = self._read(address.partition("%")[0].encode())
        return found is not None and found[1]

    def client_address(self, peer: str, forwarded_for: bytes) -> bytes:
        """Say from where a request comes that ``peer`` has sent.

        From a trusted proxy, it is the right-most address in ``forwarded_for``, the members of
        ``X-Forwarded-For``, that is no trusted proxy's; if all are, the left-most. A member that
        is no IP address ends the search: what was found so far holds.
        """
        client = peer.encode()
        if peer not in self:
            return client
        for member in reversed(forwarded_for.split(b",")):
            found = self._read(member.strip(b" \t"))
            if found is None:
                break
            client, trusted = found
            if not trusted:
                break
        return client

    def _look(self, text: bytes) -> tuple[bytes, bool] | None:
        """An address as it is usually written, and whether it is trusted; None: it is none."""
        if len(text) > _LONGEST or b"%" in text:  # a zone means something to one machine alone
            return None
        try:
            address = _plain(ipaddress.ip_address(text.decode()))
        except ValueError:
            return None
        return str(address).encode(), any(address in network for network in self._networks)


def _plain(address: Address) -> Address:
    """An address of IPv4 as such, though it is written as one of IPv6."""
    return getattr(address, "ipv4_mapped", None) or address


def _network(text: str) -> Network:
    where = f"--trusted-proxies: {text!r}"
    try:
        given = ipaddress.ip_interface(text)
    except ValueError:
        raise ConfigurationError(
            f"{where} is no IP address and no network: write 192.0.2.7 or 192.0.2.0/24"
        ) from None
    if getattr(given, "scope_id", None):
        raise ConfigurationError(f"{where} has a zone: write it without")
    network = given.network
    if given.ip != network.network_address:
        raise ConfigurationError(f"{where} has bits set behind its prefix: write {network}")
    if _plain(network.network_address) != network.network_address:
        raise ConfigurationError(f"{where} is of IPv4: write it so, without ::ffff:")
    return network
