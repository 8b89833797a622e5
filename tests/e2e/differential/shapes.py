"""Headers, signatures and spellings of a token, as opposed to its claims."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from e2e.differential.cases import Case, World, bearer, encode
from e2e.differential.settings import Settings
from koproxy_harness import ALGORITHMS


def shape_cases(world: World) -> Iterator[Case]:
    """All of them."""
    yield from header_cases(world)
    yield from algorithm_cases(world)
    yield from spelling_cases(world)
    yield from authorization_cases(world)


def header_cases(world: World) -> Iterator[Case]:
    """What stands in the header beside the algorithm."""
    settings = world["sub"]
    issuer, claims = settings.issuer, settings.claims()
    kid = issuer.key().kid
    jwk = issuer.key().jwk
    certificate = base64.b64encode(_certificate(issuer.ca_pem)).decode()
    for changes in (
        *({"typ": each} for each in (None, "jwt", "at+jwt", 1, {}, [], "")),
        *({"cty": each} for each in ("JWT", 1)),
        *({"kid": each} for each in (None, "", "other", kid.upper(), 1, {}, kid + " ")),
        *({"crit": each} for each in ([], ["b64"], ["exp"], ["b64", "b64"], "b64", {}, [1])),
        *({"crit": each} for each in (["alg"], [None], [[]], True, ["B64"], ["b64", "x"])),
        {"crit": ["x"], "x": 1},
        *({"b64": each} for each in (True, "false", 0, None)),
        {"crit": ["b64"], "b64": True},
        *({"nonce": each} for each in ("n", 1, "")),
        *({"zip": each} for each in ("DEF", 1)),
        *({"enc": each} for each in ("A128GCM",)),
        *(
            {"x5c": each}
            for each in ([], [certificate], ["x"], [1], "x", {}, [certificate, "AAAA"])
        ),
        {"x5c": [certificate[:60] + "\r\n" + certificate[60:]]},
        *({"x5t": each} for each in ("x", 1)),
        *({"x5u": each} for each in ("https://example.com", 1)),
        *({"jku": each} for each in ("https://example.com", 1)),
        *({"jwk": each} for each in (jwk, {}, {"kty": "oct", "k": "AAAA"}, "x", 1, [])),
        {"jwk": {**jwk, "d": "AQAB"}},
        *({"alg": each} for each in ("rs256", "RS256 ", "none", "NONE", "", "HS256", "XX", 1)),
        {"iss": "https://other.example", "exp": 1},
    ):
        token = issuer.sign(claims, changes)
        yield Case(f"header {json.dumps(changes)[:90]}", "sub", bearer(token))
    usual = json.dumps({"alg": "RS256", "kid": kid})
    for text in (
        *("", "null", "1", "[]", "{}", '"x"', usual + " ", " " + usual, usual + "x", usual[:-1]),
        usual[:-1] + ',"alg":"RS256"}',
        usual[:-1] + ',"ALG":"none"}',
        usual[:-1] + ',"kid":null}',
        usual[:-1] + ',"kid2":null,"typ":null}',
        *(usual[:-1] + f',"{each}":null}}' for each in ("crit", "b64", "jwk", "x5c", "nonce")),
        usual[:-1] + ',"x":{"a":1,"a":2}}',
        usual[:-1] + ',"x":[{"a":1,"a":2}]}',
        usual[:-1] + ',"x":{"a":1,"A":2}}',
        usual[:-1] + ',"x":1e400}',
        usual[:-1] + ',"x":[-1e400]}',
        usual[:-1] + ',"x":1e-400}',
        usual[:-1] + ',"x":' + "1" * 400 + "}",
        usual[:-1] + ',"x":"\\ud800"}',
        usual[:-1] + ',"x":' + "[" * 100 + "]" * 100 + "}",
        usual[:-1] + ',"x":' + "[" * 9000 + "]" * 9000 + "}",
        usual.replace('"alg"', '"Alg"'),
        usual.replace('"kid"', '"KID"'),
        usual.replace('"alg"', '"\\u0061lg"'),
        usual.replace("RS256", "\\u0052S256"),
    ):
        yield Case(f"header {text[:90]!r}", "sub", bearer(issuer.sign(claims, text.encode())))
    yield Case(
        "header with a bad byte",
        "sub",
        bearer(issuer.sign(claims, b'{"\xff":1,' + usual[1:].encode())),
    )
    yield from _unencoded(settings)


def _unencoded(settings: Settings) -> Iterator[Case]:
    """RFC 7797: the signature covers the payload as it is."""
    key = settings.issuer.key()
    payload = json.dumps(settings.claims()).encode()
    for changes in ({"b64": False}, {"b64": False, "crit": ["b64"]}, {"b64": "false"}):
        header = json.dumps({"alg": "RS256", "kid": key.kid, **changes}).encode()
        signature = key.sign(encode(header).encode() + b"." + payload)
        token = f"{encode(header)}.{encode(payload)}.{encode(signature)}"
        yield Case(f"payload signed as it is, {changes}", "sub", bearer(token))


def algorithm_cases(world: World) -> Iterator[Case]:
    """Every algorithm with every key, as far as signing is possible at all."""
    for name in ("sub", "flags"):
        settings = world[name]
        issuer, claims = settings.issuer, settings.claims()
        for alg in ALGORITHMS:
            key = issuer.key(alg)
            for changes in ({"kid": key.kid}, {"kid": None}):
                token = issuer.sign(claims, {"alg": alg, **changes}, alg, key)
                yield Case(f"{alg} {changes}", name, bearer(token))
            for other in ALGORITHMS:
                for changes in ({"kid": key.kid}, {"kid": issuer.key(other).kid}):
                    token = issuer.sign(claims, {"alg": other, **changes}, alg, key)
                    if other != alg:
                        yield Case(f"{alg}, {other} in the header", name, bearer(token))
    settings = world["sub"]
    issuer, claims = settings.issuer, settings.claims()
    for alg, curve in (
        ("ES512", "ES256"),
        ("ES384", "ES256"),
        ("ES256", "ES384"),
        ("ES512", "ES384"),
    ):
        token = _ecdsa(settings, alg, curve)
        yield Case(f"{alg} with the key for {curve}", "sub", bearer(token))
    for alg, other in (("PS256", "RS256"), ("RS512", "RS256"), ("PS512", "PS256")):
        token = issuer.sign(claims, {"kid": issuer.key(other).kid}, alg, issuer.key(other))
        yield Case(f"{alg} with the key for {other}", "sub", bearer(token))
    for length in (0, 20, 32, 64, 200):
        yield Case(f"PS256 with a salt of {length}", "sub", bearer(_salted(settings, length)))
    key = issuer.key()
    for secret in (b"", key.public_pem, key.kid.encode(), json.dumps(key.jwk).encode()):
        for alg in ("HS256", "RS256"):
            text = _input(settings, {"alg": alg, "kid": key.kid})
            signature = hmac.digest(secret, text.encode(), "sha256")
            yield Case(f"HMAC as {alg}", "sub", bearer(f"{text}.{encode(signature)}"))
    for wrong in ("unknown-key", "alg-none", "tampered-payload", "tampered-signature"):
        yield Case(wrong, "sub", bearer(issuer.token(wrong=wrong)))
    other = world["all"].issuer.key()
    token = issuer.sign(claims, {"kid": key.kid}, key=other)
    yield Case("signed by another issuer's key", "sub", bearer(token))
    token = issuer.sign(claims, {"kid": other.kid}, key=other)
    yield Case("signed by another issuer, with its kid", "sub", bearer(token))
    token = world["all"].issuer.sign(world["sub"].claims())
    yield Case("another issuer's token for this one", "sub", bearer(token))


def spelling_cases(world: World) -> Iterator[Case]:
    """Other spellings of a good token, and parts too few or too many."""
    settings = world["sub"]
    token = settings.issuer.sign(settings.claims())
    header, payload, signature = token.split(".")
    for name, spelling in (
        ("as it is", token),
        ("one part", header),
        ("two parts", f"{header}.{payload}"),
        ("a dot at the end", token + "."),
        ("a dot before", "." + token),
        ("four parts", token + ".x"),
        ("five parts", token + ".x.y"),
        ("no signature", f"{header}.{payload}."),
        ("no payload", f"{header}..{signature}"),
        ("no header", f".{payload}.{signature}"),
        ("dots", ".."),
        ("padding in the signature", token + "=="),
        ("padding in the header", f"{header}==.{payload}.{signature}"),
        ("padding in the payload", f"{header}.{payload}=.{signature}"),
        ("base64 of the other kind", token.replace("_", "/").replace("-", "+")),
        ("a letter more", token + "A"),
        ("four letters more", token + "AAAA"),
        ("a letter less", token[:-1]),
        ("two letters less", token[:-2]),
        (
            "JSON serialization",
            json.dumps({"payload": payload, "protected": header, "signature": signature}),
        ),
        (
            "without blanks in JSON",
            json.dumps(
                {"payload": payload, "protected": header, "signature": signature},
                separators=(",", ":"),
            ),
        ),
        ("a NUL", token + "\0"),
        ("an odd letter", token + "\u00e9"),
        ("other digits", token.replace("1", "\u0661")),
    ):
        yield Case(name, "sub", bearer(spelling))
    for blank in ("\t", "\x0b", "\x85", "\xa0", "\u2003", "\u3000", "\u200b", "\ufeff", "\x1c"):
        for name, spelling in (
            ("before", f"{blank}{token}"),
            ("in the header", f"{header[:9]}{blank}{header[9:]}.{payload}.{signature}"),
            ("in the payload", f"{header}.{payload[:9]}{blank}{payload[9:]}.{signature}"),
            ("after the payload", f"{header}.{payload}{blank}.{signature}"),
            ("in the signature", f"{header}.{payload}.{signature[:9]}{blank}{signature[9:]}"),
            ("behind", f"{token}{blank}"),
            ("behind, and more", f"{token}{blank} x"),
        ):
            yield Case(f"{blank!r} {name}", "sub", bearer(spelling))
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        yield Case(f"last letter {letter}", "sub", bearer(token[:-1] + letter))
    for place in range(0, len(token), max(1, len(token) // 40)):
        other = "A" if token[place] != "A" else "B"
        yield Case(
            f"letter {place} changed", "sub", bearer(token[:place] + other + token[place + 1 :])
        )
    # A payload whose last letter has bits to spare, which the signature does or doesn't cover.
    for spare in range(1, 3):
        claims = json.dumps(settings.claims()).encode()
        claims += b" " * ((spare - len(claims)) % 3)
        last = encode(claims)
        loose = last[:-1] + chr(ord(last[-1]) + 1)
        text = f"{header}.{loose}"
        signed = encode(settings.issuer.key().sign(text.encode()))
        yield Case(f"{spare} spare, signed as it stands", "sub", bearer(f"{text}.{signed}"))
        signed = encode(settings.issuer.key().sign(f"{header}.{last}".encode()))
        yield Case(f"{spare} spare, signed as it should be", "sub", bearer(f"{text}.{signed}"))


def authorization_cases(world: World) -> Iterator[Case]:
    """What may stand around a token in the header's value."""
    token = world["sub"].issuer.sign(world["sub"].claims()).encode()
    for value in (
        *(b"", b"Bearer", b"Bearer ", b"Bearer  ", token, b"Basic amFuZTpqYW5l", b"Bearer x"),
        *(b"bearer " + token, b"BEARER " + token, b"bEaReR " + token, b"Bearer  " + token),
        *(
            b"Bearer\t" + token,
            b"Bearer \t" + token,
            b" Bearer " + token,
            b"Bearer " + token + b" ",
        ),
        *(b"\tBearer " + token + b"\t", b"Bearer " + token + b" x", b"Bearer " + token + b"  x y"),
        *(b"Bearer " + token + b",", b"Bearer " + token + b", Bearer " + token),
        *(b"Bearer: " + token, b"Bearer=" + token, b"Token " + token, b"Bearer" + token),
        *(b'Bearer "' + token + b'"', b"Bearer,Bearer " + token, b"Bearer Bearer " + token),
        *(b"\xc2\xa0Bearer " + token, b"Bearer " + token + b"\xc2\xa0", b"\xa0Bearer " + token),
        *(b"\xc2\x85Bearer " + token, b"\xe3\x80\x80Bearer " + token + b"\xe2\x80\x83"),
        *(b"Bearer\xc2\xa0" + token, b"Bearer \xc2\xa0" + token, b"\xff" + b"Bearer " + token),
        *(
            b"Bearer " + token + b"\xff",
            b"\xef\xbb\xbfBearer " + token,
            b"Bearer " + token + b"\x00",
        ),
        *(b"Bearer " + token + b"\x0b", b"Bearer " + token + b"\x1c", b"\x1cBearer " + token),
    ):
        yield Case(f"value {value.replace(token, b'TOKEN')!r}", "sub", value)


