"""The programs that log people in at an issuer, and what each of them may do.

Pure data and rules, no HTTP. Without any clients given, every client ID is taken, with any secret
or none and with any redirect URI; with some, the rules of the RFCs hold to the letter.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from koproxy_harness.errors import HarnessError

_MOST = 1000  # clients that registered themselves; the oldest goes first
_LISTS = ("redirect_uris", "post_logout_redirect_uris", "grant_types", "audience")


@dataclass(frozen=True)
class Client:
    """A client (RFC 6749 section 2).

    Without `secret` and `jwks` it is a public one, which has to use PKCE. `redirect_uris` and
    `post_logout_redirect_uris` are compared as they are, but for the port of a loopback address;
    None stands for any. `grant_types`: those it may use, None for all. `audience`: what the access
    tokens are for unless a request says so, by default the client itself. `jwks`: its public keys
    (RFC 7517), for `private_key_jwt`. Raises `HarnessError` for a text where a list is meant.
    """

    client_id: str
    secret: str | None = None
    redirect_uris: Sequence[str] | None = ()
    post_logout_redirect_uris: Sequence[str] | None = ()
    grant_types: Sequence[str] | None = None
    audience: Sequence[str] = ()
    jwks: Mapping[str, Any] | None = None
    known: bool = True

    def __post_init__(self) -> None:
        for name in _LISTS:
            value = getattr(self, name)
            if value is not None and not _is_texts(value):
                raise HarnessError(
                    f"the client {self.client_id!r}: {name} is a list of texts, not {value!r}"
                )

    @property
    def public(self) -> bool:
        """Whether it can't prove who it is."""
        return self.secret is None and self.jwks is None

    def may(self, grant_type: str) -> bool:
        """Whether it may use this grant."""
        return self.grant_types is None or grant_type in self.grant_types

    def accepts(self, secret: str) -> bool:
        """Whether this is its secret; takes as long for a wrong one as for the right one."""
        return self.secret is not None and hmac.compare_digest(
            self.secret.encode(), secret.encode()
        )


class Clients:
    """The clients of one issuer: those given, those that have registered, or else any."""

    def __init__(self, clients: Iterable[Client] = ()) -> None:
        self._given: dict[str, Client] = {}
        for client in clients:
            if not isinstance(client, Client):
                raise HarnessError(f"{client!r} is no client: give Client({client!r})")
            if client.client_id in self._given:
                raise HarnessError(f"there are two clients called {client.client_id!r}")
            self._given[client.client_id] = client
        self._registered: dict[str, Client] = {}
        self.any = not self._given

    def check_grants(self, known: Collection[str]) -> None:
        """Raise `HarnessError` for a client that may use a grant that there is not."""
        for client in self._given.values():
            for each in client.grant_types or ():
                if each not in known:
                    raise HarnessError(
                        f"the client {client.client_id!r} may use a grant that there is not, "
                        f"{each!r}; there are {', '.join(known)}"
                    )

    def find(self, client_id: str) -> Client | None:
        """Give the client of this ID; where any is taken, one that may do everything."""
        client = self._given.get(client_id) or self._registered.get(client_id)
        if client is None and self.any and client_id:
            return Client(
                client_id, redirect_uris=None, post_logout_redirect_uris=None, known=False
            )
        return client

    def register(self, client: Client) -> None:
        """Take in a client that has registered itself (RFC 7591)."""
        self._registered[client.client_id] = client
        if len(self._registered) > _MOST:
            del self._registered[next(iter(self._registered))]

    def remove(self, client_id: str) -> None:
        """Forget a client that has registered itself (RFC 7592 section 2.3)."""
        self._registered.pop(client_id, None)


def _is_texts(value: object) -> bool:
    return (
        isinstance(value, Collection)
        and not isinstance(value, str | bytes)
        and all(isinstance(each, str) for each in value)
    )
