"""The registered claims of a token, read into types as go-oidc reads them, and their times.

go-oidc wants these claims to have their types whether or not anybody asks for them, and takes a
name in any case; so does this. What an issuer's other claims mean is decided elsewhere.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from koproxy.identity.distributed import Source, merge_names, merge_sources
from koproxy.identity.gojson import Members, Number
from koproxy.identity.typed import Refused, string

NOT_BEFORE_LEEWAY = 60
"""Seconds by which a token may come before its ``nbf``; there is none after its ``exp``."""

_SOURCE = frozenset({"endpoint", "access_token"})
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_YEAR_ONE = 62_135_596_800  # seconds from the year 1 to 1970


@dataclass(slots=True)
class Registered:
    """The claims that every token is read for; times are in seconds since the epoch."""

    issuer: str = ""
    audience: tuple[str, ...] = ()
    expires: int | None = None
    not_before: int | None = None
    claim_names: dict[str, str] = field(default_factory=dict)
    claim_sources: dict[str, Source] = field(default_factory=dict)


def read_registered(claims: Members) -> Registered:
    """Read the registered claims; raises Refused if one has the wrong type."""
    registered = Registered()
    for name, value in claims.folded():
        match name:
            case "iss":
                registered.issuer = string(name, value, registered.issuer)
            case "sub" | "nonce" | "at_hash":
                string(name, value)
            case "aud":
                registered.audience = _audience(value)
            case "exp":
                registered.expires = _seconds(name, value)
            case "iat":
                _seconds(name, value)
            case "nbf":
                registered.not_before = None if value is None else _seconds(name, value)
            case "_claim_names":
                merge_names(registered.claim_names, value)
            case "_claim_sources":
                merge_sources(registered.claim_sources, value, _SOURCE)
    for source in registered.claim_names.values():
        if not source or source not in registered.claim_sources:
            raise Refused("its _claim_names name a source that its _claim_sources lack")
    return registered


def check_times(registered: Registered, now: float) -> int:
    """Return the second until which the token is good; raises Refused if it isn't ``now``."""
    if registered.expires is None:
        raise Refused("it has no exp claim")
    if registered.expires < now:
        raise Refused("it has expired")
    if registered.not_before is not None and now + NOT_BEFORE_LEEWAY < registered.not_before:
        raise Refused("it is not valid yet")
    return registered.expires


def _audience(value: Any) -> tuple[str, ...]:
    if value is None or isinstance(value, str):
        return (value or "",)
    if not isinstance(value, list):
        raise Refused("its aud claim is neither a string nor a list of strings")
    return tuple(string("aud", entry) for entry in value)


def _seconds(name: str, value: Any) -> int:
    text = value.text if isinstance(value, Number) else value
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise Refused(f"its {name} claim is no number")
    if _INTEGER.fullmatch(text) and -(2**63) <= int(text) < 2**63:
        seconds = int(text)
    else:
        number = float(text)
        if abs(number) == float("inf"):
            raise Refused(f"its {name} claim is too large")
        # Beyond 64 bits a float becomes the smallest integer, as it does on the usual processors.
        seconds = int(number) if -(2.0**63) <= number < 2.0**63 else -(2**63)
    # Go counts from the year 1 in 64 bits, so the largest of these numbers come round.
    return (seconds + _YEAR_ONE + 2**63) % 2**64 - 2**63 - _YEAR_ONE
