"""Compact JWS from bytes, and the ways in which a token can be wrong (RFC 7515, RFC 7519).

Pure: what is signed is given, nothing here knows an issuer or the time.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The inverse of `encode`."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def to_json(value: Mapping[str, Any]) -> bytes:
    """Compact JSON, as issuers send it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def signing_input(header: Mapping[str, Any] | bytes, payload: Mapping[str, Any] | bytes) -> str:
    """The first two parts of a compact JWS; bytes are taken as they are."""
    parts = (part if isinstance(part, bytes) else to_json(part) for part in (header, payload))
    return ".".join(encode(part) for part in parts)


def without_signature(header: Mapping[str, Any], payload: Mapping[str, Any] | bytes) -> str:
    """An unsecured JWS: `alg` is `none` and the signature empty (RFC 7515 appendix A.5)."""
    return signing_input({**header, "alg": "none"}, payload) + "."


def hmac_with_public_key(
    header: Mapping[str, Any], payload: Mapping[str, Any] | bytes, public_pem: bytes
) -> str:
    """HS256 with the public key, as PEM, for a secret: what a verifier must not fall for."""
    text = signing_input({**header, "alg": "HS256"}, payload)
    return f"{text}.{encode(hmac.digest(public_pem, text.encode(), sha256().name))}"


def tampered_payload(token: str) -> str:
    """The same token for another subject, under the signature of the first."""
    header, payload, signature = token.split(".")
    claims = json.loads(decode(payload))
    claims["sub"] = f"{claims.get('sub', '')}-tampered"
    return ".".join((header, encode(to_json(claims)), signature))


def tampered_signature(token: str) -> str:
    """The same token with one bit of its signature turned."""
    text, _, signature = token.rpartition(".")
    changed = bytearray(decode(signature))
    changed[0] ^= 1
    return f"{text}.{encode(bytes(changed))}"
