"""Tokens that nobody would think of, as Hypothesis strategies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from e2e.differential.cases import CLAIMS, SECONDS, STRINGS, VALUES, encode
from hypothesis import strategies as st

_CHARACTERS = 'aZ0 \t\n\r\x00\x7f\x85\xa0\u3000\u2028\ufeff\ufffdé😀:%#=,;"\\/-_.*@'
_TEXT = st.text(st.sampled_from(_CHARACTERS) | st.characters(codec="utf-8"), max_size=12)
NAMES = st.one_of(
    _TEXT,
    _TEXT.map(lambda text: f"system:{text}"),
    st.sampled_from(["system:masters", "system:authenticated", "system:unauthenticated", ""]),
)

_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), NAMES
)
JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
_RAW = st.one_of(
    JSON.map(lambda value: json.dumps(value).encode()),
    JSON.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")),
    st.sampled_from([*VALUES, *SECONDS]).map(str.encode),
    st.sampled_from(STRINGS),
    st.binary(max_size=12).map(lambda data: b'"' + data + b'"'),
)


@st.composite
def _name(draw: st.DrawFn) -> bytes:
    name = draw(st.sampled_from(CLAIMS) | NAMES)
    form = draw(st.sampled_from(["plain", "plain", "plain", "case", "long s", "escaped"]))
    if form == "case":
        name = "".join(draw(st.sampled_from([each, each.swapcase()])) for each in name)
    elif form == "long s":
        name = name.replace("s", "\u017f").replace("k", "\u212a")
    elif form == "escaped":
        return (
            b'"' + b"".join(b"\\u%04x" % ord(each) for each in name if ord(each) < 0x10000) + b'"'
        )
    return json.dumps(name, ensure_ascii=draw(st.booleans())).encode("utf-8", "replace")


@st.composite
def payloads(draw: st.DrawFn, claims: Mapping[str, Any]) -> bytes:
    """JSON objects: good claims, of which some are missing, between others of any type."""
    kept = [
        (json.dumps(name).encode(), json.dumps(value).encode())
        for name, value in claims.items()
        if draw(st.integers(0, 19)) > 0
    ]
    added = draw(st.lists(st.tuples(_name(), _RAW), max_size=4))
    members = draw(st.permutations([*kept, *added])) if draw(st.booleans()) else [*kept, *added]
    return b"{" + b",".join(name + b":" + value for name, value in members) + b"}"


@st.composite
def headers(draw: st.DrawFn, good: Mapping[str, Any]) -> bytes:
    """JOSE headers: a good one with members taken away, changed and added."""
    kept = [
        (json.dumps(name).encode(), json.dumps(value).encode())
        for name, value in good.items()
        if draw(st.integers(0, 19)) > 0
    ]
    names = st.sampled_from(
        [*("alg", "kid", "typ", "crit", "b64", "nonce", "x5c", "cty", "zip", "x", "Alg", "KID")]
    )
    values = _RAW | st.sampled_from(
        [b'["b64"]', b"false", b'"RS256"', b'"ES256"', b'"none"', b"[]", b"null", b'["exp"]']
    )
    added = draw(
        st.lists(st.tuples(names.map(lambda name: json.dumps(name).encode()), values), max_size=2)
    )
    return b"{" + b",".join(name + b":" + value for name, value in [*kept, *added]) + b"}"


@st.composite
def identities(draw: st.DrawFn, claims: Mapping[str, Any], user: str) -> bytes:
    """JSON objects of good claims with a user and groups of any characters."""
    groups = draw(st.lists(NAMES, max_size=4) | NAMES)
    changed = {**claims, user: draw(NAMES), "groups": groups}
    text = json.dumps(changed, ensure_ascii=draw(st.booleans()))
    return text.encode("utf-8", "replace")


_BYTES = b"AZaz09-_.+/= \t\x85\xa0\xc2\xe3\x80"


@st.composite
def spellings(draw: st.DrawFn, token: str) -> bytes:
    """A good token with a few bytes put in, taken out and changed, in a header's value."""
    value = bytearray(b"Bearer " + token.encode())
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(value)) | st.sampled_from([0, 6, 7, len(value)]))
        place = min(place, len(value))
        match draw(st.sampled_from(["insert", "remove", "change", "cut"])):
            case "insert":
                value[place:place] = bytes(draw(st.lists(st.sampled_from(_BYTES), max_size=3)))
            case "remove":
                del value[place : place + draw(st.integers(1, 3))]
            case "change":
                value[place : place + 1] = bytes([draw(st.sampled_from(_BYTES))])
            case "cut":
                del value[place:]
    return bytes(value)


def unsigned(header: bytes, payload: bytes) -> str:
    """The part of a token that a signature covers."""
    return f"{encode(header)}.{encode(payload)}"
