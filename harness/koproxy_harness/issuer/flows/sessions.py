"""Who is logged in at the issuer itself, in which browser.

A session is a cookie with a random name for a record here. Cookies are shared by all ports of a
host, so the port is in the cookie's name.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from koproxy_harness.issuer.flows.bounded import Bounded

if TYPE_CHECKING:
    from collections.abc import Callable

    from koproxy_harness.issuer.flows.issuing import Clock
    from koproxy_harness.serving.exchange import Request

LIFETIME = 8 * 3600  # seconds
_MOST = 1000


@dataclass(frozen=True)
class Session:
    """One log-in; `auth_time` is when (seconds since 1970)."""

    username: str
    auth_time: int


class Sessions:
    """The sessions of all browsers."""

    def __init__(self, url: Callable[[], str], clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._sessions: Bounded[Session] = Bounded(_MOST)

    def of(self, request: Request) -> Session | None:
        """Give the session of the browser that sent this, None without one."""
        session = self._sessions.get(self._id(request))
        if session is None or session.auth_time + LIFETIME <= self._clock.now():
            return None
        return session

    def begin(self, username: str) -> tuple[Session, tuple[str, str]]:
        """Log somebody in; gives the session and the header field that sets its cookie."""
        name = secrets.token_urlsafe(32)
        session = Session(username, int(self._clock.now()))
        self._sessions.put(name, session)
        # Lax: the browser brings it when a client sends it here, not with somebody's hidden POST.
        cookie = f"{self._cookie}={name}; {self._scope}; SameSite=Lax"
        return session, ("Set-Cookie", cookie)

    def end(self, request: Request) -> tuple[str, str]:
        """Log the browser out; gives the header field that takes its cookie away."""
        self._sessions.drop(self._id(request))
        return ("Set-Cookie", f"{self._cookie}=; {self._scope}; Max-Age=0")

    @property
    def _cookie(self) -> str:
        return f"session-{urlsplit(self._url()).port or 443}"

    @property
    def _scope(self) -> str:
        return f"Path={urlsplit(self._url()).path or '/'}; Secure; HttpOnly"

    def _id(self, request: Request) -> str:
        for field in request.values("cookie"):
            for pair in field.split(";"):
                name, _, value = pair.strip().partition("=")
                if name == self._cookie:
                    return value
        return ""
