"""What an issuer publishes about itself, read as go-oidc reads it.

Follows OpenID Connect Discovery 1.0, section 4. Reading only: nothing is kept here and nothing is
fetched twice.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from koproxy.identity.gojson import Members, NotJSON, loads
from koproxy.identity.keys import BadKeySet, KeySet, read_key_set
from koproxy.sources.fetch import FetchError

Get = Callable[[str], Awaitable[bytes]]


class IssuerError(Exception):
    """An issuer's documents can't be had or used; the text is a whole clause with their address."""


async def discover(get: Get, issuer: str, address: str = "") -> str:
    """Return the address of the issuer's key set; raises IssuerError.

    ``address`` is where its discovery document is, if not at the usual place.
    """
    address = address or issuer.removesuffix("/") + "/.well-known/openid-configuration"
    text = await _fetch(get, "discovery", address)
    try:
        document = loads(text)
    except NotJSON:
        document = None
    if not isinstance(document, Members):
        raise IssuerError(f"discovery at {address} failed: its answer is no JSON object")
    members: dict[str, Any] = dict(document.folded())
    if members.get("issuer") != issuer:
        raise IssuerError(
            f"discovery at {address} failed: it names another issuer, {_shown(members)}"
        )
    keys = members.get("jwks_uri")
    if not isinstance(keys, str) or not keys:
        raise IssuerError(f"discovery at {address} failed: it names no jwks_uri")
    return keys


async def fetch_keys(get: Get, address: str) -> KeySet:
    """Return the key set at an address; raises IssuerError."""
    text = await _fetch(get, "the key set", address)
    try:
        return read_key_set(text)
    except BadKeySet as problem:
        raise IssuerError(f"the key set at {address} can't be used: {problem}") from None


async def _fetch(get: Get, what: str, address: str) -> bytes:
    try:
        return await get(address)
    except FetchError as problem:
        raise IssuerError(f"{what} at {address} failed: {problem}") from None


def _shown(members: dict[str, Any]) -> str:
    named = members.get("issuer")
    return repr(named[:200]) if isinstance(named, str) else "or none"
