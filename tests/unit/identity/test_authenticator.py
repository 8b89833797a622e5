"""From a header's value to an outcome or a need."""

from collections.abc import Iterable
from typing import Any

import pytest
from support.signer import CLIENT, NOW, URL, Signer

from koproxy.identity.added import Added
from koproxy.identity.authenticator import DISTRIBUTED_SECONDS, Authenticator
from koproxy.identity.decision import (
    ClaimsNeeded,
    Forbidden,
    KeysNeeded,
    Need,
    Outcome,
    Unauthenticated,
    Verified,
)
from koproxy.identity.issuer import Issuer
from koproxy.identity.user import Identity

SIGNER = Signer()
STRANGER = Signer(number=1)
RULES = Issuer(URL, frozenset({CLIENT}), groups_claim="groups")


def authenticator(*rules: Issuer, groups: Iterable[str] = ()) -> Authenticator:
    made = Authenticator(rules or (RULES,), allow_reserved_groups=frozenset(groups))
    made.use_keys(URL, SIGNER.keys)
    return made


def refusal(decision: Outcome | Need) -> str:
    assert isinstance(decision, Unauthenticated), decision
    return decision.reason


def test_a_good_token_is_verified_and_then_known() -> None:
    made = authenticator()
    value = SIGNER.bearer(groups=["dev"])
    assert made.cached(value, NOW) is None
    decision = made.authenticate(value, NOW)
    headers = b"Impersonate-User: jane\r\nImpersonate-Group: dev\r\n"
    jane = Identity("jane", groups=("dev",))
    assert decision == Verified(headers, jane, NOW + 3600, NOW + 3600, issuer=URL)
    assert made.cached(value, NOW + 3600) is decision
    assert made.cached(value, NOW + 3600.1) is None
    assert refusal(made.authenticate(value, NOW + 3600.1)).endswith("it has expired")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://other.example"}, "comes from another issuer"),
        ({"iss": URL + "/"}, "comes from another issuer"),
        ({"iss": None}, "comes from another issuer"),
        ({"iss": 1}, "iss claim is no string"),
        ({"aud": "other"}, "for another audience"),
        ({"aud": None}, "for another audience"),
        ({"exp": int(NOW) - 1}, "has expired"),
        ({"exp": None}, "has no exp claim"),
        ({"nbf": int(NOW) + 61}, "not valid yet"),
        ({"sub": None}, "has no sub claim"),
        ({"groups": 1}, "groups claim is neither"),
    ],
)
def test_a_bad_token_is_refused_with_a_reason(changes: dict[str, Any], reason: str) -> None:
    refused = authenticator().authenticate(SIGNER.bearer(**changes), NOW)
    assert reason in refusal(refused)
    assert isinstance(refused, Unauthenticated)
    assert refused.issuer == ("" if "iss" in changes else URL)


@pytest.mark.parametrize("value", [b"", b"Basic x", b"Bearer", b"Bearer ", b"Bearer\x00 x"])
def test_without_a_token_nobody_is_named(value: bytes) -> None:
    assert refusal(authenticator().authenticate(value, NOW)) == "the request has no bearer token"


def test_an_algorithm_has_to_be_allowed() -> None:
    value = b"Bearer " + SIGNER.sign(SIGNER.claims(), alg="ES256")
    assert "algorithm is not allowed" in refusal(authenticator().authenticate(value, NOW))
    allowed = Issuer(URL, frozenset({CLIENT}), frozenset({"ES256"}))
    assert isinstance(authenticator(allowed).authenticate(value, NOW), Verified)


def test_keys_are_asked_for_when_there_are_none() -> None:
    decision = Authenticator([RULES]).authenticate(SIGNER.bearer(), NOW)
    assert isinstance(decision, KeysNeeded)
    assert (decision.issuer, decision.first) == (URL, True)


@pytest.mark.parametrize("header", [{}, {"kid": None}])
def test_newer_keys_are_asked_for_when_none_fits(header: dict[str, Any]) -> None:
    value = b"Bearer " + STRANGER.sign(STRANGER.claims(), header)
    decision = authenticator().authenticate(value, NOW)
    assert isinstance(decision, KeysNeeded)
    assert (decision.issuer, decision.first) == (URL, False)