def _input(settings: Settings, header: dict[str, Any]) -> str:
    claims = json.dumps(settings.claims()).encode()
    return f"{encode(json.dumps(header).encode())}.{encode(claims)}"


def _ecdsa(settings: Settings, alg: str, curve: str) -> str:
    key = settings.issuer.key(curve)
    assert isinstance(key.private, ec.EllipticCurvePrivateKey)
    digest: dict[str, tuple[hashes.HashAlgorithm, int]] = {
        "ES256": (hashes.SHA256(), 32),
        "ES384": (hashes.SHA384(), 48),
        "ES512": (hashes.SHA512(), 66),
    }
    text = _input(settings, {"alg": alg, "kid": key.kid})
    algorithm, size = digest[alg]
    r, s = decode_dss_signature(key.private.sign(text.encode(), ec.ECDSA(algorithm)))
    size = max(size, (max(r, s).bit_length() + 7) // 8)
    return f"{text}.{encode(r.to_bytes(size, 'big') + s.to_bytes(size, 'big'))}"


def _salted(settings: Settings, length: int) -> str:
    key = settings.issuer.key("PS256")
    assert isinstance(key.private, rsa.RSAPrivateKey)
    text = _input(settings, {"alg": "PS256", "kid": key.kid})
    pad = padding.PSS(padding.MGF1(hashes.SHA256()), length)
    return f"{text}.{encode(key.private.sign(text.encode(), pad, hashes.SHA256()))}"


def _certificate(pem: str) -> bytes:
    return base64.b64decode("".join(pem.split("-----")[2].split()))
