"""The issuer's own tokens, when they are shown to it: userinfo, introspection, revocation."""

import base64

import pytest
from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.flows.reading import BadToken, verified


def basic(name, secret):
    text = base64.b64encode(f"{name}:{secret}".encode()).decode()
    return [("Authorization", f"Basic {text}")]


def introspected(site, token):
    return site.post("/introspect", token=token).body


def test_userinfo_refuses_as_bearer_tokens_are_refused(site, field, error):
    def ask(token, method="GET"):
        return site.send(method, "/userinfo", b"", [("Authorization", f"Bearer {token}")])

    tokens = site.tokens(scope="openid email")
    good = tokens["access_token"]
    expected = {"sub": "jane", "email": "jane@example.org", "email_verified": True}
    assert ask(good).body == ask(good, "POST").body == expected
    assert site.post("/userinfo", access_token=good).body == expected

    nothing = site.get("/userinfo")
    assert (nothing.status, field(nothing, "www-authenticate")) == (401, ["Bearer"])
    for bad in ("x", tokens["id_token"], good + "x"):
        assert error(ask(bad), 401) == "invalid_token"
        (challenge,) = field(ask(bad), "www-authenticate")
        assert challenge.startswith('Bearer error="invalid_token", error_description="the token')
    narrow = ask(site.tokens(scope="email")["access_token"])
    assert error(narrow, 403) == "insufficient_scope"
    assert 'scope="openid"' in field(narrow, "www-authenticate")[0]
    both = site.post("/userinfo", [("Authorization", f"Bearer {good}")], access_token=good)
    assert error(both) == "invalid_request"
    site.clock.move(300)
    assert error(ask(good), 401) == "invalid_token"


def test_where_clients_are_configured_only_confidential_ones_may_introspect(site_with, error):
    site = site_with(clients=[Client("a", "s"), Client("public")])
    token = site.post("/token", basic("a", "s"), grant_type="client_credentials").body
    token = token["access_token"]
    assert error(site.post("/introspect", token=token), 401) == "invalid_client"
    assert error(site.post("/introspect", token=token, client_id="public"), 401) == "invalid_client"
    answer = site.post("/introspect", basic("a", "s"), token=token)
    assert (answer.body["active"], answer.body["sub"]) == (True, "a")
    assert error(site.post("/introspect", basic("a", "s"))) == "invalid_request"


def test_revoking_takes_the_client_whose_token_it_is(site, error):
    tokens = site.tokens()
    form = {"token": tokens["access_token"]}
    assert error(site.post("/revoke", client_id="other", **form)) == "invalid_grant"
    assert error(site.post("/revoke", **form), 401) == "invalid_client"
    answer = site.post("/revoke", client_id="app", token_type_hint="nonsense", **form)
    assert (answer.status, answer.body) == (200, "")
    assert introspected(site, tokens["access_token"]) == {"active": False}


def test_a_refresh_token_expires_and_is_for_one_client(site, error):
    token = site.tokens(scope="offline_access")["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    assert error(site.post("/token", client_id="other", **form)) == "invalid_grant"
    assert introspected(site, token)["exp"] == 1_000_000 + 86_400
    site.clock.move(86_400)
    assert introspected(site, token) == {"active": False}
    assert error(site.post("/token", client_id="app", **form)) == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [{"exp": "x"}, {"exp": True}, {"exp": 999}, {"nbf": 1001}, {"nbf": []}, {"exp": None}],
)
def test_times_that_are_none_are_no_good(keys, changes):
    key = keys.key("RS256")
    published = {"keys": keys.jwks}
    assert verified(key.jws({"exp": 1001}), published, 1000)[1] == {"exp": 1001}
    with pytest.raises(BadToken):
        verified(key.jws({"exp": 1001, **changes}), published, 1000)


def test_only_the_algorithm_of_the_key_is_good(keys):
    published = {"keys": keys.jwks}
    with pytest.raises(BadToken):
        verified(keys.key("RS256").jws({}, alg="RS512"), published, 1000)
    with pytest.raises(BadToken):
        verified(keys.key("RS256").jws({}, {"kid": None}), published, 1000)
    for text in ("", "a.b.c", "e30.e30.", "é", "." * 5):
        with pytest.raises(BadToken):
            verified(text, published, 1000)
