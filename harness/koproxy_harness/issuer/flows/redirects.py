"""Where an answer may be sent to: the rules of redirect URIs (RFC 6749 section 3.1.2). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlencode, urlsplit

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[!#-;=?-Z\[\]_a-z~%]+")  # RFC 3986's characters
# Schemes by which a browser runs or opens what the URI itself says.
_NEVER = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "view-source"})
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::[0-9]{1,5})?(?=[/?]|$)")


def usable(uri: str) -> bool:
    """Whether it is an absolute URI without a fragment that a browser may be sent to."""
    if _URI.fullmatch(uri) is None or "#" in uri:
        return False
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    if parts.scheme in ("http", "https") and not parts.hostname:
        return False
    return parts.scheme not in _NEVER


def allowed(uri: str, registered: Sequence[str] | None) -> bool:
    """Whether a client may name this URI, having registered those; None stands for any.

    They are compared character by character (RFC 9700 section 2.1). Only the port of a loopback
    address may be another (RFC 8252 section 7.3; `localhost` as RFC 9700 has it).
    """
    if not usable(uri):
        return False
    if registered is None:
        return True
    return any(uri == known or _portless(uri) == _portless(known) for known in registered)


def with_parameters(uri: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Add parameters to the query that a URI may have already."""
    encoded = urlencode(list(parameters))
    if not encoded:
        return uri
    separator = "" if uri.endswith(("?", "&")) else "&" if "?" in uri else "?"
    return f"{uri}{separator}{encoded}"


def _portless(uri: str) -> str:
    return _LOOPBACK.sub(r"\1", uri, count=1) if _LOOPBACK.match(uri) else uri
