"""The service's tests; `oidc_issuer` comes from koproxy-harness, without a conftest.py."""

import threading
import urllib.error
import urllib.request

import pytest
import service


@pytest.fixture
def ask(oidc_issuer):
    """Asks a running service, which trusts the issuer; gives status and text."""
    verifier = service.Verifier(oidc_issuer.url, "greetings", oidc_issuer.ca_file, pause=0)
    with service.server(verifier) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()

        def ask(token):
            fields = {"Authorization": f"Bearer {token}"}
            url = f"http://127.0.0.1:{server.server_port}/"
            try:
                with urllib.request.urlopen(urllib.request.Request(url, headers=fields)) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read().decode()

        yield ask
        server.shutdown()
        thread.join()


def test_a_good_token(ask, oidc_issuer):
    token = oidc_issuer.token(sub="jane", aud="greetings")
    assert ask(token) == (200, "Hello, jane!\n")


@pytest.mark.parametrize(
    "wrong",
    [
        "expired",
        "not-yet-valid",
        "wrong-audience",
        "wrong-issuer",
        "unknown-key",
        "wrong-key",
        "alg-none",
        "hmac-with-public-key",
        "tampered-payload",
        "tampered-signature",
        "no-signature",
        "malformed",
        "missing-exp",
        "missing-sub",
        "mistyped-aud",
    ],
)
def test_a_wrong_token(ask, oidc_issuer, wrong):
    status, _ = ask(oidc_issuer.token(aud="greetings", wrong=wrong))
    assert status == 401


def test_new_keys_are_fetched(ask, oidc_issuer):
    assert ask(oidc_issuer.token(aud="greetings"))[0] == 200
    oidc_issuer.rotate_keys()
    assert ask(oidc_issuer.token(aud="greetings"))[0] == 200


def test_an_issuer_that_fails(ask, oidc_issuer):
    oidc_issuer.fail("jwks", status=500)
    token = oidc_issuer.token(aud="greetings")
    assert ask(token)[0] == 503
    oidc_issuer.heal()
    assert ask(token)[0] == 200


def test_the_keys_are_fetched_once(ask, oidc_issuer):
    for _ in range(3):
        ask(oidc_issuer.token(aud="greetings"))
    assert [request.path for request in oidc_issuer.requests].count("/keys") == 1
