"""Whatever a client sends, the flows have an answer for it, and one that is well-formed HTTP."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.users import User

PATHS = [
    *("/authorize", "/login", "/token", "/device_authorization", "/device", "/userinfo"),
    *("/introspect", "/revoke", "/logout", "/register", "/register/client-1"),
]
KNOWN = {
    "grant_type": [
        *("authorization_code", "refresh_token", "password", "client_credentials"),
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:device_code",
    ],
    "client_id": ["app", "secretive", "keyed"],
    "client_secret": ["s"],
    "client_assertion": ["e30.e30.", "a.b.c"],
    "client_assertion_type": ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
    "redirect_uri": ["https://app.example/cb"],
    "post_logout_redirect_uri": ["https://app.example/cb"],
    "response_type": ["code"],
    "response_mode": ["query", "form_post"],
    "code_challenge": ["a" * 43],
    "code_challenge_method": ["S256"],
    "prompt": ["none", "login"],
    "max_age": ["0"],
    "username": ["jane"],
    "password": ["pass"],
    "action": ["refuse", "log-out"],
    "subject_token_type": ["urn:ietf:params:oauth:token-type:jwt"],
    **dict.fromkeys(("state", "nonce", "scope", "login_hint", "user_code", "resource"), ()),
    **dict.fromkeys(("code", "code_verifier", "refresh_token", "device_code", "token"), ()),
    **dict.fromkeys(("subject_token", "id_token_hint", "access_token", "audience"), ()),
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def parameters(names):
    pairs = names.flatmap(
        lambda name: st.tuples(
            st.just(name), st.sampled_from(KNOWN[name]) | TEXT if KNOWN[name] else TEXT
        )
    )
    return st.lists(pairs, max_size=12, unique_by=lambda pair: pair[0])


@pytest.fixture(scope="module")
def strict(keys, site_class):
    return site_class(
        keys,
        users=[User("jane", "pass")],
        clients=[
            Client("app", redirect_uris=["https://app.example/cb"]),
            Client("secretive", "s"),
            Client("keyed", jwks={"keys": [keys.key("ES256").jwk]}),
        ],
    )


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "DELETE", "OPTIONS"]),
    path=st.sampled_from(PATHS),
    query=parameters(st.sampled_from(sorted(KNOWN))),
    body=parameters(st.sampled_from(sorted(KNOWN))).map(urlencode).map(str.encode)
    | st.binary(max_size=40)
    | st.recursive(st.none() | st.booleans() | st.integers() | TEXT, st.lists).map(
        lambda value: json.dumps({"redirect_uris": value, "jwks": value}).encode()
    ),
    authorization=st.none() | st.sampled_from(["Basic", "Bearer", "Basic YTpi", "Bearer x"]) | TEXT,
)
def test_any_request_is_answered(strict, method, path, query, body, authorization):
    headers = []
    if authorization is not None:
        headers = [("Authorization", authorization.encode().decode("latin-1"))]
    answer = strict.send(method, f"{path}?{urlencode(query)}", body, headers)
    assert 200 <= answer.status < 500
    for name, value in answer.headers:
        assert name.isascii()
        assert all(" " <= letter <= "~" for letter in value), (name, value)
    locations = [value for name, value in answer.headers if name == "Location"]
    assert all(location.startswith("https://app.example/cb") for location in locations)
    json.dumps(answer.body)
