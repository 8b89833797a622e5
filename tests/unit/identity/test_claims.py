"""The registered claims, their types and their times."""

import json

import pytest
from support.signer import NOW

from koproxy.identity.claims import Registered, check_times, read_registered
from koproxy.identity.gojson import Members, loads
from koproxy.identity.typed import Refused


def read(text: str) -> Registered:
    claims = loads(text.encode())
    assert isinstance(claims, Members)
    return read_registered(claims)


@pytest.mark.parametrize(
    ("text", "audience"),
    [
        ("{}", ()),
        ('{"aud":"a"}', ("a",)),
        ('{"aud":["a","b"]}', ("a", "b")),
        ('{"aud":[]}', ()),
        ('{"aud":null}', ("",)),
        ('{"aud":["a",null]}', ("a", "")),
        ('{"aud":"a","AUD":["b"]}', ("b",)),
    ],
)
def test_an_audience_is_a_string_or_a_list(text: str, audience: tuple[str, ...]) -> None:
    assert read(text).audience == audience


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1999999999", 1999999999),
        ("1999999999.9", 1999999999),
        ("2e9", 2000000000),
        ('"2e9"', 2000000000),
        ('"1999999999"', 1999999999),
        ("-1.9", -1),
        ("-0", 0),
        ("1e-400", 0),
        ("253402300800", 253402300800),
        # The largest come round, as they do where time is counted from the year 1 in 64 bits.
        ("9223371974719179007", 9223371974719179007),
        ("9223371974719179008", 9223371974719179008 - 2**64),
        ("9223372036854775807", 2**63 - 1 - 2**64),
        # What is no integer of 64 bits becomes the smallest one.
        ("9223372036854775808", -(2**63)),
        ("1e308", -(2**63)),
        ("-1e308", -(2**63)),
    ],
)
def test_times_are_numbers_of_any_spelling(text: str, seconds: int) -> None:
    assert read(f'{{"exp":{text}}}').expires == seconds


@pytest.mark.parametrize("name", ["exp", "nbf", "iat", "EXP", "Iat"])
@pytest.mark.parametrize(
    "text",
    [
        '"x"',
        '""',
        '" 1"',
        '"0x1"',
        '"1_0"',
        '"NaN"',
        "true",
        "[]",
        "{}",
        "1e999",
        '"1e"',
        '"\u0661"',
    ],
)
def test_a_time_that_is_no_number_refuses_the_token(name: str, text: str) -> None:
    with pytest.raises(Refused, match=name.lower()):
        read(f'{{"{name}":{text}}}')


@pytest.mark.parametrize("name", ["exp", "iat"])
def test_null_is_no_time_but_for_nbf(name: str) -> None:
    with pytest.raises(Refused, match=name):
        read(f'{{"{name}":null}}')
    assert read('{"nbf":5,"nbf":null}').not_before is None


@pytest.mark.parametrize("name", ["iss", "sub", "nonce", "at_hash", "SUB", "\u017fub", "Nonce"])
@pytest.mark.parametrize("text", ["1", "true", "[]", "{}", '["x"]'])
def test_a_text_that_is_no_string_refuses_the_token(name: str, text: str) -> None:
    with pytest.raises(Refused, match="no string"):
        read(f'{{"{name}":{text}}}')


def test_of_names_that_repeat_the_last_counts_and_null_changes_nothing() -> None:
    assert read('{"iss":"a","ISS":"b"}').issuer == "b"
    assert read('{"iss":"a","Iss":null}').issuer == "a"
    assert read('{"i\u017fs":"a"}').issuer == "a"
    assert read('{"exp":5,"EXP":6}').expires == 6
    with pytest.raises(Refused):
        read('{"exp":"x","exp":6}')


@pytest.mark.parametrize(
    "text",
    [
        '{"_claim_names":{"a":"s"}}',
        '{"_claim_names":{"a":"s"},"_claim_sources":{"t":{}}}',
        '{"_claim_names":{"a":""},"_claim_sources":{"":{}}}',
        '{"_claim_names":{"a":null},"_claim_sources":{"":{}}}',
        '{"_claim_names":{"a":1},"_claim_sources":{}}',
        '{"_claim_names":[]}',
        '{"_claim_names":{},"_claim_sources":[]}',
        '{"_claim_sources":{"s":[]}}',
        '{"_claim_sources":{"s":"x"}}',
        '{"_claim_sources":{"s":{"endpoint":1}}}',
        '{"_claim_sources":{"s":{"ENDPOINT":1}}}',
        '{"_claim_sources":{"s":{"acce\u017f\u017f_token":1}}}',
        '{"_claim_names":{"a":"s"},"_claim_sources":{"s":{}},"_claim_sources":null}',
    ],
)
def test_distributed_claims_have_to_be_whole_even_if_nobody_asks(text: str) -> None:
    with pytest.raises(Refused):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"_claim_names":{"a":"s"},"_CLAIM_SOURCES":{"s":{}}}',
        '{"_claim_names":{"a":"s"},"_claim_sources":{"s":null}}',
        '{"_claim_names":{"a":"s"},"_claim_names":null}',
        '{"_claim_names":{"a":"s"},"_claim_sources":{"s":{"JWT":1,"x":[]}}}',
        '{"_claim_names":{"a":"s"},"_claim_sources":{"s":{}},"_claim_names":{"b":"s"}}',
        '{"_claim_names":null,"_claim_sources":null}',
    ],
)
def test_distributed_claims_that_are_whole(text: str) -> None:
    read(text)


def registered(**times: object) -> Registered:
    return read(json.dumps(times))


def test_a_token_is_good_to_its_last_second() -> None:
    assert check_times(registered(exp=NOW), NOW) == NOW
    with pytest.raises(Refused, match="expired"):
        check_times(registered(exp=NOW), NOW + 0.001)
    with pytest.raises(Refused, match="no exp"):
        check_times(registered(), NOW)


def test_a_token_may_come_a_minute_early() -> None:
    exp = NOW + 3600
    check_times(registered(exp=exp, nbf=NOW + 60), NOW)
    with pytest.raises(Refused, match="not valid yet"):
        check_times(registered(exp=exp, nbf=NOW + 61), NOW)


def test_when_a_token_was_issued_does_not_matter() -> None:
    check_times(registered(exp=NOW, iat=NOW + 10**9), NOW)