def test_a_name_without_its_key_is_asked_for_and_a_signature_of_another_key_too() -> None:
    stolen = {"kid": SIGNER.key().kid}
    for header, reason in (({}, "no key of the name"), (stolen, "signature does not fit")):
        value = b"Bearer " + STRANGER.sign(STRANGER.claims(), header)
        decision = authenticator().authenticate(value, NOW)
        assert isinstance(decision, KeysNeeded)
        assert reason in decision.reason


@pytest.mark.parametrize("changes", [{"exp": int(NOW) - 1}, {"aud": "x"}, {"iss": "x"}, {"sub": 1}])
def test_no_keys_are_asked_for_a_token_that_would_be_refused_with_them(
    changes: dict[str, Any],
) -> None:
    assert refusal(authenticator().authenticate(STRANGER.bearer(**changes), NOW))
    assert refusal(Authenticator([RULES]).authenticate(STRANGER.bearer(**changes), NOW))


def test_changed_keys_make_it_forget() -> None:
    made = authenticator()
    value = SIGNER.bearer()
    made.authenticate(value, NOW)
    assert made.use_keys(URL, SIGNER.keys) is False
    assert made.cached(value, NOW) is not None
    assert made.use_keys(URL, STRANGER.keys) is True
    assert made.cached(value, NOW) is None
    assert isinstance(made.authenticate(value, NOW), KeysNeeded)


def test_dropped_keys_make_it_forget() -> None:
    made = authenticator()
    value = SIGNER.bearer()
    made.authenticate(value, NOW)
    made.drop_keys(URL)
    assert made.cached(value, NOW) is None
    decision = made.authenticate(value, NOW)
    assert isinstance(decision, KeysNeeded)
    assert decision.first


def test_each_issuer_has_its_own_rules_and_keys() -> None:
    other = Signer("https://other.example", number=1)
    rules = Issuer(other.url, frozenset({"other"}), username_prefix="o:")
    made = authenticator(RULES, rules)
    made.use_keys(other.url, other.keys)
    decision = made.authenticate(other.bearer(aud="other"), NOW)
    assert isinstance(decision, Verified)
    assert decision.identity.username == "o:jane"
    forged = Signer("https://other.example").bearer(aud="other")
    assert isinstance(made.authenticate(forged, NOW), KeysNeeded)
    assert isinstance(made.authenticate(SIGNER.bearer(), NOW), Verified)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sub": ""}, "empty user name"),
        ({"sub": " jane"}, "blank"),
        ({"sub": "system:admin"}, "reserved"),
        ({"groups": ["system:masters"]}, "reserved"),
        ({"groups": ["a\nb"]}, "control character"),
    ],
)
def test_an_identity_that_is_not_passed_on_is_forbidden(
    changes: dict[str, Any], message: str
) -> None:
    made = authenticator()
    value = SIGNER.bearer(**changes)
    decision = made.authenticate(value, NOW)
    assert isinstance(decision, Forbidden)
    assert message in decision.message
    assert decision.identity is not None
    assert decision.identity.username == changes.get("sub", "jane")
    assert decision.issuer
    assert made.cached(value, NOW) is None


def test_reserved_groups_may_be_allowed() -> None:
    decision = authenticator(groups=["system:masters"]).authenticate(
        SIGNER.bearer(groups=["system:masters"]), NOW
    )
    assert isinstance(decision, Verified)


def test_without_impersonation_a_token_is_passed_on_and_none_of_the_proxys_lines() -> None:
    made = Authenticator([RULES], impersonate=False)
    made.use_keys(URL, SIGNER.keys)
    value = SIGNER.bearer(groups=["dev"])
    decision = made.authenticate(value.replace(b"Bearer", b" bEARER") + b" x", NOW)
    who = Identity("jane", groups=("dev",))
    assert decision == Verified(b"", who, NOW + 3600, NOW + 3600, value, URL)
    assert value.decode() not in repr(decision)
    assert isinstance(made.authenticate(SIGNER.bearer(sub="system:admin"), NOW), Forbidden)


def test_what_the_proxy_adds_is_in_the_lines_and_not_in_the_identity() -> None:
    made = Authenticator([RULES], added=Added((("zone", ("a",)),)))
    made.use_keys(URL, SIGNER.keys)
    decision = made.authenticate(SIGNER.bearer(), NOW)
    assert isinstance(decision, Verified)
    assert decision.headers == b"Impersonate-User: jane\r\nImpersonate-Extra-zone: a\r\n"
    assert decision.identity == Identity("jane")
    assert decision.credential is None


