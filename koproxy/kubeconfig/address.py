"""A server's URL, taken apart. Only https is a way to send a credential."""

import ipaddress
import re
from urllib.parse import urlsplit

from koproxy.errors import ConfigurationError
from koproxy.kubeconfig.access import Server

_URL = re.compile(r"[!-~]+")
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?\.?")
_SEGMENT = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")


def parse_server(
    url: str, where: str, tls_name: str = "", verify: bool = True, *, plain: bool = False
) -> Server:
    """The address in ``url`` (RFC 3986); a path in it stays as the prefix of every request's.

    A query and a fragment are dropped, as in client-go. ``where`` names the field. With ``plain``
    it may be http too.

    Raises:
        ConfigurationError: no URL, not https, or one that holds a user or password.
    """
    if not url:
        raise ConfigurationError(f"{where} is missing: give the https URL of the server")
    if not _URL.fullmatch(url):
        raise ConfigurationError(
            f"{where} holds a blank, a control character or a letter outside ASCII: give a URL "
            "as https://HOST:PORT"
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError(f"{where} is not a URL: give one as https://HOST:PORT") from None
    secure = parts.scheme == "https"
    if parts.scheme == "http" and not plain:
        raise ConfigurationError(
            f"{where} is http, over which the proxy's credential would travel for all to read: "
            "give an https URL"
        )
    if parts.scheme not in ("http", "https") or not _is_host(host) or port == 0:
        raise ConfigurationError(f"{where} is not an https URL: give one as https://HOST:PORT")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            f"{where} holds a user or password: put them into the user's username and password"
        )
    prefix = parts.path.rstrip("/")
    segments = prefix.split("/")[1:]
    if any(not _SEGMENT.fullmatch(s) or s in (".", "..") for s in segments):
        raise ConfigurationError(
            f"{where} has a path that can't be a prefix (empty, '.' or '..' parts, or characters "
            "that no path has): give it as https://HOST:PORT/PATH"
        )
    return Server(
        url=url,
        host=host,
        port=port or (443 if secure else 80),
        path_prefix=prefix.encode("ascii"),
        tls_name=tls_name or host,
        verify=verify,
        secure=secure,
    )


def _is_host(host: str) -> bool:
    if ":" not in host:
        return _NAME.fullmatch(host) is not None
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True
