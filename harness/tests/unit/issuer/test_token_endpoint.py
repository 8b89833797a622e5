"""The token endpoint: which grants there are, and who a client is."""

import base64

import pytest
from koproxy_harness.issuer.clients import Client

BACK = "http://127.0.0.1:8000/cb"


def basic(name, secret):
    text = base64.b64encode(f"{name}:{secret}".encode()).decode()
    return [("Authorization", f"Basic {text}")]


def test_errors_of_the_endpoint(site, error):
    assert error(site.post("/token")) == "invalid_request"
    assert error(site.post("/token", grant_type="none", client_id="a")) == "unsupported_grant_type"
    body = b'{"grant_type": "client_credentials"}'
    assert error(site.send("POST", "/token", body, kind="application/json")) == "invalid_request"
    twice = b"grant_type=password&grant_type=password"
    assert error(site.send("POST", "/token", twice)) == "invalid_request"
    assert error(site.post("/token", grant_type="password", client_id="a")) == "invalid_request"
    assert site.get("/token").status == 405


def test_a_client_may_be_kept_to_some_grants(site_with, error):
    site = site_with(clients=[Client("a", "s", grant_types=["authorization_code"])])
    for grant in ("client_credentials", "password"):
        answer = site.post("/token", basic("a", "s"), grant_type=grant)
        assert error(answer) == "unauthorized_client"
    answer = site.post("/device_authorization", basic("a", "s"), scope="openid")
    assert error(answer) == "unauthorized_client"


def test_a_refresh_token_is_only_for_who_may_use_it(site_with):
    client = Client("app", redirect_uris=[BACK], grant_types=["authorization_code"])
    assert "refresh_token" not in site_with(clients=[client]).tokens(scope="offline_access")


@pytest.mark.parametrize(
    ("headers", "form", "good"),
    [
        (basic("a", "s"), {}, True),
        (basic("a", "s"), {"client_id": "a"}, True),
        (basic("a%20b", "s%2Bs"), {}, True),
        (basic("a+b", "s%2Bs"), {}, True),
        ([], {"client_id": "a", "client_secret": "s"}, True),
        (basic("a", "t"), {}, False),
        (basic("a", ""), {}, False),
        (basic("nobody", "s"), {}, False),
        ([("Authorization", "Basic !")], {}, False),
        ([("Authorization", "Bearer s")], {}, False),
        ([], {"client_id": "a", "client_secret": "t"}, False),
        ([], {"client_id": "a", "client_secret": "é"}, False),
        ([("Authorization", f"Basic {base64.b64encode(bytes([255])).decode()}")], {}, False),
        ([], {"client_id": "a"}, False),
        ([], {"client_secret": "s"}, False),
        ([], {}, False),
    ],
)
def test_who_a_client_is(site_with, error, field, headers, form, good):
    site = site_with(clients=[Client("a", "s"), Client("a b", "s+s")])
    answer = site.post("/token", headers, grant_type="client_credentials", **form)
    if good:
        assert answer.status == 200
        return
    assert error(answer, 401) == "invalid_client"
    assert bool(field(answer, "www-authenticate")) is bool(headers)


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        (basic("a", "s"), {"client_secret": "s"}),
        (basic("a", "s"), {"client_assertion": "x"}),
        (basic("a", "s"), {"client_id": "b"}),
        ([], {"client_id": "a", "client_secret": "s", "client_assertion": "x"}),
    ],
)
def test_a_client_that_says_two_things_is_refused(site_with, error, headers, form):
    site = site_with(clients=[Client("a", "s")])
    answer = site.post("/token", headers, grant_type="client_credentials", **form)
    assert error(answer) == "invalid_request"


def test_a_configured_public_client_can_not_act_for_itself(site_with, error):
    site = site_with(clients=[Client("a")])
    answer = site.post("/token", grant_type="client_credentials", client_id="a")
    assert error(answer) == "unauthorized_client"


def assertion(site, key, header=None, **changes):
    claims = {"iss": "a", "sub": "a", "aud": site.url, "exp": 1_000_060, "jti": "1"} | changes
    return key.jws({name: value for name, value in claims.items() if value is not None}, header)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://other.example"},
        {"aud": None},
        {"iss": "b"},
        {"sub": "b"},
        {"exp": 1_000_000},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": 1_000_001},
    ],
)
def test_a_clients_assertion(site_with, keys, error, changes):
    key = keys.key("ES256")
    site = site_with(clients=[Client("a", jwks={"keys": [key.jwk]})])

    def ask(text):
        return site.post(
            "/token",
            grant_type="client_credentials",
            client_assertion=text,
            client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )

    good = assertion(site, key, aud=[f"{site.url}/token"])
    assert ask(good).status == 200
    assert error(ask(good), 401) == "invalid_client"  # it was good for once
    assert error(ask(assertion(site, key, jti="2", **changes)), 401) == "invalid_client"
    assert error(ask(assertion(site, keys.key("RS256"), jti="3")), 401) == "invalid_client"
    assert error(ask("no.jwt.at-all"), 401) == "invalid_client"
