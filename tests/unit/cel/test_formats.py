"""Named formats in expressions, and what kube-apiserver has been seen to say of texts."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koproxy.cel.functions.equality import equal
from koproxy.cel.functions.formats import OVERLOADS
from koproxy.cel.overloads import Functions
from koproxy.cel.values import NONE, CelError, GoStrings

FUNCTIONS = Functions(OVERLOADS)
NAMES = (
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must"
    " start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for"
    " validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.',"
    " and must start and end with an alphanumeric character (e.g. 'example.com', regex used for"
    " validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
OLD_LABEL = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an"
    " alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123',"
    " regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
NAME = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an"
    " alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for"
    " validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.',"
    " and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or"
    " '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
LONG_LABEL = "must be no more than 63 characters"
LONG_SUBDOMAIN = "must be no more than 253 characters"
UUID = "does not match the UUID format"


def call(name: str, *values: Any) -> Any:
    return FUNCTIONS.find(name, values).function(*values)


def wrong(name: str, text: str) -> list[str]:
    found = call("validate", call(f"format.{name}"), text)
    if found == NONE:
        return []
    assert type(found.value) is GoStrings
    assert found.value
    return list(found.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dns1123Label", "a"),
        ("dns1123Label", "1-b"),
        ("dns1123Label", "x" * 63),
        ("dns1123Subdomain", "a.b-c.1"),
        ("dns1123Subdomain", "x" * 253),
        ("dns1035Label", "a1"),
        ("qualifiedName", "A_b.c"),
        ("qualifiedName", "a.b/C"),
        ("qualifiedName", "x" * 253 + "/" + "y" * 63),
        ("dns1123LabelPrefix", "a-"),
        ("dns1123LabelPrefix", "A-"),
        ("dns1123LabelPrefix", "x" * 63 + "-"),
        ("dns1123SubdomainPrefix", "a.-"),
        ("dns1035LabelPrefix", "1-"),
        ("labelValue", ""),
        ("labelValue", "A_b.c-1"),
        ("uri", "http://a/b"),
        ("uri", "urn:x"),
        ("uri", "/p"),
        ("uri", "//a b"),
        ("uri", "//[x]"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000"),
        ("uuid", "123E4567E89B12D3A456426614174000"),
        ("byte", "aGk="),
        ("byte", "YQ=="),
        ("date", "2024-02-29"),
        ("date", "0000-01-01"),
        ("datetime", "2024-01-01T00:00:00Z"),
        ("datetime", "2024-01-01t23:59:59.5+99:99"),
        ("datetime", "2024-01-01T00:00:00x5Z"),
    ],
)
def test_what_is_valid(name: str, text: str) -> None:
    assert wrong(name, text) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("dns1123Label", "", [LABEL]),
        ("dns1123Label", "a-", [LABEL]),
        ("dns1123Label", "\u00e9", [LABEL]),
        ("dns1123Label", "a\n", [LABEL]),
        ("dns1123Label", "a.b", ["must not contain dots"]),
        ("dns1123Label", "x" * 64, [LONG_LABEL]),
        ("dns1123Label", "X" * 64, [LONG_LABEL, LABEL]),
        ("dns1123Subdomain", "a..b", [SUBDOMAIN]),
        ("dns1123Subdomain", "a.-b", [SUBDOMAIN]),
        ("dns1123Subdomain", "x" * 254, [LONG_SUBDOMAIN]),
        ("dns1035Label", "1a", [OLD_LABEL]),
        ("dns1035Label", "a.b", [OLD_LABEL]),
        ("dns1035Label", "x" * 64, [LONG_LABEL]),
        ("qualifiedName", "", ["name part must be non-empty", f"name part {NAME}"]),
        ("qualifiedName", "/a", ["prefix part must be non-empty"]),
        ("qualifiedName", "a_b/c", [f"prefix part {SUBDOMAIN}"]),
        ("qualifiedName", "a/-b", [f"name part {NAME}"]),
        ("qualifiedName", "x" * 64, ["name part must be no more than 63 bytes"]),
        ("qualifiedName", "x" * 254 + "/y", ["prefix part must be no more than 253 bytes"]),
        (
            "qualifiedName",
            "a/b/c",
            [
                f"a valid label key {NAME} with an optional DNS subdomain prefix and '/'"
                " (e.g. 'example.com/MyName')"
            ],
        ),
        ("dns1123LabelPrefix", "-", [LABEL]),
        ("dns1123LabelPrefix", "\u00e9-", [LABEL]),
        ("dns1123LabelPrefix", "x" * 64 + "-", [LONG_LABEL]),
        ("dns1123SubdomainPrefix", "x" * 254, [LONG_SUBDOMAIN]),
        ("dns1035LabelPrefix", "1", [OLD_LABEL]),
        ("labelValue", "-a", [VALUE]),
        ("labelValue", "a b", [VALUE]),
        ("labelValue", "x" * 64, ["must be no more than 63 bytes"]),
        ("uri", "", ['parse "": empty url']),
        ("uri", "a", ['parse "a": invalid URI for request']),
        ("uri", "http://[::1", ["parse \"http://[::1\": missing ']' in host"]),
        ("uri", "http://a/%zz", ['parse "http://a/%zz": invalid URL escape "%zz"']),
        ("uri", "a\nb", ['parse "a\\nb": net/url: invalid control character in URL']),
        ("uuid", "123e4567-e89b-12d3-a456-42661417400", [UUID]),
        ("uuid", "{123e4567-e89b-12d3-a456-426614174000}", [UUID]),
        ("byte", "", ["invalid base64"]),
        ("byte", "aGk", ["invalid base64"]),
        ("byte", "a-_=", ["invalid base64"]),
        ("byte", "aGk=\n", ["invalid base64"]),
        ("date", "2023-02-29", ["invalid date"]),
        ("date", "2024-1-1", ["invalid date"]),
        ("date", "2024-01-01 ", ["invalid date"]),
        ("datetime", "2024-01-01T24:00:00Z", ["invalid datetime"]),
        ("datetime", "2024-01-01 00:00:00Z", ["invalid datetime"]),
        ("datetime", "2024-01-01T00:00:60Z", ["invalid datetime"]),
        ("datetime", "2024-01-01T00:00:00", ["invalid datetime"]),
        ("datetime", "2023-02-29T00:00:00Z", ["invalid datetime"]),
    ],
)
def test_what_is_said_of_others(name: str, text: str, said: list[str]) -> None:
    assert wrong(name, text) == said


@pytest.mark.parametrize("name", NAMES)
def test_formats_by_their_names(name: str) -> None:
    found = call("format.named", name)
    assert found.present is True
    constants = {each: call(f"format.{each}") for each in NAMES}
    assert [each for each in NAMES if equal(found.value, constants[each])] == [name]


@pytest.mark.parametrize("name", ["", "x", "DNS1123Label", "dns1123label", "dateTime"])
def test_there_are_no_others(name: str) -> None:
    assert call("format.named", name) == NONE
    with pytest.raises(CelError):
        call(f"format.{name}")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["a" * 200_000, "a-" * 100_000, "0." * 100_000, "t/" * 100_000])
def test_long_texts_are_looked_at(name: str, text: str) -> None:
    assert all(len(each) < len(text) + 1000 for each in wrong(name, text))


@given(st.sampled_from(NAMES), st.text(st.characters(codec="utf-8")))
def test_any_text_is_valid_or_has_something_said_of_it(name: str, text: str) -> None:
    assert all(wrong(name, text))


@given(st.from_regex(r"\A[a-z]([-a-z0-9]{0,61}[a-z0-9])?\Z"))
def test_a_label_is_all_that_is_wider(text: str) -> None:
    for name in ("dns1035Label", "dns1123Label", "dns1123Subdomain", "qualifiedName", "labelValue"):
        assert wrong(name, text) == []
    assert wrong("dns1035LabelPrefix", f"{text[:62]}-") == []
    assert wrong("dns1035Label", f"{text[:62]}-") == [OLD_LABEL]
    assert wrong("qualifiedName", f"{text}/{text}") == []


@given(st.uuids(), st.dates(), st.datetimes(), st.binary(min_size=1))
def test_what_python_writes(uuid: Any, date: Any, time: Any, data: bytes) -> None:
    assert wrong("uuid", str(uuid)) == wrong("uuid", uuid.hex.upper()) == []
    assert wrong("date", date.isoformat()) == []
    assert wrong("datetime", f"{time.isoformat()}Z") == []
    assert wrong("byte", base64.b64encode(data).decode()) == []
