"""What an authorization code is good for, and the tokens that it gives."""

import jwt
import pytest
from koproxy_harness.issuer.users import User


def introspected(site, token):
    return site.post("/introspect", token=token).body


def test_a_code_is_good_once_and_the_second_time_ends_what_it_gave(site, error):
    code = site.code(scope="openid offline_access")
    tokens = site.exchange(code).body
    assert introspected(site, tokens["access_token"])["active"] is True
    assert error(site.exchange(code)) == "invalid_grant"
    assert introspected(site, tokens["access_token"]) == {"active": False}
    assert introspected(site, tokens["refresh_token"]) == {"active": False}


def test_a_code_is_good_for_a_minute_of_the_issuers_clock(site, error):
    codes = [site.code(), site.code()]
    site.clock.move(59)
    assert site.exchange(codes[0]).status == 200
    site.clock.move(2)
    assert error(site.exchange(codes[1])) == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "other"},
        {"redirect_uri": "http://127.0.0.1:8001/cb"},
        {"redirect_uri": None},
        {"code_verifier": "b" * 43},
        {"code_verifier": None},
        {"code": "something"},
    ],
)
def test_a_code_is_bound_to_what_it_was_asked_for_with(site, error, changes):
    code = site.code()
    assert error(site.exchange(**{"code": code, **changes})) == "invalid_grant"
    assert site.exchange(code).status == 200  # who guesses does not spend it


def test_a_verifier_without_a_challenge_is_refused(site, error):
    assert error(site.exchange(site.code(code_challenge=None))) == "invalid_grant"
    assert site.exchange(site.code(code_challenge=None), code_verifier=None).status == 200


def test_what_the_id_token_says(site):
    tokens = site.tokens(nonce="n", scope="openid email")
    header = jwt.get_unverified_header(tokens["id_token"])
    claims = site.claims(tokens["id_token"])
    assert header["typ"] == "JWT"
    assert {name: claims[name] for name in ("iss", "sub", "aud", "azp", "nonce", "email")} == {
        "iss": site.url,
        "sub": "jane",
        "aud": "app",
        "azp": "app",
        "nonce": "n",
        "email": "jane@example.org",
    }
    assert (claims["iat"], claims["exp"], claims["auth_time"]) == (1_000_000, 1_000_300, 1_000_000)


def test_without_openid_there_is_no_id_token(site):
    assert "id_token" not in site.tokens(scope="email")


def test_a_user_may_have_any_claim(site_with):
    odd = {"header": 1, "alg": "x", "lifetime": 2, "wrong": "expired", "exp": 5, "iss": "other"}
    claims = site_with(users=[User("jane", claims=odd)])
    answer = claims.claims(claims.tokens()["id_token"])
    assert {name: answer[name] for name in odd} == {**odd, "exp": 1_000_300}
