"""Key sets, and what their keys verify."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from koproxy_harness import SigningKey
from support.signer import Signer

from koproxy.identity.keys import (
    ALGORITHMS,
    MAX_KEYS,
    BadKeySet,
    KeySet,
    decode_raw_url,
    read_key_set,
)

SIGNER = Signer()


def key_set(*keys: Any) -> KeySet:
    return read_key_set(json.dumps({"keys": keys}).encode())


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_each_algorithm_verifies_and_notices_a_changed_bit(alg: str) -> None:
    key = SIGNER.key(alg)
    signature = key.sign(b"text")
    for kid in (key.kid, ""):
        assert SIGNER.keys.verify(alg, kid, b"text", signature)
        assert not SIGNER.keys.verify(alg, kid, b"texu", signature)
        assert not SIGNER.keys.verify(alg, kid, b"text", signature[:-1])
        changed = signature[:-1] + bytes([signature[-1] ^ 1])
        assert not SIGNER.keys.verify(alg, kid, b"text", changed)
    assert not SIGNER.keys.verify(alg, "another name", b"text", signature)


def test_a_key_verifies_only_what_its_type_can() -> None:
    signature = SIGNER.key("ES256").sign(b"text")
    assert not SIGNER.keys.verify("RS256", SIGNER.key("ES256").kid, b"text", signature)
    assert not SIGNER.keys.verify("ES384", SIGNER.key("ES256").kid, b"text", signature)


def test_use_and_alg_of_a_key_do_not_matter() -> None:
    key = SIGNER.key("RS256")
    keys = key_set({**key.jwk, "use": "enc", "alg": "ES512"})
    assert keys.verify("RS256", key.kid, b"text", key.sign(b"text"))


@pytest.mark.parametrize(
    ("jwk", "problem"),
    [
        (None, "is no object"),
        ([], "is no object"),
        ({}, "is neither RSA nor EC"),
        ({"kty": "oct", "k": "AAAA"}, "is neither RSA nor EC"),
        (SIGNER.key("EdDSA").jwk, "is neither RSA nor EC"),
        ({**SIGNER.key("RS256").jwk, "d": "AQAB"}, "is private"),
        ({**SIGNER.key("RS256").jwk, "kid": 1}, "has a kid that is no string"),
        ({"kty": "RSA", "e": "AQAB"}, "has no n"),
        ({"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "is RSA with fewer than 1024 bits"),
        ({**SIGNER.key("RS256").jwk, "n": SIGNER.key().jwk["n"] + "="}, "is malformed"),
        (
            {**SIGNER.key("RS256").jwk, "e": "AQABAQAB"},
            "is RSA with an exponent of more than 31 bits",
        ),
        ({**SIGNER.key("RS256").jwk, "e": "AQAA"}, "is malformed"),
        ({**SIGNER.key("ES256").jwk, "crv": "P-384"}, "has coordinates of the wrong length"),
        ({**SIGNER.key("ES256").jwk, "crv": "secp256k1"}, "is on none of the curves"),
        ({**SIGNER.key("ES256").jwk, "crv": []}, "is malformed"),
        ({**SIGNER.key("ES256").jwk, "x": "A" * 43}, "is malformed"),
    ],
)
def test_a_key_that_verifies_nothing_is_left_out(jwk: Any, problem: str) -> None:
    good = SIGNER.key("ES384")
    keys = key_set(jwk, good.jwk)
    assert [key.kid for key in keys.keys] == [good.kid]
    assert len(keys.ignored) == 1
    assert f"key 1 {problem}" in keys.ignored[0]
    with pytest.raises(BadKeySet, match="no key that verifies a token; key 1"):
        key_set(jwk)


def test_a_member_twice_makes_a_key_unusable() -> None:
    text = json.dumps({"keys": [SIGNER.key().jwk]})
    with pytest.raises(BadKeySet, match="key 1 has a member twice"):
        read_key_set(text.replace('"kty"', '"kid":"x","kty"').encode())


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"{}", b'{"keys":{}}', b'{"keys":null}', b"null"]
)
def test_what_is_no_key_set_is_refused(text: bytes) -> None:
    with pytest.raises(BadKeySet):
        read_key_set(text)


def test_a_key_set_is_bounded() -> None:
    key = SIGNER.key("ES256").jwk
    assert len(key_set(*[key] * MAX_KEYS).keys) == MAX_KEYS
    with pytest.raises(BadKeySet, match="more than"):
        key_set(*[key] * (MAX_KEYS + 1))


def test_key_sets_are_equal_by_content() -> None:
    assert SIGNER.keys == SIGNER.keys
    assert SIGNER.keys != Signer(number=1).keys
    jwk = SIGNER.key("ES256").jwk
    assert key_set(jwk) != key_set({**jwk, "kid": "another"})


def test_only_a_named_key_is_there() -> None:
    keys = key_set(SIGNER.key("ES256").jwk)
    assert keys.has(SIGNER.key("ES256").kid)
    assert keys.has("")
    assert not keys.has("another")


def test_small_rsa_keys_of_1024_bits_verify() -> None:
    key = SigningKey("small", "RS256", rsa.generate_private_key(65537, 1024))
    assert key_set(key.jwk).verify("RS256", "small", b"text", key.sign(b"text"))


@pytest.mark.parametrize(
    ("text", "octets"),
    [(b"", b""), (b"QQ", b"A"), (b"QR", b"A"), (b"Q\r\nQ", b"A"), (b"-_-_", b"\xfb\xff\xbf")],
)
def test_base64_is_read_as_go_reads_it(text: bytes, octets: bytes) -> None:
    assert decode_raw_url(text) == octets


@pytest.mark.parametrize(
    "text", [b"Q", b"QQ==", b"QQ=", b"Q+Q/", b"Q Q", b"Q\tQ", b"QQ\x00", b"\xff\xff"]
)
def test_base64_of_other_kinds_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - it says no more
        decode_raw_url(text)
