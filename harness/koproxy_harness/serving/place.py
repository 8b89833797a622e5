"""Where a server listens, and what it is called. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from koproxy_harness.errors import HarnessError

_EVERYWHERE = ("0.0.0.0", "::")
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Place:
    """An address and a port (0: a free one), and the host that the server's URL names.

    Raises `HarnessError` for a port that there can't be.
    """

    address: str = "127.0.0.1"
    port: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        if type(self.port) is not int or not 0 <= self.port <= _HIGHEST_PORT:
            raise HarnessError(
                f"a port is a number from 1 to {_HIGHEST_PORT}, or 0 for a free one, "
                f"not {self.port!r}"
            )

    @property
    def host(self) -> str:
        """The name; without one the address, or 127.0.0.1 for all addresses."""
        return self.name or ("127.0.0.1" if self.address in _EVERYWHERE else self.address)

    @property
    def host_in_url(self) -> str:
        """The host as URLs have it: an IPv6 address in brackets (RFC 3986 section 3.2.2)."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def names(self) -> tuple[str, ...]:
        """What its certificate is for."""
        return tuple(dict.fromkeys((self.host, "localhost", "127.0.0.1")))


LOOPBACK = Place()
