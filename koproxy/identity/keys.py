"""An issuer's public keys: a JWK set read into keys, and signatures checked with them.

Which algorithms are allowed is not decided here. Like go-jose, which kube-apiserver uses, a key is
taken for what its type can do: its ``use`` and ``alg`` members are not looked at.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from koproxy.identity.gojson import Members, loads

MAX_KEYS = 100
"""So many keys may be in one set: a token that names none is tried with each."""

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_RAW_URL = re.compile(rb"[A-Za-z0-9_-]*")
_CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


class BadKeySet(ValueError):
    """The text is no JWK set; the message is a clause that says why."""


class _Unusable(ValueError):
    """A key that can't verify a token, and why."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and the name that its issuer gave it; equal where both are."""

    kid: str
    spki: bytes
    public: PublicKey = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys that one issuer signs with; ``ignored`` says which of its keys were left out."""

    keys: tuple[Key, ...]
    ignored: tuple[str, ...] = ()

    def has(self, kid: str) -> bool:
        """Say whether a token that names ``kid``, or none where it is empty, has a key here."""
        return not kid or any(key.kid == kid for key in self.keys)

    def verify(self, algorithm: str, kid: str, signed: bytes, signature: bytes) -> bool:
        """Check a signature with the keys named ``kid``, or with each one if ``kid`` is empty.

        ``algorithm`` is one of ALGORITHMS.
        """
        check = ALGORITHMS[algorithm]
        tried: set[bytes] = set()
        for key in self.keys:
            # Some issuers publish a key once for each algorithm.
            if (not kid or key.kid == kid) and key.spki not in tried:
                if check(key.public, signed, signature):
                    return True
                tried.add(key.spki)
        return False


def read_key_set(text: bytes) -> KeySet:
    """Read a JWK set (RFC 7517, section 5).

    A key of a kind that signs no token, a private one among them, is left out, as the RFC asks.
    Raises BadKeySet if this is no key set, or one without a single key to verify with.
    """
    try:
        document = loads(text)
    except ValueError:
        raise BadKeySet("it is not JSON") from None
    entries: Any = None
    if isinstance(document, Members):
        for name, value in document.folded():
            if name == "keys":
                entries = value
    if not isinstance(entries, list):
        raise BadKeySet('it has no list named "keys"')
    keys: list[Key] = []
    ignored: list[str] = []
    for number, entry in enumerate(entries, 1):
        try:
            keys.append(_read_key(entry))
        except _Unusable as problem:
            ignored.append(f"key {number} {problem}")
    if not keys:
        raise BadKeySet("; ".join(["it has no key that verifies a token", *ignored[:5]]))
    if len(keys) > MAX_KEYS:
        raise BadKeySet(f"it has more than {MAX_KEYS} keys")
    return KeySet(tuple(keys), tuple(ignored))


def decode_raw_url(text: bytes) -> bytes:
    """Decode base64url without padding (RFC 7515, section 2) as Go does.

    Line ends inside don't count, nor do the last bits that fill no byte. Raises ValueError.
    """
    if b"\n" in text or b"\r" in text:
        text = text.replace(b"\n", b"").replace(b"\r", b"")
    if not _RAW_URL.fullmatch(text) or len(text) % 4 == 1:
        raise ValueError
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def _read_key(entry: object) -> Key:
    if not isinstance(entry, Members):
        raise _Unusable("is no object")
    members = entry.last()
    if len(members) != len(entry.pairs):
        raise _Unusable("has a member twice")
    kid = members.get("kid") or ""
    if not isinstance(kid, str):
        raise _Unusable("has a kid that is no string")
    if members.get("d") is not None:
        raise _Unusable("is private")
    kty = members.get("kty")
    try:
        if kty == "RSA":
            public: PublicKey = _rsa_key(members)
        elif kty == "EC":
            public = _ec_key(members)
        else:
            raise _Unusable("is neither RSA nor EC")
    except (TypeError, ValueError) as problem:
        if isinstance(problem, _Unusable):
            raise
        raise _Unusable("is malformed") from None
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Key(kid, spki, public)


def _rsa_key(members: Mapping[str, Any]) -> rsa.RSAPublicKey:
    modulus = int.from_bytes(_octets(members, "n"), "big")
    exponent = int.from_bytes(_octets(members, "e"), "big")
    if modulus.bit_length() < 1024:
        raise _Unusable("is RSA with fewer than 1024 bits")
    if exponent >= 2**31:
        raise _Unusable("is RSA with an exponent of more than 31 bits")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _ec_key(members: Mapping[str, Any]) -> ec.EllipticCurvePublicKey:
    curve = _CURVES.get(members.get("crv", ""))
    if curve is None:
        raise _Unusable("is on none of the curves P-256, P-384 and P-521")
    size = (curve.key_size + 7) // 8
    x, y = _octets(members, "x"), _octets(members, "y")
    if len(x) != size or len(y) != size:
        raise _Unusable("has coordinates of the wrong length")
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve
    )
    return numbers.public_key()


def _octets(members: Mapping[str, Any], name: str) -> bytes:
    value = members.get(name)
    if not isinstance(value, str):
        raise _Unusable(f"has no {name}")
    return decode_raw_url(value.encode())


def _rsa(
    pad: padding.AsymmetricPadding,
    digest: hashes.HashAlgorithm,
    key: PublicKey,
    signed: bytes,
    signature: bytes,
) -> bool:
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(signature, signed, pad, digest)
    except InvalidSignature:
        return False
    return True


def _ecdsa(
    size: int, digest: hashes.HashAlgorithm, key: PublicKey, signed: bytes, signature: bytes
) -> bool:
    # go-jose wants the length that the algorithm has, and no more: a key on another curve will do.
    if not isinstance(key, ec.EllipticCurvePublicKey) or len(signature) != 2 * size:
        return False
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    try:
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    return True


def _pss(digest: hashes.HashAlgorithm) -> padding.PSS:
    return padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)


_SHA256, _SHA384, _SHA512 = hashes.SHA256(), hashes.SHA384(), hashes.SHA512()

ALGORITHMS: Mapping[str, Callable[[PublicKey, bytes, bytes], bool]] = {
    "RS256": partial(_rsa, padding.PKCS1v15(), _SHA256),
    "RS384": partial(_rsa, padding.PKCS1v15(), _SHA384),
    "RS512": partial(_rsa, padding.PKCS1v15(), _SHA512),
    "PS256": partial(_rsa, _pss(_SHA256), _SHA256),
    "PS384": partial(_rsa, _pss(_SHA384), _SHA384),
    "PS512": partial(_rsa, _pss(_SHA512), _SHA512),
    "ES256": partial(_ecdsa, 32, _SHA256),
    "ES384": partial(_ecdsa, 48, _SHA384),
    "ES512": partial(_ecdsa, 66, _SHA512),
}
"""The algorithms of RFC 7518, section 3.1, that kube-apiserver can be told to allow."""
