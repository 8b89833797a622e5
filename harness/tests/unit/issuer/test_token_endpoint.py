"""The token endpoint and its siblings, as the RFCs want them: mostly what they refuse."""

import base64
import json

import jwt
import pytest
from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.flows.reading import BadToken, verified
from koproxy_harness.issuer.users import User

BACK = "http://127.0.0.1:8000/cb"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"


def basic(name, secret):
    text = base64.b64encode(f"{name}:{secret}".encode()).decode()
    return [("Authorization", f"Basic {text}")]


def introspected(site, token):
    return site.post("/introspect", token=token).body


# The code


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


# The endpoint


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


# Devices


def test_a_device_that_asks_too_often_has_to_wait_longer(site, error):
    device = site.post("/device_authorization", client_id="tv").body
    assert device["interval"] == 1

    def ask():
        return site.post(
            "/token", grant_type=DEVICE, client_id="tv", device_code=device["device_code"]
        )

    assert error(ask()) == "authorization_pending"
    site.clock.move(0.9)  # clients are not exact
    assert error(ask()) == "authorization_pending"
    assert error(ask()) == "slow_down"
    site.clock.move(1)
    assert error(ask()) == "slow_down"
    site.clock.move(11)
    assert error(ask()) == "authorization_pending"
    site.flows.approve_device(device["user_code"], "jane")
    assert ask().status == 200


def test_a_device_code_is_for_one_client(site, error):
    device = site.post("/device_authorization", client_id="tv").body
    site.flows.approve_device(device["user_code"], "jane")
    form = {"grant_type": DEVICE, "device_code": device["device_code"]}
    assert error(site.post("/token", client_id="other", **form)) == "invalid_grant"
    assert site.post("/token", client_id="tv", **form).status == 200


def test_the_page_for_devices(site_with, error):
    site = site_with(users=[User("jane", "pass")])
    device = site.post("/device_authorization", client_id="tv", scope="openid").body
    code = device["user_code"]
    assert f'value="{code}"' in site.get("/device", user_code=code).body
    enter = {"user_code": code, "username": "jane"}
    for wrong in ({"password": "x"}, {"password": "pass", "user_code": "BBBB-BBBB"}):
        answer = site.post("/device", **{**enter, **wrong})
        assert answer.status == 403
        assert 'role="alert"' in answer.body
    assert "go back" in site.post("/device", password="pass", **enter).body
    assert site.post("/device", password="pass", **enter).status == 403  # good for once
    form = {"grant_type": DEVICE, "device_code": device["device_code"], "client_id": "tv"}
    assert site.claims(site.post("/token", **form).body["id_token"])["sub"] == "jane"

    other = site.post("/device_authorization", client_id="tv").body
    assert "Refused" in site.post("/device", action="refuse", user_code=other["user_code"]).body
    form["device_code"] = other["device_code"]
    assert error(site.post("/token", **form)) == "access_denied"


def test_a_code_that_has_expired_can_not_be_entered(site):
    device = site.post("/device_authorization", client_id="tv").body
    site.clock.move(600)
    assert site.post("/device", user_code=device["user_code"], username="jane").status == 403


# Token exchange


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


# Userinfo, introspection, revocation


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


# Registration


def register(site, body, headers=()):
    return site.send(
        "POST", "/register", json.dumps(body).encode(), headers, kind="application/json"
    )


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ["/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://a/#b"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        (
            {"redirect_uris": [BACK], "post_logout_redirect_uris": ["x"]},
            "invalid_redirect_uri",
        ),
        ({"redirect_uris": BACK}, "invalid_client_metadata"),
        ({"redirect_uris": [1]}, "invalid_client_metadata"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"grant_types": [["x"]]}, "invalid_client_metadata"),
        ({"redirect_uris": [BACK], "response_types": ["token"]}, "invalid_client_metadata"),
        (
            {"redirect_uris": [BACK], "token_endpoint_auth_method": "tls_client_auth"},
            "invalid_client_metadata",
        ),
        (
            {"redirect_uris": [BACK], "token_endpoint_auth_method": ["none"]},
            "invalid_client_metadata",
        ),
        (
            {"redirect_uris": [BACK], "token_endpoint_auth_method": "private_key_jwt"},
            "invalid_client_metadata",
        ),
        (
            {
                "redirect_uris": [BACK],
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks": {"keys": [1]},
            },
            "invalid_client_metadata",
        ),
        ([], "invalid_client_metadata"),
    ],
)
def test_what_can_not_be_registered(site, error, metadata, expected):
    assert error(register(site, metadata)) == expected


def test_a_body_that_is_no_json_can_not_be_registered(site, error):
    for body in (b"{", b"[" * 100_000, b'"' + b"x" * 70_000 + b'"'):
        answer = site.send("POST", "/register", body, kind="application/json")
        assert error(answer) == "invalid_client_metadata"


def test_a_client_without_a_secret_registers(site, back):
    about = register(site, {"redirect_uris": [BACK], "token_endpoint_auth_method": "none"})
    assert about.status == 201
    assert "client_secret" not in about.body
    code = site.code(client_id=about.body["client_id"])
    assert site.exchange(code, client_id=about.body["client_id"]).status == 200
    other = "https://other.example/"
    assert site.authorize(client_id=about.body["client_id"], redirect_uri=other).status == 400


def test_nobody_else_reads_or_deletes_a_client(site):
    about = register(site, {"redirect_uris": [BACK]}).body
    path = f"/register/{about['client_id']}"
    for headers in ([], [("Authorization", "Bearer x")], [("Authorization", "Bearer é")]):
        for method in ("GET", "DELETE"):
            assert site.send(method, path, b"", headers).status == 401
    assert site.send("PUT", path).status == 405
    assert site.send("GET", "/register/client-x", b"", [("Authorization", "Bearer ")]).status == 401


# For browsers


@pytest.mark.parametrize(
    "path", ["/token", "/userinfo", "/revoke", "/introspect", "/register", "/device_authorization"]
)
def test_clients_in_a_browser_may_ask_from_anywhere(site, field, path):
    preflight = site.send("OPTIONS", path)
    assert preflight.status == 204
    assert field(preflight, "access-control-allow-origin") == ["*"]
    assert "Authorization" in field(preflight, "access-control-allow-headers")[0]
    method = "GET" if path == "/userinfo" else "POST"
    assert field(site.send(method, path), "access-control-allow-origin") == ["*"]


def test_the_metadata_names_endpoints_that_are_there(site):
    metadata = site.flows.metadata()
    for name, url in metadata.items():
        if name.endswith("_endpoint"):
            assert site.send("PATCH", url.removeprefix(site.url)).status == 405, name
    assert "S256" in metadata["code_challenge_methods_supported"]


# What comes back


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
