"""Whatever a token says, there is a decision, and only the issuer makes an identity."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from support.signer import CLIENT, NOW, URL, Signer

from koproxy.identity.authenticator import Authenticator
from koproxy.identity.decision import (
    ClaimsNeeded,
    Forbidden,
    KeysNeeded,
    Unauthenticated,
    Verified,
)
from koproxy.identity.issuer import Issuer

SIGNER = Signer()
ALGORITHMS = frozenset({"RS256", "ES256", "PS384"})
RULES = Issuer(
    URL,
    frozenset({CLIENT}),
    ALGORITHMS,
    username_claim="email",
    groups_claim="groups",
    required_claims=(("tenant", "blue"),),
)
GOOD = SIGNER.claims(email="jane@a.example", groups=["dev"], tenant="blue", email_verified=True)

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.just("endpoint"), inner, max_size=3)
    ),
    max_leaves=6,
)
_names = st.sampled_from(
    [*GOOD, "nbf", "iat", "nonce", "at_hash", "_claim_names", "_claim_sources", "ISS", "EXP", "Aud"]
)


def authenticator() -> Authenticator:
    made = Authenticator([RULES])
    made.use_keys(URL, SIGNER.keys)
    return made


@given(st.dictionaries(_names, _json, max_size=4), st.floats(0, 2 * NOW))
@example({"_claim_names": {"groups": "s"}, "_claim_sources": {"s": {"endpoint": "https://a"}}}, NOW)
def test_any_claims_give_a_decision(changes: dict[str, Any], now: float) -> None:
    value = b"Bearer " + SIGNER.sign(json.dumps({**GOOD, **changes}).encode())
    made = authenticator()
    decision = made.authenticate(value, now)
    assert isinstance(decision, Verified | Unauthenticated | Forbidden | ClaimsNeeded)
    if isinstance(decision, Verified):
        assert now <= decision.expires
        assert decision.headers.endswith(b"\r\n")
        assert made.cached(value, decision.expires) is decision
        assert made.cached(value, decision.expires + 1) is None


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda data: b"Bearer " + data))
def test_any_header_gives_a_decision(value: bytes) -> None:
    assert isinstance(authenticator().authenticate(value, NOW), Unauthenticated)


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40))
def test_any_three_parts_give_a_decision(header: bytes, payload: bytes, signature: bytes) -> None:
    value = b"Bearer " + b".".join((header, payload, signature))
    assert isinstance(authenticator().authenticate(value, NOW), Unauthenticated)


@given(st.binary(max_size=80))
def test_any_header_of_a_token_gives_a_decision(header: bytes) -> None:
    value = b"Bearer " + SIGNER.sign(GOOD, header)
    assert isinstance(authenticator().authenticate(value, NOW), Unauthenticated | KeysNeeded)


@given(st.data())
def test_a_changed_token_is_the_same_person_or_nobody(data: st.DataObject) -> None:
    alg = data.draw(st.sampled_from(sorted(ALGORITHMS)))
    token = bytearray(SIGNER.sign(GOOD, alg=alg))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(token) - 1))
        token[place] = data.draw(st.integers(0, 255))
    decision = authenticator().authenticate(b"Bearer " + bytes(token), NOW)
    assert not isinstance(decision, ClaimsNeeded | Forbidden)
    if isinstance(decision, Verified):
        assert decision.identity.username == "jane@a.example"
        assert decision.identity.groups == ("dev",)
        assert decision.expires == GOOD["exp"]


@given(st.integers(0), st.integers(0, 7))
def test_a_turned_bit_in_what_is_signed_is_noticed(place: int, bit: int) -> None:
    header, payload, signature = SIGNER.sign(GOOD).split(b".")
    signed = bytearray(header + b"." + payload)
    # The last letter of a part may have bits that stand for nothing.
    place %= len(header) - 1
    signed[place] ^= 1 << bit
    value = b"Bearer " + bytes(signed) + b"." + signature
    assert not isinstance(authenticator().authenticate(value, NOW), Verified)


@given(st.dictionaries(_names, _json, max_size=3))
def test_a_stranger_s_token_is_never_taken(changes: dict[str, Any]) -> None:
    stranger = Signer(number=1)
    for kid in (stranger.key().kid, SIGNER.key().kid, None):
        text = stranger.sign(json.dumps({**GOOD, **changes}).encode(), {"kid": kid})
        decision = authenticator().authenticate(b"Bearer " + text, NOW)
        assert isinstance(decision, Unauthenticated | KeysNeeded)


@given(
    st.binary(max_size=100)
    | st.builds(lambda claims: SIGNER.sign(json.dumps(claims).encode()), _json)
)
def test_any_answer_of_a_claim_source_gives_a_decision(answer: bytes) -> None:
    endpoint = "https://claims.example"
    value = SIGNER.bearer(
        **{**GOOD, "groups": None},
        _claim_names={"groups": "s"},
        _claim_sources={"s": {"endpoint": endpoint}},
    )
    made = authenticator()
    need = made.authenticate(value, NOW)
    assert isinstance(need, ClaimsNeeded)
    decision = made.authenticate(value, NOW, {need: answer})
    assert isinstance(decision, Unauthenticated)
