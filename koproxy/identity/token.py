"""A JSON Web Token taken apart, as go-jose and go-oidc take it, and its signature checked.

Nothing is believed here before :func:`verify`; it knows neither issuers nor what a claim means.
Only the compact serialization (RFC 7515, section 7.1) is a token.
"""

import re
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass
from math import isfinite
from typing import Any

from cryptography import x509

from koproxy.identity.bearer import SPACES
from koproxy.identity.gojson import Members, Number, TooDeep, loads
from koproxy.identity.keys import KeySet, decode_raw_url
from koproxy.identity.typed import Refused

_TOO_DEEP = "its JSON is nested too deeply"
_STANDARD = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_BLANK = re.compile(rb"[\t-\r \x80-\xff]")
_UNDERSTOOD = frozenset({"b64"})


@dataclass(frozen=True, slots=True)
class Token:
    """The parts of a token, of which nothing is proven.

    ``signed`` is the input of the signature, written anew from the decoded parts as go-jose does.
    """

    algorithm: str
    kid: str
    header: dict[str, Any]
    claims: Members
    signed: bytes
    signature: bytes


def read_token(text: bytes) -> Token:
    """Take a token apart; raises Refused if it is none."""
    # Blanks don't count in the header and the signature, but they do in the payload.
    parts = text.split(b".")
    if len(parts) != 3:
        raise Refused("it is not a JSON Web Token")
    try:
        payload = decode_raw_url(parts[1])
        protected = decode_raw_url(_without_blanks(parts[0]))
        signature = decode_raw_url(_without_blanks(parts[2]))
        header = loads(protected)
        claims = loads(payload)
    except TooDeep:
        raise Refused(_TOO_DEEP) from None
    except ValueError:
        raise Refused("it is not a JSON Web Token") from None
    if not isinstance(claims, Members):
        raise Refused("its claims are no object")
    members = _read_header(header)
    signed = _encode_raw_url(protected) + b"."
    signed += payload if members.get("b64") is False else _encode_raw_url(payload)
    return Token(
        algorithm=members.get("alg") or "",
        kid=members.get("kid") or "",
        header=members,
        claims=claims,
        signed=signed,
        signature=signature,
    )


def verify(token: Token, keys: KeySet) -> bool:
    """Say whether the token is signed by one of the keys; its algorithm must be a known one.

    Raises Refused if the signature is good and the header asks for what isn't understood.
    """
    if not keys.verify(token.algorithm, token.kid, token.signed, token.signature):
        return False
    # What is costly to read is read last, when only the issuer can have written it.
    try:
        strict = all(map(_is_strict, token.header.values()))
    except RecursionError:
        raise Refused(_TOO_DEEP) from None
    if not strict:
        raise Refused("its header has a name twice or a number that is too large")
    certificates = token.header.get("x5c")
    if certificates is not None and not _are_certificates(certificates):
        raise Refused("its header has an x5c that is no list of certificates")
    return True


def canonical(token: Token) -> bytes:
    """Write a token in the one way that has nothing to spare."""
    return token.signed + b"." + _encode_raw_url(token.signature)


def _read_header(header: object) -> dict[str, Any]:
    if not isinstance(header, Members):
        raise Refused("its header is no object")
    members = header.last()
    if len(members) != len(header.pairs):
        raise Refused("its header has a name twice")
    for name in ("alg", "kid", "nonce"):
        if not isinstance(members.get(name), str | None):
            raise Refused(f"its header has a {name} that is no string")
    if members.get("jwk") is not None:
        raise Refused("its header brings a key of its own")
    critical = members.get("crit")
    if critical is not None and not (
        isinstance(critical, list)
        and all(isinstance(name, str) and name in _UNDERSTOOD for name in critical)
    ):
        raise Refused("its header has a critical part that is not understood")
    return members


def _is_strict(value: object) -> bool:
    """Say whether go-jose's stricter reading of JSON takes a value."""
    if isinstance(value, Members):
        members = value.last()
        return len(members) == len(value.pairs) and all(map(_is_strict, members.values()))
    if isinstance(value, list):
        return all(map(_is_strict, value))
    return not isinstance(value, Number) or isfinite(float(value.text))


def _are_certificates(chain: object) -> bool:
    if not isinstance(chain, list):
        return False
    try:
        for encoded in chain:
            text = encoded.replace("\r", "").replace("\n", "")
            if not _STANDARD.fullmatch(text):
                return False
            x509.load_der_x509_certificate(b64decode(text, validate=True))
    except (AttributeError, ValueError):
        return False
    return True


def _without_blanks(part: bytes) -> bytes:
    if not _BLANK.search(part):
        return part
    text = part.decode("utf-8", "replace")
    return text.translate(_BLANKS).encode("utf-8", "replace")


def _encode_raw_url(octets: bytes) -> bytes:
    return urlsafe_b64encode(octets).rstrip(b"=")


_BLANKS = dict.fromkeys(map(ord, SPACES))