def test_only_the_usual_spelling_of_a_token_is_kept() -> None:
    made = authenticator()
    value = SIGNER.bearer()
    for odd in (b" " + value, value + b" x", value.replace(b"Bearer", b"bEarer"), value + b"\t"):
        assert isinstance(made.authenticate(odd, NOW), Verified)
        assert made.cached(odd, NOW) is None
    for usual in (value, value.replace(b"Bearer", b"bearer")):
        assert isinstance(made.authenticate(usual, NOW), Verified)
        assert made.cached(usual, NOW) is not None


# Distributed claims.

ENDPOINT = "https://claims.example/groups"
NEED = ClaimsNeeded(ENDPOINT, "opener", URL)


def elsewhere(endpoint: str = ENDPOINT) -> bytes:
    return SIGNER.bearer(
        _claim_names={"groups": "s"},
        _claim_sources={"s": {"endpoint": endpoint, "access_token": "opener"}},
    )


def test_groups_elsewhere_are_asked_for_and_kept_for_a_moment() -> None:
    made = authenticator()
    assert made.authenticate(elsewhere(), NOW) == NEED
    fetched = {NEED: SIGNER.sign(SIGNER.claims(groups=["far"])) + b"\r\n"}
    decision = made.authenticate(elsewhere(), NOW, fetched)
    assert isinstance(decision, Verified)
    assert decision.identity.groups == ("far",)
    assert decision.expires == NOW + DISTRIBUTED_SECONDS
    assert decision.ends == NOW + 3600
    assert made.cached(elsewhere(), NOW + DISTRIBUTED_SECONDS) is decision
    assert made.cached(elsewhere(), NOW + DISTRIBUTED_SECONDS + 1) is None


def test_groups_elsewhere_end_with_their_own_token() -> None:
    fetched = {NEED: SIGNER.sign(SIGNER.claims(groups="far", exp=int(NOW) + 3))}
    decision = authenticator().authenticate(elsewhere(), NOW, fetched)
    assert isinstance(decision, Verified)
    assert decision.expires == NOW + 3


def test_groups_elsewhere_are_not_asked_for_in_vain() -> None:
    rules = Issuer(URL, frozenset({CLIENT}))
    assert isinstance(authenticator(rules).authenticate(elsewhere(), NOW), Verified)
    forged = STRANGER.bearer(
        _claim_names={"groups": "s"}, _claim_sources={"s": {"endpoint": ENDPOINT}}
    )
    assert isinstance(authenticator().authenticate(forged, NOW), KeysNeeded)


def test_groups_may_be_signed_by_another_issuer_whose_keys_are_then_needed() -> None:
    other = Signer("https://groups.example", number=1)
    made = authenticator()
    fetched = {NEED: other.sign(other.claims(groups="far"))}
    decision = made.authenticate(elsewhere(), NOW, fetched)
    assert isinstance(decision, KeysNeeded)
    assert (decision.issuer, decision.first) == (other.url, True)
    made.use_keys(other.url, other.keys)
    assert isinstance(made.authenticate(elsewhere(), NOW, fetched), Verified)
    # That issuer speaks about groups alone.
    assert "another issuer" in refusal(made.authenticate(other.bearer(), NOW))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "not a JSON Web Token"),
        (b"<html>", "not a JSON Web Token"),
        (SIGNER.sign(SIGNER.claims()), "has none"),
        (SIGNER.sign(SIGNER.claims(groups="far", aud="other")), "another audience"),
        (SIGNER.sign(SIGNER.claims(groups="far", exp=1)), "expired"),
        (SIGNER.sign(SIGNER.claims(groups="far", iss="http://a.example")), "no https URL"),
        (SIGNER.sign(SIGNER.claims(groups=1)), "groups claim is neither"),
        (SIGNER.sign(SIGNER.claims(groups="far"), alg="ES256"), "algorithm is not allowed"),
    ],
)
def test_a_bad_answer_refuses_the_token(answer: bytes, reason: str) -> None:
    assert reason in refusal(authenticator().authenticate(elsewhere(), NOW, {NEED: answer}))


@pytest.mark.parametrize(
    "endpoint", ["http://claims.example", "claims.example", "file:///etc", "x"]
)
def test_groups_are_only_asked_for_over_https(endpoint: str) -> None:
    assert "https" in refusal(authenticator().authenticate(elsewhere(endpoint), NOW))


def test_an_access_token_is_not_shown() -> None:
    assert "opener" not in repr(NEED)
