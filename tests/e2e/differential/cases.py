"""Authorization headers made by hand, for every corner that a reading of the rules has shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from e2e.differential.settings import Settings


@dataclass(frozen=True)
class Case:
    """A header's value to show to both, and what is special about it."""

    name: str
    settings: str
    authorization: bytes


World = Mapping[str, Settings]

CLAIMS = (
    *("iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "at_hash", "jti", "email"),
    *("email_verified", "user", "groups", "tenant", "_claim_names", "_claim_sources", "other"),
)
VALUES = (
    *("null", "true", "false", "0", "1", "-1", "1.5", "1e3", "1E+400", "12345678901234567890"),
    *('""', '" "', '"x"', '"blue"', '"true"', '"kubernetes"', '"1999999999"', '"\\u0000"'),
    *("[]", '["x"]', '["kubernetes"]', '["a","b","a"]', "[null]", '[""]', '["x",null]', '["x",1]'),
    *("[[]]", '[["x"]]', "{}", '{"a":"b"}', '{"a":1}', '{"a":null}', '{"a":{}}', '{"a":""}'),
)
SECONDS = (
    *("1999999999", "1999999999.9", "1.999999999e9", "1999999999e0", "0.2e11", "2e9", "2E9"),
    *('"1999999999"', '"2e9"', '"1999999999.5"', '"-1"', '" 1999999999"', '"1999999999 "'),
    *('"0x7fffffff"', '"1_999_999_999"', '"+1999999999"', '"01999999999"', '"NaN"', '"Infinity"'),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e18", "1e19"),
    *("9223371974719179007", "9223371974719179008", "-62135596800", "-62135596801", "1e308"),
    *("1e400", "-1e400", "1e-400", "-0", "0", "99999999999999999999999999999999", "-1e30"),
    *("9.223372036854775e18", "9223372036854774784", "253402300800", '"1e400"', '""', '"1e"'),
    "1" + "0" * 500,
)
STRINGS = (
    b'"jane doe"',
    b'" jane"',
    b'"jane "',
    b'"\\tjane"',
    b'"ja\\tne"',
    b'"ja\\nne"',
    b'"ja\\r\\nImpersonate-Group: system:masters"',
    b'"ja\\u0000ne"',
    b'"ja\\u007fne"',
    b'"ja\\u0085ne"',
    b'"\\u00a0jane"',
    b'"jane\\u3000"',
    b'"\\ufeffjane"',
    b'"j\xc3\xa4ne"',
    b'"\xe2\x80\xaejane"',
    b'"\xf0\x9f\x98\x80"',
    b'"\\ud83d\\ude00"',
    b'"\\ud83d"',
    b'"\\ude00\\ud83d"',
    b'"\\ud83dx\\ude00"',
    b'"a\xffb"',
    b'"a\xe2\x82b"',
    b'"a\xed\xa0\x80b"',
    b'"a\xc0\x80b"',
    b'"a\xf4\x90\x80\x80b"',
    b'"\xf0\x9f\x98"',
    b'"a:b,c;d=e"',
    b'"a\\"b\\\\c\\/d"',
    b'"%41"',
    b'"' + b"x" * 3000 + b'"',
    b'"system:masters"',
    b'"system:authenticated"',
    b'"system:unauthenticated"',
    b'"system:anonymous"',
    b'"system:serviceaccount:default:jane"',
    b'"system:"',
    b'"System:masters"',
    b'"\\u0073ystem:masters"',
    b'"system"',
    b'"-"',
    b'"*"',
    b'"\\\'"',
    b'"\x01"',
)


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def with_raw(claims: Mapping[str, Any], name: str, raw: str | bytes) -> bytes:
    """JSON of the claims, in which `name` has the value that `raw` is the text of."""
    text = json.dumps({each: value for each, value in claims.items() if each != name}).encode()
    value = raw.encode() if isinstance(raw, str) else raw
    return text[:-1] + b"," + json.dumps(name).encode() + b":" + value + b"}"


def with_members(claims: Mapping[str, Any], *members: str) -> bytes:
    """JSON of the claims with members after them, as they are."""
    return (json.dumps(dict(claims))[:-1] + "," + ",".join(members) + "}").encode()


def bearer(token: str) -> bytes:
    """The header's value for a token."""
    return b"Bearer " + token.encode()


def cases(world: World) -> Iterator[Case]:
    """All of them, for the settings of these names."""
    yield from claim_cases(world)
    yield from name_cases(world)
    yield from string_cases(world)
    yield from text_cases(world)


def claim_cases(world: World) -> Iterator[Case]:
    """Every claim missing, of every type, and the times at their edges."""
    for name, claims in (
        ("all", CLAIMS),
        ("email", ("email", "email_verified", "sub")),
        ("email-prefix", ("email", "email_verified", "sub")),
        ("flags", ("sub", "groups", "email", "email_verified", "tenant")),
    ):
        settings = world[name]
        for claim in claims:
            missing = settings.claims(**{claim: None})
            yield Case(f"no {claim}", name, bearer(settings.issuer.sign(missing)))
            for value in VALUES:
                payload = with_raw(settings.claims(), claim, value)
                token = settings.issuer.sign(payload)
                yield Case(f"{claim} is {value}", name, bearer(token))
    settings = world["sub"]
    for claim in ("exp", "nbf", "iat"):
        for value in SECONDS:
            payload = with_raw(settings.claims(), claim, value)
            yield Case(f"{claim} is {value[:60]}", "sub", bearer(settings.issuer.sign(payload)))
    now = settings.claims()["iat"]
    for claim, seconds in (
        *(("exp", each) for each in (-3600, -60, -5, 5, 60)),
        *(("nbf", each) for each in (-60, 0, 50, 70, 3600)),
        *(("iat", each) for each in (-(10**9), 3600, 10**9)),
    ):
        token = settings.issuer.sign(settings.claims(**{claim: now + seconds}))
        yield Case(f"{claim} in {seconds} s", "sub", bearer(token))


def name_cases(world: World) -> Iterator[Case]:
    """Names twice, in other cases and in letters that look alike."""
    settings = world["all"]
    good = settings.claims()
    later, earlier = str(good["exp"] + 60), str(good["iat"] - 60)
    issuer = json.dumps(settings.issuer.url)
    for members in (
        (f'"exp":{earlier}',),
        (f'"exp":{earlier}', f'"exp":{later}'),
        ('"exp":null',),
        ('"exp":"x"', f'"exp":{later}'),
        (f'"EXP":{earlier}',),
        (f'"Exp":{later}',),
        ('"nbf":9999999999', '"nbf":null'),
        ('"nbf":9999999999', '"NBF":1'),
        ('"iss":"https://other.example"',),
        ('"iss":"https://other.example"', f'"iss":{issuer}'),
        ('"iss":null',),
        ('"ISS":"https://other.example"',),
        ('"i\u017fs":"https://other.example"',),
        ('"\\u0131ss":"https://other.example"',),
        ('"aud":"other"',),
        ('"aud":null',),
        ('"aud":"other"', '"AUD":["kubernetes"]'),
        ('"sub":1',),
        ('"SUB":1',),
        ('"\u017fub":1',),
        ('"Nonce":1',),
        ('"at_Hash":[]',),
        ('"user":"bob"',),
        ('"USER":"bob"',),
        ('"user":null',),
        ('"user":1', '"user":"bob"'),
        ('"u\\u0073er":"bob"',),
        ('"groups":["admins"]',),
        ('"Groups":["admins"]',),
        ('"groups":null',),
        ('"tenant":"red"',),
        ('"tenant":"red"', '"tenant":"blue"'),
        ('"Tenant":"red"',),
        ('"_claim_names":{"x":"a"}', '"_claim_sources":{"a":{}}'),
        ('"_claim_names":{"x":"a"}', '"_CLAIM_SOURCES":{"a":{}}'),
        ('"_claim_names":{"x":"a"}', '"_claim_sources":{"b":{}}'),
        ('"_claim_names":{"x":"a"}', '"_claim_names":null'),
        ('"_claim_names":{"x":"a"}', '"_claim_names":{}'),
        ('"_claim_names":{"x":""}', '"_claim_sources":{"":{}}'),
        ('"_claim_names":{"x":"a"}', '"_claim_sources":{"a":{}}', '"_claim_sources":null'),
        ('"_claim_names":{"x":"a"}', '"_claim_sources":{"a":null}'),
        ('"_claim_names":{"x":"a"}', '"_claim_sources":{"a":{"endpoint":1}}'),
        ('"_claim_names":{"x":"a"}', '"_claim_sources":{"a":{"ENDPOINT":1}}'),
        ('"_claim_names":{"x":"a"}', '"_claim_sources":{"a":{"acce\u017fs_to\u212aen":1}}'),
        ('"_claim_names":{"x":"a"}', '"_claim_sources":{"a":{"JWT":1}}'),
        ('"_claim_names":{"x":"a"}', '"_claim_sources":{"a":{"endpoint":null,"z":[1]}}'),
        ('"a":NaN',),
        ('"a":Infinity',),
        ('"a":-Infinity',),
        ('"a":01',),
        ('"a":1.',),
        ('"a":.5',),
        ('"a":+1',),
        ('"a":0x1',),
        ('"a":1e999',),
        ('"a":"\\x"',),
        ('"a":"\t"',),
        ('"a":"\x7f"',),
        ("\"a\":'b'",),
        ('"a":[1,]',),
        ('"a":1,',),
        ("a:1",),
        ('"a":1 /* b */',),
        ('"a":' + "[" * 100 + "]" * 100,),
        ('"a":' + "[" * 200 + "]" * 200,),
        ('"a":' + "[" * 9000 + "]" * 9000,),
        ('"a":' + "[" * 10001 + "]" * 10001,),
        ('"a":"' + "[" * 1000 + '"',),
        ('"a":' + "1" * 5000,),
    ):
        token = settings.issuer.sign(with_members(good, *members))
        yield Case(f"members {','.join(members)[:120]}", "all", bearer(token))


def string_cases(world: World) -> Iterator[Case]:
    """User names and groups of every kind of character, with a prefix and without."""
    for name, claim in (("sub", "sub"), ("email-prefix", "email"), ("all", "user")):
        settings = world[name]
        for raw in STRINGS:
            payload = with_raw(settings.claims(), claim, raw)
            yield Case(f"{claim} is {raw!r:.90}", name, bearer(settings.issuer.sign(payload)))
    for name in ("groups", "all"):
        settings = world[name]
        for raw in STRINGS:
            for value in (raw, b'["dev",' + raw + b"]"):
                payload = with_raw(settings.claims(), "groups", value)
                token = settings.issuer.sign(payload)
                yield Case(f"groups is {value!r:.90}", name, bearer(token))
    settings = world["all"]
    token = settings.issuer.sign(settings.claims(groups=[f"g{i}" for i in range(20_000)]))
    yield Case("20000 groups", "all", bearer(token))
    settings = world["groups"]
    for number in (0, 1, 100, 500):
        token = settings.issuer.sign(settings.claims(groups=[f"g{i}" for i in range(number)]))
        yield Case(f"{number} groups", "groups", bearer(token))


def text_cases(world: World) -> Iterator[Case]:
    """Payloads that are no object, or not only one."""
    settings = world["sub"]
    good = json.dumps(settings.claims()).encode()
    for text in (
        *(b"", b"null", b"1", b'"x"', b"[]", b"{}", b"{", good[:-1], good + good, good + b"x"),
        *(b"\xef\xbb\xbf" + good, b" " + good, good + b"\n", b"\x00" + good, good + b"\x00"),
        *(b"\xc2\xa0" + good, b"[" + good + b"]", good.decode().encode("utf-16"), b"\x0b" + good),
        good.replace(b'"sub"', b'"s\\u0075b"'),
        good.replace(b"{", b"{\r\n\t "),
    ):
        token = settings.issuer.sign(text)
        yield Case(f"payload {text[:30]!r}", "sub", bearer(token))
