"""URLs: ``url('https://a.example/b').getHost()``. Pure.

Go's ``net/url`` decides what one is and what its parts are; Python's ``urllib`` follows another
grammar. Everything is bytes here, as it is there, and becomes text again at the end: each byte
that isn't UTF-8 is a U+FFFD then, as in the answers of an API server. What takes it apart is linear
in its length.
https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-url-library
"""

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import ClassVar

from koproxy.cel.functions.network import address_of
from koproxy.cel.functions.strings import quoted
from koproxy.cel.overloads import Overload
from koproxy.cel.values import CelError, GoStrings

_CONTROLS = re.compile(rb"[\x00-\x1f\x7f]")
_SCHEME = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*):")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_LONE_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_USER = re.compile(rb"[A-Za-z0-9._:~!$&'()*+,;=%@-]*")
_PORT = re.compile(rb"(?::[0-9]*)?")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
_IN_HOST = _UNRESERVED | frozenset(b"!$&'()*+,;=:[]<>\"")
_IN_PATH = _UNRESERVED | frozenset(b"$&+,/:;=@")
_IN_FRAGMENT = _IN_PATH | frozenset(b"?!()*")
_AS_WRITTEN = frozenset(b"!'()*[]%")
"""What a path or a fragment keeps where it is written so; Go itself writes some of it escaped."""
_MOST_PARAMETERS = 10_000
_READ_IN_A_STEP = 5  # characters
_GIVEN_IN_A_STEP = 100


class _Wrong(Exception):
    """It is no URL; the text says why."""


@dataclass(frozen=True, slots=True)
class URL:
    """A URL's parts; ``path`` and ``fragment`` are escaped, ``query`` as it was written.

    Two are the same where Go would write them alike. ``omits_host``: a scheme, then a single slash.
    """

    type_name: ClassVar[str] = "kubernetes.URL"

    scheme: bytes = b""
    opaque: bytes = b""
    user: tuple[bytes, ...] = ()
    host: bytes = b""
    omits_host: bool = False
    path: bytes = b""
    query: bytes = b""
    ends_with_question_mark: bool = False
    fragment: bytes = b""


def read_url(text: str) -> URL:
    """Read an absolute URL, or a path; raises ``CelError``."""
    given = text.encode()
    try:
        _parse(given, of_request=True)
        whole, _, fragment = given.partition(b"#")
        found = _parse(whole, of_request=False)
        return replace(found, fragment=_escaped(fragment, _IN_FRAGMENT))
    except _Wrong as wrong:
        shown = f"parse {quoted(text)}: {wrong}"
        raise CelError(f"URL parse error during conversion from string: {shown}") from None


def is_reference(text: str) -> bool:
    """Say whether Go's ``url.Parse`` takes something."""
    whole, _, fragment = text.encode().partition(b"#")
    try:
        _parse(whole, of_request=False)
        _unescaped(fragment)
    except _Wrong:
        return False
    return True


def is_url(text: str) -> bool:
    """Say whether something is an absolute URL, or a path."""
    try:
        _parse(text.encode(), of_request=True)
    except _Wrong:
        return False
    return True


def _parse(given: bytes, *, of_request: bool) -> URL:
    if _CONTROLS.search(given):
        raise _Wrong("net/url: invalid control character in URL")
    if not given and of_request:
        raise _Wrong("empty url")
    if given == b"*":
        return URL(path=given)
    if given.startswith(b":"):
        raise _Wrong("missing protocol scheme")
    match = _SCHEME.match(given)
    scheme, rest = (match[1].lower(), given[match.end() :]) if match else (b"", given)
    rest, mark, query = rest.partition(b"?")
    ends = bool(mark) and not query
    if not rest.startswith(b"/"):
        if scheme:
            return URL(scheme, opaque=rest, query=query, ends_with_question_mark=ends)
        if of_request:
            raise _Wrong("invalid URI for request")
        if b":" in rest.partition(b"/")[0]:
            raise _Wrong("first path segment in URL cannot contain colon")
    user: tuple[bytes, ...] = ()
    host = b""
    omits = bool(scheme) and not rest.startswith(b"//")
    if rest.startswith(b"//") and (scheme or not (of_request or rest.startswith(b"///"))):
        authority, slash, rest = rest[2:].partition(b"/")
        rest = slash + rest
        user, host = _authority(scheme, authority)
    return URL(scheme, b"", user, host, omits, _escaped(rest, _IN_PATH), query, ends)


def _authority(scheme: bytes, authority: bytes) -> tuple[tuple[bytes, ...], bytes]:
    before, at, host = authority.rpartition(b"@")
    found = _host(scheme, host)
    if not at:
        return (), found
    if _USER.fullmatch(before) is None:
        raise _Wrong("net/url: invalid userinfo")
    return tuple(map(_unescaped, before.split(b":", 1))), found


def _host(scheme: bytes, host: bytes) -> bytes:
    opening = host.rfind(b"[")
    if opening > 0:
        raise _Wrong("invalid IP-literal")
    if opening == 0:
        return _bracketed(host)
    first, last = host.find(b":"), host.rfind(b":")
    if first != -1:
        # Several colons are let through where they aren't http's: some databases have them.
        port = host[first if scheme in (b"http", b"https") else last :]
        if _PORT.fullmatch(port) is None:
            raise _Wrong("invalid port after host")
    return _unescaped_host(host)


def _bracketed(host: bytes) -> bytes:
    closing = host.rfind(b"]")
    if closing < 0:
        raise _Wrong("missing ']' in host")
    port = host[closing + 1 :]
    if _PORT.fullmatch(port) is None:
        raise _Wrong("invalid port after host")
    name, percent, zone = host[1:closing].partition(b"%25")
    found = _unescaped_host(name) + (_unescaped_zone(percent + zone) if percent else b"")
    try:
        address, _ = address_of(found.decode())
    except ValueError:
        raise _Wrong("invalid host") from None
    if isinstance(address, ipaddress.IPv4Address):
        raise _Wrong("invalid IP-literal")
    return b"[%b]%b" % (found, port)


def _unescaped(given: bytes) -> bytes:
    lone = _LONE_PERCENT.search(given)
    if lone is not None:
        shown = given[lone.start() : lone.start() + 3].decode(errors="replace")
        raise _Wrong(f'invalid URL escape "{shown}"')
    return _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), given)


