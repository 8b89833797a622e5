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

from koproxy_harness.errors import HarnessError


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The inverse of `encode`."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def to_json(members: Mapping[str, Any], kind: str = "claim") -> bytes:
    """Compact JSON, as issuers send it; the `kind` of its members is for the error.

    Raises `HarnessError` for a value that JSON has not.
    """
    try:
        return _dumped(dict(members))
    except (TypeError, ValueError, RecursionError):
        for name, value in members.items():
            _check(name, value, kind)
        raise


def signing_input(header: Mapping[str, Any] | bytes, payload: Mapping[str, Any] | bytes) -> str:
    """The first two parts of a compact JWS; bytes are taken as they are.

    Raises `HarnessError` for what is neither bytes nor JSON.
    """
    if not isinstance(payload, bytes | Mapping):
        raise HarnessError(f"a payload is claims by their names, or bytes, not {payload!r}")
    first = header if isinstance(header, bytes) else to_json(header, "header field")
    second = payload if isinstance(payload, bytes) else to_json(payload)
    return f"{encode(first)}.{encode(second)}"


def header_fields(given: object) -> Mapping[str, Any]:
    """Give what a test changes in a header; raises `HarnessError` if these are no fields."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise HarnessError(
            f"a header is fields by their names, as in {{'kid': 'mine'}}, not {given!r}; to sign "
            "any bytes as a header, take sign"
        )
    return given


def _dumped(value: Any) -> bytes:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def _check(name: object, value: object, kind: str) -> None:
    try:
        _dumped({name: value})
    except (TypeError, ValueError, RecursionError):
        raise HarnessError(
            f"the {kind} {name!r} can't be {value!r}: JSON has texts, numbers, true, false, null, "
            "and lists and objects of these"
        ) from None


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
