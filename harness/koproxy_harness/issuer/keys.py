"""Signing keys of every asymmetric JOSE algorithm (RFC 7518 section 3, RFC 8037, 8812, 9864).

Making an RSA key costs more than everything else that an issuer does, so the key pairs come from
a pool of the process: two issuers that are alive at once never share one, but one that is
closed leaves its own to the next.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms

from koproxy_harness.errors import HarnessError
from koproxy_harness.issuer import tokens

PrivateKey = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)

_JOSE = get_default_algorithms()
_JOSE |= dict.fromkeys(("Ed25519", "Ed448"), _JOSE["EdDSA"])
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ALGORITHMS = (*_RSA, "ES256", "ES384", "ES512", "EdDSA")
# Verifiers there are that can't read a key set with such a key in it, so it is published only
# once it is used (RFC 8812, RFC 9864).
RARE: dict[str, Callable[[], PrivateKey]] = {
    "ES256K": lambda: ec.generate_private_key(ec.SECP256K1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
}


@dataclass(frozen=True)
class KeyPairs:
    """One key pair of each kind; the RSA pair serves all the RS and PS algorithms."""

    rsa: rsa.RSAPrivateKey
    p256: ec.EllipticCurvePrivateKey
    p384: ec.EllipticCurvePrivateKey
    p521: ec.EllipticCurvePrivateKey
    ed25519: ed25519.Ed25519PrivateKey

    @classmethod
    def make(cls) -> KeyPairs:
        """Make new ones."""
        return cls(
            rsa.generate_private_key(65537, 2048),
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP384R1()),
            ec.generate_private_key(ec.SECP521R1()),
            ed25519.Ed25519PrivateKey.generate(),
        )

    def of(self, alg: str) -> PrivateKey:
        """Give the pair that `alg` signs with."""
        others: dict[str, PrivateKey] = {
            "ES256": self.p256,
            "ES384": self.p384,
            "ES512": self.p521,
            "EdDSA": self.ed25519,
        }
        return others.get(alg, self.rsa)


class KeyPool:
    """Key pairs that no living issuer uses."""

    def __init__(self) -> None:
        self._free: list[KeyPairs] = []
        self._lock = threading.Lock()

    def take(self) -> KeyPairs:
        """Give pairs that nobody else has."""
        with self._lock:
            if self._free:
                return self._free.pop()
        return KeyPairs.make()

    def give_back(self, pairs: KeyPairs) -> None:
        """Leave these to another issuer."""
        with self._lock:
            self._free.append(pairs)


POOL = KeyPool()


@dataclass(frozen=True)
class SigningKey:
    """A private key with the algorithm that it is published for, and its key ID."""

    kid: str
    alg: str
    private: PrivateKey

    def sign(self, message: bytes, alg: str | None = None) -> bytes:
        """Sign with `alg`, by default the key's own; a JWS signature (RFC 7515).

        Raises `HarnessError` for an algorithm that there is not, or that the key is not for.
        """
        alg = alg or self.alg
        if alg not in _JOSE:
            raise _no_key_for(alg)
        try:
            return _JOSE[alg].sign(message, cast(Any, self.private))
        except (TypeError, AttributeError, ValueError):
            raise HarnessError(
                f"a key for {self.alg} can't sign with {alg}: give a key for that, or leave it out"
            ) from None

    def jws(
        self,
        payload: Mapping[str, Any] | bytes,
        header: Mapping[str, Any] | bytes | None = None,
        alg: str | None = None,
    ) -> str:
        """Sign `payload`, well-formed or not, in compact form (RFC 7515 section 7.1).

        A mapping as `header` adds to the usual one, and with None removes; bytes are the whole
        header. `alg` signs, and says so, with another algorithm than the key's own.
        """
        if not isinstance(header, bytes):
            header = self.header({"alg": alg or self.alg, **tokens.header_fields(header)})
        text = tokens.signing_input(header, payload)
        return f"{text}.{tokens.encode(self.sign(text.encode(), alg))}"

    def header(self, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Give the JOSE header of what it signs, with `changes`; None takes a member away."""
        header: dict[str, Any] = {"alg": self.alg, "typ": "JWT", "kid": self.kid}
        header |= tokens.header_fields(changes)
        return {name: value for name, value in header.items() if value is not None}

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half, as in a JWKS document (RFC 7517)."""
        published = _JOSE[self.alg].to_jwk(cast(Any, self.private.public_key()))
        jwk = json.loads(published) if isinstance(published, str) else dict(published)
        jwk.pop("key_ops", None)
        return {**jwk, "use": "sig", "alg": self.alg, "kid": self.kid}

    @property
    def public_pem(self) -> bytes:
        """The public half as PEM."""
        return self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )


class KeySet:
    """One generation of an issuer's keys: a key for each algorithm, each with its own ID.

    There is one for each of `ALGORITHMS`, and for one of `RARE` once it has been asked for.

    `pairs`: the key pairs behind them, by default new ones.
    """

    def __init__(self, pairs: KeyPairs | None = None) -> None:
        self.pairs = pairs or KeyPairs.make()
        self._name = secrets.token_hex(4)
        self._lock = threading.Lock()  # one thread may sign while another publishes
        self._keys = {
            alg: SigningKey(self._kid(alg), alg, self.pairs.of(alg)) for alg in ALGORITHMS
        }

    def _kid(self, alg: str) -> str:
        return f"{alg.lower()}-{self._name}"

    def key(self, alg: str) -> SigningKey:
        """Give the key for `alg`; raises `HarnessError` for one that isn't asymmetric JOSE."""
        with self._lock:
            if alg in RARE and alg not in self._keys:
                self._keys[alg] = SigningKey(self._kid(alg), alg, RARE[alg]())
        try:
            return self._keys[alg]
        except KeyError:
            raise _no_key_for(alg) from None

    @property
    def jwks(self) -> list[dict[str, Any]]:
        """The public halves."""
        with self._lock:
            keys = list(self._keys.values())
        return [key.jwk for key in keys]


def _no_key_for(alg: str) -> HarnessError:
    known = ", ".join((*ALGORITHMS, *RARE))
    return HarnessError(f"no key for the algorithm {alg!r}; there are {known}")
