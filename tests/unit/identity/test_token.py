"""Tokens taken apart, and their headers."""

import base64
import json
from typing import Any

import pytest
import trustme
from jwt.utils import base64url_encode
from support.signer import Signer

from koproxy.identity.token import canonical, read_token, verify
from koproxy.identity.typed import Refused

SIGNER = Signer()
CERTIFICATE = base64.b64encode(
    base64.b64decode("".join(trustme.CA().cert_pem.bytes().decode().split("-----")[2].split()))
).decode()


def accepted(text: bytes) -> bool:
    return verify(read_token(text), SIGNER.keys)


def test_a_token_is_taken_apart() -> None:
    text = SIGNER.sign(SIGNER.claims(), alg="ES256")
    token = read_token(text)
    assert (token.algorithm, token.kid) == ("ES256", SIGNER.key("ES256").kid)
    assert token.claims.last()["sub"] == "jane"
    assert canonical(token) == text
    assert accepted(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b".",
        b"..",
        b"a.b",
        b"a.b.c.d",
        b"e30.e30",
        b'{"payload":"e30"}',
        b"e30=.e30.e30",
        b"\xff.e30.e30",
    ],
)
def test_what_is_no_compact_jws_is_refused(text: bytes) -> None:
    with pytest.raises(Refused, match=r"not a JSON Web Token|header"):
        read_token(text)


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b'"x"', b"{", b'{"a":NaN}', b"{}{}"])
def test_claims_are_one_json_object(payload: bytes) -> None:
    with pytest.raises(Refused):
        read_token(SIGNER.sign(payload))


@pytest.mark.parametrize(
    "header",
    [
        *({"crit": crit} for crit in (["exp"], ["b64", "x"], "b64", {}, [1], [None], True)),
        *({"alg": alg} for alg in (1, [], {})),
        *({"kid": kid} for kid in (1, [], {})),
        *({"nonce": nonce} for nonce in (1, [])),
        *({"jwk": jwk} for jwk in ({}, SIGNER.key().jwk, "x")),
    ],
)
def test_a_header_that_asks_for_too_much_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="header"):
        read_token(SIGNER.sign(SIGNER.claims(), header))


@pytest.mark.parametrize("text", [b"[]", b"null", b"1", b"{", b'{"alg":"RS256","alg":"RS256"}'])
def test_a_header_is_one_object_without_doubles(text: bytes) -> None:
    with pytest.raises(Refused):
        read_token(SIGNER.sign(SIGNER.claims(), text))


@pytest.mark.parametrize(
    "member",
    [
        *(b'"x":{"a":1,"a":1}', b'"x":[{"a":1,"a":1}]', b'"x":1e999', b'"x":[[-1e999]]'),
        b'"x":' + b"[" * 800 + b"]" * 800,
        *(
            b'"x5c":%s' % json.dumps(chain).encode()
            for chain in (["AAAA"], [1], "x", {}, {"a": "b"})
        ),
    ],
)
def test_a_header_is_read_strictly_once_its_signature_is_good(member: bytes) -> None:
    kid = SIGNER.key().kid.encode()
    text = SIGNER.sign(SIGNER.claims(), b'{"alg":"RS256","kid":"' + kid + b'",' + member + b"}")
    with pytest.raises(Refused, match=r"header|nested"):
        accepted(text)
    stranger = Signer(number=1)
    assert not verify(
        read_token(stranger.sign(SIGNER.claims(), b'{"alg":"RS256",' + member + b"}")), SIGNER.keys
    )


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["b64"]},
        {"crit": []},
        {"b64": True},
        {"b64": "false"},
        {"typ": 1, "x": {"a": {"b": [1.5]}}},
        {"x5c": [CERTIFICATE]},
        {"x5c": [CERTIFICATE[:64] + "\r\n" + CERTIFICATE[64:]]},
        {"x5c": []},
        {"kid": None},
        {"kid": ""},
    ],
)
def test_a_header_with_harmless_parts_is_accepted(header: dict[str, Any]) -> None:
    assert accepted(SIGNER.sign(SIGNER.claims(), header))


def test_null_stands_for_nothing_in_a_header() -> None:
    kid = SIGNER.key().kid
    names = ("crit", "b64", "jwk", "x5c", "nonce", "typ")
    text = json.dumps({"alg": "RS256", "kid": kid, **dict.fromkeys(names)})
    assert accepted(SIGNER.sign(SIGNER.claims(), text.encode()))


@pytest.mark.parametrize("header", [{"b64": False}, {"b64": False, "crit": ["b64"]}])
def test_an_unencoded_payload_is_signed_as_it_is(header: dict[str, Any]) -> None:
    key = SIGNER.key()
    first = base64url_encode(json.dumps({"alg": "RS256", "kid": key.kid, **header}).encode())
    payload = json.dumps(SIGNER.claims()).encode()
    signature = base64url_encode(key.sign(first + b"." + payload))
    assert accepted(b".".join((first, base64url_encode(payload), signature)))
    assert not accepted(SIGNER.sign(SIGNER.claims(), header))


@pytest.mark.parametrize("blank", ["\t", "\x0b", "\r\n", "\xa0", "\x85", "\u2003", "\u3000"])
def test_blanks_count_in_the_payload_alone(blank: str) -> None:
    header, payload, signature = SIGNER.sign(SIGNER.claims()).decode().split(".")
    first = f"{blank}{header[:5]}{blank}{header[5:]}"
    last = f"{signature[:5]}{blank}{signature[5:]}{blank}"
    assert accepted(f"{first}.{payload}.{last}".encode())
    between = f"{header}.{payload[:5]}{blank}{payload[5:]}.{signature}".encode()
    if blank == "\r\n":  # which the base64 of Go passes over
        assert accepted(between)
    else:
        with pytest.raises(Refused):
            read_token(between)


@pytest.mark.parametrize("letter", ["\u200b", "\ufeff", "\x1c", "=", "+", "/"])
def test_nothing_else_counts_as_a_blank(letter: str) -> None:
    with pytest.raises(Refused):
        read_token(letter.encode() + SIGNER.sign(SIGNER.claims()))


def test_the_signature_covers_the_decoded_parts() -> None:
    claims = json.dumps(SIGNER.claims()).encode()
    claims += b" " * ((1 - len(claims)) % 3)
    header, payload, signature = SIGNER.sign(claims).decode().split(".")
    spare = f"{header}.{payload[:-1]}{chr(ord(payload[-1]) + 1)}"
    assert accepted(f"{spare}.{signature}".encode())
    assert (
        canonical(read_token(f"{spare}.{signature}".encode()))
        == f"{header}.{payload}.{signature}".encode()
    )
    signed = base64url_encode(SIGNER.key().sign(spare.encode()))
    assert not accepted(spare.encode() + b"." + signed)
