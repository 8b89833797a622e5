"""What the URL of an issuer, or of its discovery, may be. Pure.

A URL without a host, or with characters that no URL has, is refused as well: kube-apiserver takes
some of these, and can fetch nothing from them.
"""

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from koproxy.cel.functions.urls import is_reference
from koproxy.configuration.problems import Problem, invalid

# What RFC 3986 lets stand in a URL.
_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")


def wrong_url(path: str, url: str) -> Iterator[Problem]:
    """Say what is wrong with a URL; ``path`` is its field's."""
    parts = _parts(url)
    shown = url if "@" not in url else "<omitted>"  # there may be a password before it
    if parts is None:
        yield invalid(path, shown, "it is not a URL")
        return
    if parts.scheme != "https":
        yield invalid(path, shown, "URL scheme must be https")
    elif not parts.hostname:
        yield invalid(path, shown, "URL must have a host")
    if "@" in parts.netloc:
        yield invalid(path, shown, "URL must not contain a username or password")
    if parts.query:
        yield invalid(path, shown, "URL must not contain a query")
    if parts.fragment:
        yield invalid(path, shown, "URL must not contain a fragment")


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    good = port != 0 and _CHARACTERS.fullmatch(url) and is_reference(url)
    return parts if good else None
