"""The ways in which a token can be wrong, by name. Pure.

Each is wrong in that one way only: a verifier that takes it has missed that one check.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from koproxy_harness.errors import HarnessError
from koproxy_harness.issuer import tokens
from koproxy_harness.issuer.keys import SigningKey

_HOUR = 3600  # seconds; more than the leeway of any verifier
_MISTYPED = {"of": "another type"}  # no claim that is checked is an object

_OTHER_AUDIENCE = "somebody-else"

# These change what is said, each this claim; the others change how it is signed, or the text of the
# token.
_CLAIMS = {
    "expired": "exp",
    "not-yet-valid": "nbf",
    "wrong-audience": "aud",
    "wrong-issuer": "iss",
}
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


def claims(
    wrong: object, right: Mapping[str, Any], given: Collection[str], now: int
) -> dict[str, Any]:
    """Make the claims of a `right` token wrong in this way, if it is one about claims.

    `given` are the names of those that a test has given as they are to be. They stay, but for one
    that is to be missing or of another type. `now` is in seconds since 1970. Raises `HarnessError`
    for a name that is none, and where it and what is given contradict each other.
    """
    kind, _, claim = wrong.partition("-") if isinstance(wrong, str) else ("", "", "")
    if kind in ("missing", "mistyped") and wrong != kind:
        if claim not in right:
            raise HarnessError(
                f"{wrong!r} is about a claim that this token has not anyway: it has "
                f"{', '.join(right)}; for another one, give that too"
            )
        return {**right, claim: None if kind == "missing" else _MISTYPED}
    if wrong not in WRONG:
        raise HarnessError(
            f"no way to be wrong is called {wrong!r}; there are {', '.join((*_CLAIMS, *_SIGNED))}, "
            "and missing-CLAIM and mistyped-CLAIM for every claim"
        )
    if _CLAIMS.get(wrong) in given:
        raise HarnessError(
            f"{wrong!r} and a given {_CLAIMS[wrong]} contradict each other: leave one of them out"
        )
    changes = _changes(wrong, right, now)
    return {**right, **{name: each for name, each in changes.items() if name not in given}}


def _changes(wrong: str, right: Mapping[str, Any], now: int) -> dict[str, Any]:
    match wrong:
        case "expired":
            return {"iat": now - 2 * _HOUR, "exp": now - _HOUR}
        case "not-yet-valid":
            return {"nbf": now + _HOUR, "exp": now + 2 * _HOUR}
        case "wrong-audience":
            aud = right.get("aud")
            if _OTHER_AUDIENCE in (aud if isinstance(aud, list | tuple) else [aud]):
                raise HarnessError(
                    f"{wrong!r} and the audience {_OTHER_AUDIENCE!r} contradict each other, "
                    "because it is what the token would say: give another audience"
                )
            return {"aud": _OTHER_AUDIENCE}
        case "wrong-issuer":
            return {"iss": "https://other-issuer.invalid"}
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
            return stranger(key.alg).jws(payload, {"kid": key.kid, **tokens.header_fields(header)})
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
