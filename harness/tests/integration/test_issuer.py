"""The issuer of the harness, as a relying party meets it over the network."""

import json
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

import jwt
import pytest
import pytest_twisted
from koproxy_harness import ALGORITHMS, WRONG, HarnessError, Issuer


def get(issuer, path, headers=None, context=None):
    context = context or ssl.create_default_context(cadata=issuer.ca_pem)
    request = urllib.request.Request(issuer.url + path, headers=headers or {})
    with urllib.request.urlopen(request, context=context, timeout=10) as answer:
        return answer.read()


def keys(issuer):
    discovery = json.loads(get(issuer, "/.well-known/openid-configuration"))
    assert discovery["issuer"] == issuer.url
    path = discovery["jwks_uri"].removeprefix(issuer.url)
    return jwt.PyJWKSet.from_dict(json.loads(get(issuer, path)))


def verify(issuer, token, published=None):
    key = (published or keys(issuer))[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(
        token,
        key,
        algorithms=ALGORITHMS,
        audience="kubernetes",
        issuer=issuer.url,
        options={"require": ["iss", "aud", "exp"]},
    )


@pytest.fixture
def issuer():
    with Issuer() as issuer:
        yield issuer


def test_a_token_says_what_it_was_asked_to(issuer):
    before = int(time.time())
    claims = verify(issuer, issuer.token(sub="ann", groups=["a"], lifetime=5, email="ann@x"))
    assert (claims["sub"], claims["groups"], claims["email"]) == ("ann", ["a"], "ann@x")
    assert claims["exp"] == claims["iat"] + 5
    assert claims["iat"] >= before


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_each_algorithm_verifies_with_its_published_key(issuer, alg):
    token = issuer.token(alg=alg)
    assert jwt.get_unverified_header(token)["alg"] == alg
    assert verify(issuer, token)["sub"] == "jane"


@pytest.mark.parametrize("wrong", WRONG)
def test_each_wrong_token_is_refused_by_a_verifier_that_takes_the_right_one(issuer, wrong):
    published = keys(issuer)
    assert verify(issuer, issuer.token(), published)
    with pytest.raises((jwt.InvalidTokenError, KeyError)):
        verify(issuer, issuer.token(wrong=wrong), published)


def test_hmac_with_the_public_key_convinces_a_verifier_that_does_not_look_at_the_algorithm(issuer):
    import hashlib
    import hmac

    text, _, signature = issuer.token(wrong="hmac-with-public-key").rpartition(".")
    expected = hmac.digest(issuer.key().public_pem, text.encode(), hashlib.sha256().name)
    assert jwt.utils.base64url_decode(signature) == expected


def test_claims_and_header_fields_given_as_none_are_left_out(issuer):
    token = issuer.token(groups=None, exp=None, aud=None, header={"kid": None, "x": 1})
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "x": 1}
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims.keys() == {"iss", "sub", "iat"}


def test_any_bytes_can_be_signed(issuer):
    payload, header = b'{"sub":"a","sub":"b",', b'{"alg":"RS256","crit":[]}'
    parts = issuer.sign(payload, header=header).split(".")
    assert [jwt.utils.base64url_decode(part) for part in parts[:2]] == [header, payload]
    token = issuer.sign({"sub": "x"}, header={"kid": "mine"}, alg="ES256")
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "typ": "JWT", "kid": "mine"}


def test_rotation_withdraws_the_old_keys_or_keeps_them(issuer):
    first = issuer.token()
    issuer.rotate_keys(keep_old=True)
    second = issuer.token()
    assert verify(issuer, first)
    assert verify(issuer, second)
    issuer.rotate_keys()
    with pytest.raises(KeyError):
        verify(issuer, first)
    with pytest.raises(KeyError):
        verify(issuer, second)
    assert verify(issuer, issuer.token())


def test_two_living_issuers_share_no_key(issuer):
    with Issuer() as other:
        forged = other.token(iss=issuer.url, header={"kid": issuer.key().kid})
        with pytest.raises(jwt.InvalidSignatureError):
            verify(issuer, forged)


def test_a_fault_happens_as_often_as_it_was_asked_to(issuer):
    issuer.fail("jwks", status=503, body="not now", times=2)
    for _ in range(2):
        with pytest.raises(urllib.error.HTTPError) as failed:
            get(issuer, "/keys")
        assert failed.value.code == 503
        assert failed.value.read() == b"not now"
        failed.value.close()
    assert b"rs256" in get(issuer, "/keys")


def test_heal_ends_faults(issuer):
    issuer.fail("discovery")
    with pytest.raises(urllib.error.HTTPError, match="500") as failed:
        keys(issuer)
    failed.value.close()
    issuer.heal()
    assert keys(issuer)


def test_a_reset_gives_no_answer_and_a_late_answer_is_right(issuer):
    issuer.fail("jwks", status=200, delay=0.01)
    assert b"rs256" in get(issuer, "/keys")
    issuer.fail("jwks", reset=True)
    with pytest.raises((ConnectionError, ssl.SSLError, urllib.error.URLError)):
        get(issuer, "/keys")


