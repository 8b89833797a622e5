"""What an endpoint answers, before it is bytes: pages, redirects, JSON, and OAuth's errors.

Pure: nothing here knows a connection. An endpoint returns an `Answer` or raises an `OAuthError`.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from koproxy_harness.issuer import pages

Headers = tuple[tuple[str, str], ...]

# Answers with tokens, and pages, are kept by nobody (RFC 6749 section 5.1).
NO_STORE: Headers = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))

# For clients in a browser (the Fetch standard). There are no cookies in such requests.
CORS: Headers = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "WWW-Authenticate"),
)
PREFLIGHT: Headers = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
    ("Access-Control-Max-Age", "600"),
)


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# No `form-action`: browsers apply it to the redirect behind the form, too, and that goes to the
# client.
_PAGE: Headers = (
    ("Content-Type", "text/html; charset=utf-8"),
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_hash(pages.STYLE)}'; "
        f"script-src 'sha256-{_hash(pages.SUBMIT)}'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    *NO_STORE,
)


@dataclass(frozen=True)
class Answer:
    """A status, a body (a dict is sent as JSON) and header fields."""

    status: int
    body: str | dict[str, Any] = ""
    headers: Headers = ()

    def also(self, *headers: tuple[str, str]) -> Answer:
        """Give the same with more header fields."""
        return Answer(self.status, self.body, (*self.headers, *headers))


class OAuthError(Exception):
    """What a request is refused with: an error code of an RFC, and a sentence for people."""

    def __init__(
        self, error: str, description: str, status: int = 400, headers: Headers = ()
    ) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status
        self.headers = headers

    @property
    def answer(self) -> Answer:
        """The error as JSON (RFC 6749 section 5.2)."""
        body = {"error": self.error, "error_description": self.description}
        return Answer(self.status, body, (*NO_STORE, *self.headers))


class PageError(Exception):
    """What a person is told where nothing may be sent on; the text is a sentence."""

    @property
    def answer(self) -> Answer:
        """The error as a page (RFC 6749 section 4.1.2.1)."""
        return page(pages.error(str(self)), 400)


def page(html: str, status: int = 200) -> Answer:
    """Answer with a page that is kept by nobody and framed by nobody."""
    return Answer(status, html, _PAGE)


def redirect(url: str) -> Answer:
    """Send the browser on, always with GET (303, see RFC 9700 section 4.12)."""
    return Answer(303, "", (("Location", url), ("Referrer-Policy", "no-referrer"), *NO_STORE))


def bearer_error(
    error: str | None, description: str, status: int = 401, scope: str | None = None
) -> Answer:
    """Refuse a bearer token (RFC 6750 section 3); without a token there is no `error`."""
    if error is None:
        return Answer(401, "", (("WWW-Authenticate", "Bearer"), *NO_STORE))
    fields = {
        "error": error,
        "error_description": description,
        **({"scope": scope} if scope else {}),
    }
    challenge = ", ".join(f'{name}="{value}"' for name, value in fields.items())
    return OAuthError(
        error, description, status, (("WWW-Authenticate", f"Bearer {challenge}"),)
    ).answer


def origin(url: str) -> str:
    """Scheme, host and port of a URL, for people to read."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
