"""A token that is asked to be wrong never is right, whatever else it is asked to be."""

import jwt
import pytest
from koproxy_harness import WRONG, HarnessError, Issuer


@pytest.fixture
def issuer():
    issuer = Issuer(port=8443)  # which it doesn't listen on: tokens need no request
    yield issuer
    issuer.close()


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize(
    "wrong",
    ["missing-expp", "missing-", "missing-nbf", "mistyped-expp", "mistyped-", "mistyped-email"],
)
def test_a_claim_that_the_token_has_not_anyway_can_t_be_wrong(issuer, wrong):
    with pytest.raises(HarnessError, match=rf"{wrong}.*it has iss, sub, aud, exp, iat, groups"):
        issuer.token(wrong=wrong)
    with pytest.raises(HarnessError, match="it has iss, aud, exp, iat, groups, tenant"):
        issuer.token(wrong=wrong, tenant=1, sub=None)


def test_a_claim_that_is_given_is_missing_or_mistyped_if_it_is_to_be(issuer):
    assert "email" not in claims(issuer.token(wrong="missing-email", email="a"))
    assert claims(issuer.token(wrong="mistyped-email", email="a"))["email"] not in ("a", None)
    assert "exp" not in claims(issuer.token(wrong="missing-exp", exp=2_000_000_000))
    assert "sub" not in claims(issuer.token(wrong="missing-sub", sub="ann"))
    assert not isinstance(claims(issuer.token(wrong="mistyped-nbf", nbf=0))["nbf"], int)


@pytest.mark.parametrize(
    ("wrong", "given"),
    [
        ("expired", {"exp": 2_000_000_000}),
        ("expired", {"exp": None}),
        ("not-yet-valid", {"nbf": 0}),
        ("wrong-issuer", {"iss": "https://127.0.0.1:8443"}),
    ],
)
def test_what_is_to_be_wrong_can_t_be_given_as_well(issuer, wrong, given):
    (name,) = given
    with pytest.raises(HarnessError, match=f"'{wrong}' and a given {name} contradict each other"):
        issuer.token(wrong=wrong, **given)


def test_the_audience_of_a_token_that_is_for_somebody_else_is_not_the_one_given(issuer):
    assert claims(issuer.token(wrong="wrong-audience", aud="greetings"))["aud"] != "greetings"
    for aud in ("somebody-else", ["greetings", "somebody-else"]):
        with pytest.raises(HarnessError, match="'wrong-audience' and the audience 'somebody-else'"):
            issuer.token(wrong="wrong-audience", aud=aud)


def test_other_claims_that_are_given_stay(issuer):
    for wrong in WRONG[:4]:
        said = claims(issuer.token(wrong=wrong, iat=1, tenant="a", sub="ann", groups=["x"]))
        assert {name: said[name] for name in ("iat", "tenant", "sub", "groups")} == {
            "iat": 1,
            "tenant": "a",
            "sub": "ann",
            "groups": ["x"],
        }
    assert claims(issuer.token(wrong="not-yet-valid", exp=2_000_000_000))["exp"] == 2_000_000_000


@pytest.mark.parametrize("wrong", [3, "", "-", "rotten", ["expired"], "missing"])
def test_an_unknown_way_to_be_wrong_is_an_error_that_names_the_known(issuer, wrong):
    with pytest.raises(HarnessError, match=r"called .*; there are expired, not-yet-valid"):
        issuer.token(wrong=wrong)
