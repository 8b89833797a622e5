"""What an issuer is asked for by mistake is refused with a sentence that says what to do."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import jwt
import pytest
from koproxy_harness import Client, HarnessError, Issuer, User

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LOOP: list = []
LOOP.append(LOOP)
NO_JSON = [{"a"}, NOW, b"a", math.nan, -math.inf, Decimal(1), object(), "\ud800", LOOP, [{1j}]]


@pytest.fixture
def issuer():
    issuer = Issuer(port=8443)  # which it doesn't listen on: tokens need no request
    yield issuer
    issuer.close()


@pytest.mark.parametrize("value", NO_JSON, ids=lambda value: type(value).__name__)
def test_a_claim_that_json_has_not_is_named(issuer, value):
    sentence = r"the claim 'groups' can't be .*: JSON has texts"
    with pytest.raises(HarnessError, match=sentence):
        issuer.token(groups=value)
    with pytest.raises(HarnessError, match=sentence):
        issuer.token(groups=value, wrong="alg-none")
    with pytest.raises(HarnessError, match=sentence):
        issuer.sign({"sub": "a", "groups": value})
    with pytest.raises(HarnessError, match=sentence):
        User("jane", claims={"groups": value})
    with pytest.raises(HarnessError, match=sentence):
        issuer.set_claims("jane", groups=value)
    with pytest.raises(HarnessError, match=r"the header field 'x' can't be .*: JSON has texts"):
        issuer.token(header={"x": value})


@pytest.mark.parametrize("header", ["x", ["x"], 3, b"{}"])
@pytest.mark.parametrize("wrong", [None, "alg-none", "wrong-key", "hmac-with-public-key"])
def test_a_header_that_is_none(issuer, header, wrong):
    with pytest.raises(HarnessError, match="header is fields by their names, as in"):
        issuer.token(header=header, wrong=wrong)
    if not isinstance(header, bytes):
        with pytest.raises(HarnessError, match="header is fields by their names, as in"):
            issuer.sign({}, header)


@pytest.mark.parametrize("payload", ["x", None, ["x"]])
def test_a_payload_that_is_none(issuer, payload):
    with pytest.raises(HarnessError, match="payload is claims by their names, or bytes"):
        issuer.sign(payload)


@pytest.mark.parametrize(
    "lifetime", [None, "60", math.inf, math.nan, timedelta(minutes=1), True, 10**400]
)
def test_a_lifetime_that_is_none(issuer, lifetime):
    with pytest.raises(HarnessError, match="lifetime is a number of seconds, not"):
        issuer.token(lifetime=lifetime)
    with pytest.raises(HarnessError, match="token_lifetime is a number of seconds, not"):
        Issuer(token_lifetime=lifetime)


@pytest.mark.parametrize("key", [None, "RS256", "ES256"])
def test_an_algorithm_that_there_is_not(issuer, key):
    key = key and issuer.key(key)
    with pytest.raises(HarnessError, match="algorithm 'XX'; there are RS256"):
        issuer.sign({}, alg="XX", key=key)


@pytest.mark.parametrize(
    ("alg", "key"),
    [("ES256", "RS256"), ("PS256", "ES256"), ("EdDSA", "RS256"), ("ES512", "EdDSA")],
)
def test_an_algorithm_that_the_key_is_not_for(issuer, alg, key):
    with pytest.raises(HarnessError, match=f"a key for {key} can't sign with {alg}"):
        issuer.sign({}, alg=alg, key=issuer.key(key))
    other = issuer.sign({}, alg="PS512", key=issuer.key("RS256"))
    assert jwt.get_unverified_header(other)["alg"] == "PS512"


@pytest.mark.parametrize("when", ["2030", None, math.nan, math.inf, timedelta(1), True])
def test_a_time_that_is_none(issuer, when):
    before = issuer.clock.now()
    with pytest.raises(HarnessError, match=r"clock .* Unix time or a datetime, not"):
        issuer.clock.set(when)
    if not isinstance(when, timedelta):
        with pytest.raises(HarnessError, match="clock is moved by a number of seconds, not"):
            issuer.clock.move(when)
    assert before <= issuer.clock.now() < before + 60


def test_people_and_programs_that_are_none():
    with pytest.raises(HarnessError, match=r"'jane' is no user: give User\('jane'\)"):
        Issuer(users=["jane"])
    with pytest.raises(HarnessError, match=r"'app' is no client: give Client\('app'\)"):
        Issuer(clients=["app"])


@pytest.mark.parametrize(
    "name", ["redirect_uris", "post_logout_redirect_uris", "grant_types", "audience"]
)
@pytest.mark.parametrize("value", ["https://x", b"x", 3, ["https://x", 3]])
def test_a_text_in_the_place_of_a_list(name, value):
    with pytest.raises(HarnessError, match=f"the client 'app': {name} is a list of texts, not"):
        Client("app", **{name: value})


def test_a_grant_that_there_is_not():
    sentence = r"the client 'app' .* 'client_credential'; there are authorization_code, refresh_to"
    with pytest.raises(HarnessError, match=sentence):
        Issuer(clients=[Client("app", "hush", grant_types=["password", "client_credential"])])
