"""What people have allowed clients, and the codes and tokens that go back to it.

Pure memory, and bounded. Everything that stems from one log-in belongs to one `Grant`; revoking
it ends every token of that family at once.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import sha256

from koproxy_harness.issuer.flows.bounded import Bounded
from koproxy_harness.issuer.flows.pkce import Challenge


@dataclass(eq=False)
class Grant:
    """One permission. `username` is None where a client acts for itself."""

    client_id: str
    username: str | None
    scope: tuple[str, ...]
    audience: tuple[str, ...] = ()
    auth_time: int | None = None
    nonce: str | None = None
    revoked: bool = False


@dataclass
class Code:
    """An authorization code, bound to what it was asked for with (RFC 6749 section 4.1.2)."""

    grant: Grant
    redirect_uri: str | None
    challenge: Challenge | None
    expires: float
    used: bool = False


@dataclass
class Refresh:
    """A refresh token; used ones are remembered, to notice when they come again."""

    grant: Grant
    expires: float
    used: bool = False


@dataclass
class Ledger:
    """Every code and token that is out, as far as the issuer has to remember them.

    Access tokens are signed and speak for themselves; kept are whose they are and which were
    revoked, by their SHA-256.
    """

    codes: Bounded[Code] = field(default_factory=Bounded)
    refreshes: Bounded[Refresh] = field(default_factory=Bounded)
    _grants: Bounded[Grant] = field(default_factory=Bounded)
    _revoked: Bounded[bool] = field(default_factory=Bounded)

    def new_code(self, code: Code) -> str:
        """Keep a code, and give the text that stands for it."""
        text = secrets.token_urlsafe(32)
        self.codes.put(text, code)
        return text

    def new_refresh(self, refresh: Refresh) -> str:
        """Keep a refresh token, and give its text."""
        text = secrets.token_urlsafe(32)
        self.refreshes.put(text, refresh)
        return text

    def given_out(self, token: str, grant: Grant) -> None:
        """Remember whose signed token this is."""
        self._grants.put(_digest(token), grant)

    def grant_of(self, token: str) -> Grant | None:
        """Give the permission that a signed token stems from; None for one made by hand."""
        return self._grants.get(_digest(token))

    def revoke(self, token: str) -> None:
        """End one signed token."""
        self._revoked.put(_digest(token), True)

    def is_revoked(self, token: str) -> bool:
        """Whether a signed token, or what it stems from, was revoked."""
        grant = self.grant_of(token)
        return self._revoked.get(_digest(token)) is not None or (
            grant is not None and grant.revoked
        )


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
