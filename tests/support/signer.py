"""An issuer without a socket: claims, tokens and the key set that verifies them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from koproxy_harness import KeySet, SigningKey

from koproxy.identity.keys import KeySet as PublicKeys
from koproxy.identity.keys import read_key_set

URL = "https://issuer.example"
CLIENT = "kubernetes"
NOW = 1_700_000_000.0


@cache
def generation(number: int) -> KeySet:
    """The key pairs of this ``number``, made once a process: RSA keys cost much."""
    return KeySet()


class Signer:
    """Signs for an issuer with the keys of one generation."""

    def __init__(self, url: str = URL, number: int = 0) -> None:
        self.url = url
        self._keys = generation(number)

    def key(self, alg: str = "RS256") -> SigningKey:
        """The private key for an algorithm."""
        return self._keys.key(alg)

    @property
    def document(self) -> bytes:
        """The key set as it is published."""
        return json.dumps({"keys": self._keys.jwks}).encode()

    @property
    def keys(self) -> PublicKeys:
        """The key set as koproxy reads it."""
        return read_key_set(self.document)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good claims; None takes one away."""
        good = {"iss": self.url, "aud": CLIENT, "exp": int(NOW) + 3600, "sub": "jane", **changes}
        return {name: value for name, value in good.items() if value is not None}

    def sign(
        self,
        payload: Mapping[str, Any] | bytes,
        header: Mapping[str, Any] | bytes | None = None,
        alg: str = "RS256",
    ) -> bytes:
        """Any payload under any header; a mapping as header adds to the usual one."""
        if not isinstance(header, bytes):
            header = {"typ": None, **(header or {})}
        return self.key(alg).jws(payload, header).encode()

    def bearer(self, **changes: Any) -> bytes:
        """The header's value with a token of good claims, and changes to them."""
        return b"Bearer " + self.sign(self.claims(**changes))