def test_what_cannot_fail_is_an_error_that_names_what_can(issuer):
    with pytest.raises(HarnessError, match="discovery, jwks, token, claims"):
        issuer.fail("everything")


def test_it_comes_back_on_the_same_port_with_the_same_keys(issuer):
    token, url = issuer.token(), issuer.url
    issuer.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", issuer.port))
    issuer.start()
    assert issuer.url == url
    assert verify(issuer, token)


def test_requests_are_kept_as_they_came(issuer):
    get(issuer, "/keys?x=%2Fy", {"X-One": "1"})
    (request,) = issuer.requests
    assert (request.method, request.path, request.query) == ("GET", "/keys", {"x": "/y"})
    assert ("X-One", "1") in request.headers
    assert request.raw.startswith(b"GET /keys?x=%2Fy HTTP/1.1\r\n")


def test_a_client_certificate_can_be_required():
    with Issuer(require_client_certificate=True) as issuer:
        context = ssl.create_default_context(cadata=issuer.ca_pem)
        with pytest.raises((ssl.SSLError, ConnectionError, urllib.error.URLError)):
            get(issuer, "/keys", context=context)
        mine = issuer.client_certificate("proxy")
        context.load_cert_chain(mine.cert_file, mine.key_file)
        assert b"rs256" in get(issuer, "/keys", context=context)
        assert issuer.requests[-1].peer_name == "proxy"


def test_a_claims_endpoint_gives_a_token_to_who_may_have_it(issuer):
    url = issuer.claims_endpoint("secret", groups=["a", "b"])
    path = url.removeprefix(issuer.url)
    token = get(issuer, path, {"Authorization": "Bearer secret"}).decode()
    assert verify(issuer, token)["groups"] == ["a", "b"]
    with pytest.raises(urllib.error.HTTPError, match="401") as failed:
        get(issuer, path, {"Authorization": "Bearer other"})
    failed.value.close()


def test_files_go_away_with_the_server():
    with Issuer() as issuer:
        ca_file = issuer.ca_file
        assert ca_file.read_text() == issuer.ca_pem
    assert not ca_file.parent.exists()


def test_before_the_start_there_is_no_url():
    with pytest.raises(HarnessError, match="before it is started"):
        Issuer().token()


@pytest_twisted.ensureDeferred
async def test_on_a_reactor_of_the_tests_own_there_is_no_thread():
    import threading

    import treq
    from twisted.internet import reactor
    from twisted.internet.ssl import Certificate, trustRootFromCertificates
    from twisted.web.client import Agent, BrowserLikePolicyForHTTPS

    def background():
        return [each for each in threading.enumerate() if each.name == "koproxy-harness"]

    before = background()
    async with Issuer(reactor) as issuer:
        trust = trustRootFromCertificates([Certificate.loadPEM(issuer.ca_pem)])
        client = treq.client.HTTPClient(Agent(reactor, BrowserLikePolicyForHTTPS(trust)))
        answer = await client.get(issuer.url + "/keys")
        assert (await answer.json()) == issuer.jwks
        await issuer.until(lambda: issuer.connections == 0)
    assert background() == before


def test_an_asyncio_test_may_use_it():
    import asyncio

    async def use():
        with Issuer() as issuer:
            return await asyncio.to_thread(lambda: verify(issuer, issuer.token()))

    assert asyncio.run(use())["sub"] == "jane"


def test_a_forked_process_has_a_loop_of_its_own(issuer):
    import os

    child = os.fork()
    if child == 0:
        with Issuer() as other:
            os._exit(0 if keys(other) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_no_global_reactor_is_installed():
    program = (
        "import sys\n"
        "from koproxy_harness import Issuer\n"
        "with Issuer() as issuer: issuer.token()\n"
        "from twisted.python import threadable\n"
        "assert 'twisted.internet.reactor' not in sys.modules\n"
        "assert threadable.ioThread is None\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


def test_a_token_is_active_but_only_an_access_token_gets_userinfo(issuer):
    def asked(path, token):
        request = urllib.request.Request(
            issuer.url + path, headers={"Authorization": f"Bearer {token}"}
        )
        if path == "/introspect":
            request = urllib.request.Request(issuer.url + path, data=f"token={token}".encode())
        trust = ssl.create_default_context(cadata=issuer.ca_pem)
        with urllib.request.urlopen(request, context=trust, timeout=10) as answer:
            return json.load(answer)

    usual, access = issuer.token(), issuer.token(header={"typ": "at+jwt"})
    assert asked("/introspect", usual)["active"] is True
    assert "token_type" not in asked("/introspect", usual)
    assert asked("/introspect", access)["token_type"] == "Bearer"
    assert asked("/userinfo", access)["sub"] == "jane"
    with pytest.raises(urllib.error.HTTPError, match="401") as failed:
        asked("/userinfo", usual)
    failed.value.close()
