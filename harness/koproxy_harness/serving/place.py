"""Where a server listens, and what it is called. Pure."""

from __future__ import annotations

from dataclasses import dataclass

_EVERYWHERE = ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class Place:
    """An address and a port (0: a free one), and the host that the server's URL names."""

    address: str = "127.0.0.1"
    port: int = 0
    name: str = ""

    @property
    def host(self) -> str:
        """As in a URL: the name; without one the address, or 127.0.0.1 for all addresses."""
        return self.name or ("127.0.0.1" if self.address in _EVERYWHERE else self.address)

    @property
    def names(self) -> tuple[str, ...]:
        """What its certificate is for."""
        return tuple(dict.fromkeys((self.host, "localhost", "127.0.0.1")))


LOOPBACK = Place()
