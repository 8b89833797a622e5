"""The ways in which a token can be wrong, by name. Pure.

Each is wrong in that one way only: a verifier that takes it has missed that one check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from koproxy_harness.errors import HarnessError
from koproxy_harness.issuer import tokens
from koproxy_harness.issuer.keys import SigningKey

_HOUR = 3600  # seconds; more than the leeway of any verifier

# These change what is said; the others change how it is signed, or the text of the token.
_CLAIMS = ("expired", "not-yet-valid", "wrong-audience", "wrong-issuer")
_SIGNED = (
    "unknown-key",
    "wrong-key",
    "alg-none",
    "hmac-with-public-key",
    "tampered-payload",
    "tampered-signature",
    "no-signature",
    "malformed",
)
_REQUIRED = ("iss", "aud", "exp")  # which every verifier has to look at

WRONG = (
    *_CLAIMS,
    *_SIGNED,
    *(f"missing-{claim}" for claim in _REQUIRED),
    *(f"mistyped-{claim}" for claim in _REQUIRED),
)


def check(wrong: str) -> None:
    """Raise `HarnessError` for a name that is none.

    `missing-` and `mistyped-` go before the name of any claim, not only of those in `WRONG`.
    """
    if wrong not in WRONG and not wrong.startswith(("missing-", "mistyped-")):
        known = ", ".join((*_CLAIMS, *_SIGNED))
        raise HarnessError(
            f"no way to be wrong is called {wrong!r}; there are {known}, "
            "and missing-CLAIM and mistyped-CLAIM for every claim"
        )


def claims(wrong: str, now: int) -> dict[str, Any]:
    """Give the claims that make a token wrong in this way; None stands for one left out."""
    match wrong:
        case "expired":
            return {"iat": now - 2 * _HOUR, "exp": now - _HOUR}
        case "not-yet-valid":
            return {"nbf": now + _HOUR, "exp": now + 2 * _HOUR}
        case "wrong-audience":
            return {"aud": "somebody-else"}
        case "wrong-issuer":
            return {"iss": "https://other-issuer.invalid"}
    kind, _, claim = wrong.partition("-")
    match kind:
        case "missing":
            return {claim: None}
        case "mistyped":
            return {claim: {"of": "another type"}}  # no claim that is checked is an object
    return {}


def sign(
    wrong: str,
    key: SigningKey,
    stranger: Callable[[str], SigningKey],
    payload: Mapping[str, Any],
    header: Mapping[str, Any] | None,
) -> str:
    """Make the token of these claims, signed in this way; `stranger` has keys of nobody's.

    The ways that only claims are wrong in are signed rightly.
    """
    match wrong:
        case "unknown-key":
            return stranger(key.alg).jws(payload, header)
        case "wrong-key":
            return stranger(key.alg).jws(payload, {"kid": key.kid, **(header or {})})
        case "alg-none":
            return tokens.without_signature(key.header(header), payload)
        case "hmac-with-public-key":
            return tokens.hmac_with_public_key(key.header(header), payload, key.public_pem)
    token = key.jws(payload, header)
    text = token.rpartition(".")[0]
    match wrong:
        case "tampered-payload":
            return tokens.tampered_payload(token)
        case "tampered-signature":
            return tokens.tampered_signature(token)
        case "no-signature":
            return f"{text}."
        case "malformed":
            return text
    return token
