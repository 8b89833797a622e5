"""Clients that register themselves, and what clients in a browser need."""

import json

import pytest

BACK = "http://127.0.0.1:8000/cb"


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
