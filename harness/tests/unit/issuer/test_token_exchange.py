"""Tokens for tokens (RFC 8693): what is refused, and who may act for whom."""

import pytest

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"


@pytest.mark.parametrize(
    "changes",
    [
        {"subject_token": None},
        {"subject_token": "x"},
        {"subject_token_type": None},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"actor_token_type": ACCESS},
        {"actor_token": "x", "actor_token_type": ACCESS},
    ],
)
def test_an_exchange_without_what_it_needs(site, error, changes):
    form = {
        "grant_type": EXCHANGE,
        "client_id": "a",
        "subject_token": site.tokens()["access_token"],
        "subject_token_type": ACCESS,
    }
    assert site.post("/token", **form).status == 200
    form = {name: value for name, value in (form | changes).items() if value is not None}
    assert error(site.post("/token", **form)) == "invalid_request"


def test_who_may_act_for_somebody(site, error):
    token = {"iss": site.url, "sub": "jane", "exp": 1_000_060}
    subject = site.sign({**token, "may_act": {"sub": "admin"}})

    def ask(actor):
        return site.post(
            "/token",
            grant_type=EXCHANGE,
            client_id="a",
            subject_token=subject,
            subject_token_type=ACCESS,
            actor_token=site.sign({**token, "sub": actor}),
            actor_token_type=ACCESS,
        )

    assert site.claims(ask("admin").body["access_token"])["act"] == {"sub": "admin"}
    assert error(ask("kate")) == "invalid_request"


def test_an_exchanged_id_token_is_not_for_use_as_a_bearer_token(site):
    answer = site.post(
        "/token",
        grant_type=EXCHANGE,
        client_id="a",
        subject_token=site.tokens(scope="openid groups")["id_token"],
        subject_token_type="urn:ietf:params:oauth:token-type:id_token",
        requested_token_type="urn:ietf:params:oauth:token-type:id_token",
        audience=["x", "y"],
    ).body
    claims = site.claims(answer["access_token"])
    assert (answer["token_type"], claims["aud"], claims["groups"]) == ("N_A", ["x", "y"], ["dev"])
    assert "nonce" not in claims
