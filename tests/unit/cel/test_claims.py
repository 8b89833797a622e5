"""Variables, and fields by their escaped names."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koproxy.cel.claims import ABSENT, EscapedList, EscapedMap, claims_root, user_root
from koproxy.cel.escapes import unescaped
from koproxy.cel.values import CelError


def root(claims: dict[str, Any]) -> Any:
    return claims_root(claims, lambda value: value)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        *(("a", "a"), ("a_b", "a_b"), ("a__b", "a__b"), ("a__dot__b", "a.b"), ("__dash__", "-")),
        *(("a__slash__b__dot__c", "a/b.c"), ("__underscores__", "__"), ("__in__", "in")),
        *(("__namespace__", "namespace"), ("a__in__", None), ("__nope__", None), ("__x__y", None)),
        *(("", ""), ("_", "_"), ("____", "____"), ("a__dot__b__dot__c", "a.b.c")),
    ],
)
def test_names_and_the_fields_that_they_stand_for(name: str, field: str | None) -> None:
    assert unescaped(name) == field


@given(st.text("_dotinx.-", max_size=20))
def test_any_name_stands_for_a_field_or_none(name: str) -> None:
    field = unescaped(name)
    assert field is None or "__" in name or field == name


def test_claims_are_found_one_by_one() -> None:
    claims = root({"a": 1, "x.y": 2, "m": {"k-1": {"z/1": 3}}, "l": [{"k-1": 4}]})
    assert claims.find("a") == 1
    assert claims.find("b") is ABSENT
    assert claims.find("x__dot__y") == 2
    assert claims.find("__nope__") is ABSENT
    assert claims.find(1) is ABSENT
    assert type(claims.find("m")) is EscapedMap
    assert type(claims.find("l")) is EscapedList
    assert claims.values() == [1, 2, {"k-1": {"z/1": 3}}, [{"k-1": 4}]]


def test_a_claim_is_read_when_it_is_found_and_only_once() -> None:
    read = []

    def reading(value: Any) -> Any:
        read.append(value)
        if value == "bad":
            raise ValueError("it is bad")
        return value

    claims = claims_root({"good": "x", "bad": "bad"}, reading)
    assert not read
    assert claims.find("good") == claims.find("good") == "x"
    assert read == ["x"]
    with pytest.raises(CelError, match='claim "bad" failed to unmarshal: it is bad'):
        claims.find("bad")


def test_the_parts_of_a_user() -> None:
    user = user_root("jane", "7", ("a",), {"k": ("v", "w")})
    assert [user.find(name) for name in ("username", "uid", "groups", "extra", "other")] == [
        *("jane", "7", ["a"], {"k": ["v", "w"]}, ABSENT)
    ]


def test_a_claim_is_read_once_also_if_nothing_comes_of_it() -> None:
    read = []

    def reading(value: Any) -> Any:
        read.append(value)
        if value == "bad":
            raise ValueError("it is bad")
        return value

    claims = claims_root({"bad": "bad", "good": {"a": {"b": [1]}}}, reading)
    for _ in range(2):
        with pytest.raises(CelError, match="failed to unmarshal: it is bad"):
            claims.find("bad")
        assert claims.find("good") == {"a": {"b": [1]}}
    assert read == ["bad", {"a": {"b": [1]}}]


def test_what_has_escaped_names_is_made_once() -> None:
    claims = root({"m": {"a": {"b": 1}, "l": [[1], 2]}})
    assert claims.find("m") is claims.find("m")
    holder = claims.find("m")
    assert holder.member("a") is holder.member("a")
    assert isinstance(holder.member("a"), EscapedMap)
    items = holder.member("l")
    assert items.member(0) is items.member(0)
    assert isinstance(items.member(0), EscapedList)
    assert items.member(1) == 2