def _unescaped_host(given: bytes) -> bytes:
    for match in _ESCAPE.finditer(given):
        if int(match[1], 16) < 0x80 and match[0] != b"%25":
            raise _Wrong(f'invalid URL escape "{match[0].decode()}"')
    return _only_hosts(given)


def _unescaped_zone(given: bytes) -> bytes:
    for match in _ESCAPE.finditer(given):
        byte = int(match[1], 16)
        if match[0] != b"%25" and byte != 0x20 and byte not in _IN_HOST:
            raise _Wrong(f'invalid URL escape "{match[0].decode()}"')
    return _only_hosts(given)


def _only_hosts(given: bytes) -> bytes:
    found = _unescaped(given)
    for byte in _ESCAPE.sub(b"", given):
        if byte < 0x80 and byte not in _IN_HOST:
            raise _Wrong(f'invalid character "{chr(byte)}" in host name')
    return found


def _escaped(given: bytes, unescaped: frozenset[int]) -> bytes:
    """Check a path or a fragment and escape it, unless it is written as it may be."""
    plain = _unescaped(given)
    if all(byte in unescaped or byte in _AS_WRITTEN for byte in given):
        return given
    return b"".join([bytes((byte,)) if byte in unescaped else b"%%%02X" % byte for byte in plain])


def _text(given: bytes) -> str:
    """Give a part as text.

    Go's texts can be any bytes. What stood for bytes that are no UTF-8 would make parts alike that
    differ, so that there is no such text here.
    """
    try:
        return given.decode()
    except UnicodeDecodeError:
        raise CelError("a part of the URL has bytes that are no UTF-8") from None


def _port_of(url: URL) -> tuple[bytes, bytes]:
    name, colon, port = url.host.rpartition(b":")
    if not colon or not _PORT.fullmatch(colon + port):
        name, port = url.host, b""
    if name.startswith(b"[") and name.endswith(b"]"):
        name = name[1:-1]
    return name, port


def _query(url: URL) -> dict[str, GoStrings]:
    found: dict[str, GoStrings] = {}
    pairs = url.query.split(b"&")
    if len(pairs) > _MOST_PARAMETERS:
        return found
    for pair in pairs:
        if not pair or b";" in pair:
            continue
        name, _, value = pair.partition(b"=")
        try:
            key, text = (_unescaped(each.replace(b"+", b" ")) for each in (name, value))
        except _Wrong:
            continue
        found.setdefault(_text(key), GoStrings()).append(_text(text))
    return found


def _reading(text: str) -> int:
    return len(text) // _READ_IN_A_STEP


def _giving(url: URL) -> int:
    return (len(url.host) + len(url.path) + len(url.scheme)) // _GIVEN_IN_A_STEP


OVERLOADS = (
    Overload("url(string) -> kubernetes.URL", read_url, cost=_reading),
    Overload("isURL(string) -> bool", is_url, cost=_reading),
    Overload("kubernetes.URL.getScheme() -> string", lambda url: _text(url.scheme), cost=_giving),
    Overload("kubernetes.URL.getHost() -> string", lambda url: _text(url.host), cost=_giving),
    Overload(
        "kubernetes.URL.getHostname() -> string", lambda url: _text(_port_of(url)[0]), cost=_giving
    ),
    Overload(
        "kubernetes.URL.getPort() -> string", lambda url: _text(_port_of(url)[1]), cost=_giving
    ),
    Overload(
        "kubernetes.URL.getEscapedPath() -> string", lambda url: _text(url.path), cost=_giving
    ),
    Overload(
        "kubernetes.URL.getQuery() -> map<string, list<string>>",
        _query,
        cost=lambda url: len(url.query) // _READ_IN_A_STEP,
    ),
)
