"""The keys of one issuer: who may ask for them at once, and which of them are published."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import jwt
import pytest
from koproxy_harness import Issuer
from koproxy_harness.issuer import keyring
from koproxy_harness.issuer.keyring import Keyring
from koproxy_harness.issuer.keys import RARE, KeyPairs, KeyPool, KeySet

THREADS = 12


@pytest.fixture
def eager():
    """Threads that take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def empty_pool(monkeypatch):
    """No keys that another issuer has left: they have to be made, which takes its time."""
    monkeypatch.setattr(keyring, "POOL", KeyPool())


def at_once(*functions):
    """Call every function in a thread of its own, all at the same moment; give what they give."""
    barrier = threading.Barrier(len(functions))

    def call(function):
        barrier.wait(10)
        return function()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(call, functions))


def test_what_many_threads_sign_first_is_under_published_keys(eager, empty_pool):
    with Issuer() as issuer:
        asked = [issuer.token, lambda: issuer.jwks] * (THREADS // 2)
        given = at_once(*asked)
        tokens, documents = given[::2], given[1::2]
        for document in documents:
            keys = jwt.PyJWKSet.from_dict(document)
            for token in tokens:
                key = keys[jwt.get_unverified_header(token)["kid"]]
                assert jwt.decode(token, key, ["RS256"], audience="kubernetes")


@pytest.mark.parametrize("alg", RARE)
def test_a_rare_key_is_made_once_for_all_threads(eager, alg):
    pairs = KeyPairs.make()
    for keys in [KeySet(pairs) for _ in range(20)]:
        asked = [partial(keys.key, alg), lambda keys=keys: keys.jwks] * (THREADS // 2)
        made = at_once(*asked)[::2]
        assert len({id(key) for key in made}) == 1
        assert made[0].jwk in keys.jwks


def test_rotations_at_once_lose_no_key(eager):
    keys = Keyring()
    first = keys.key("RS256")
    at_once(*[lambda: keys.rotate(keep_old=True)] * 4)
    rs256 = [jwk["kid"] for jwk in keys.jwks["keys"] if jwk["alg"] == "RS256"]
    assert len(set(rs256)) == 5
    assert first.kid in rs256
    keys.close()


def test_a_withdrawn_key_stays_withdrawn():
    keys = Keyring()
    old = keys.key("RS256").kid
    keys.rotate(keep_old=True)
    withdrawn = keys.key("RS256").kid
    keys.withdraw()
    keys.rotate(keep_old=True)
    kept = keys.key("RS256").kid
    keys.rotate(keep_old=True)
    published = [jwk["kid"] for jwk in keys.jwks["keys"] if jwk["alg"] == "RS256"]
    assert published == [keys.key("RS256").kid, kept]
    assert not {old, withdrawn} & set(published)
    keys.close()


def test_a_stranger_s_key_is_never_published_by_a_later_issuer_either(empty_pool):
    with Issuer() as issuer:
        tokens = [issuer.token(wrong=wrong) for wrong in ("unknown-key", "wrong-key")]
        usual = issuer.token()
    later = [Keyring() for _ in range(3)]
    published = [jwk for keys in later for jwk in keys.jwks["keys"] if jwk["alg"] == "RS256"]

    def verified(token):
        return [jwk for jwk in published if has_signed(jwk, token)]

    assert verified(usual)  # as the README says: a closed issuer leaves its keys to the next one
    assert [verified(token) for token in tokens] == [[], []]


def has_signed(jwk, token):
    try:
        jwt.decode(token, jwt.PyJWK(jwk), ["RS256"], audience="kubernetes")
    except jwt.InvalidSignatureError:
        return False
    return True
