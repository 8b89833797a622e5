"""Python functions called with JSON: what is taken, what is refused, and with which words."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.command.calls import Call, WrongCall
from koproxy_harness.command.reading import Mistyped, value_for

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def do(
    name: str,
    times: int = 1,
    delay: float = 0.0,
    keep: bool = False,
    body: bytes | str | None = None,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    when: float | datetime | None = None,
    reactor: type | None = None,
) -> dict[str, Any]:
    return {name: (times, delay, keep, body, headers, when, reactor)}


def do_open(sub: object = "jane", **claims: object) -> dict[str, Any]:
    return {"sub": sub, **claims}


@pytest.mark.parametrize(
    ("fields", "given"),
    [
        ({}, (1, 0.0, False, None, (), None)),
        ({"times": 3, "delay": 2, "keep": True}, (3, 2.0, True, None, (), None)),
        ({"body": "a"}, (1, 0.0, False, b"a", (), None)),
        ({"body": {"base64": "AP8="}}, (1, 0.0, False, b"\x00\xff", (), None)),
        ({"headers": {"A": "b"}}, (1, 0.0, False, None, {"A": "b"}, None)),
        ({"headers": [["A", "b"]]}, (1, 0.0, False, None, [("A", "b")], None)),
        ({"when": 5}, (1, 0.0, False, None, (), 5.0)),
        (
            {"when": "2030-01-31T12:00:00Z"},
            (1, 0.0, False, None, (), datetime(2030, 1, 31, 12, tzinfo=UTC)),
        ),
    ],
)
def test_fields_become_arguments(fields, given):
    assert Call(do).with_json({"name": "a", **fields}) == {"a": (*given, None)}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "name must be given"),
        ({"name": 1}, "name must be text, not 1"),
        ({"name": None}, "name must be text, not None"),
        ({"name": "a", "times": True}, "times must be a whole number, not True"),
        ({"name": "a", "times": 1.5}, "times must be a whole number, not 1.5"),
        ({"name": "a", "delay": "1"}, "delay must be a number, not '1'"),
        ({"name": "a", "keep": 1}, "keep must be true or false, not 1"),
        ({"name": "a", "headers": {"A": 1}}, "headers must be an object or a list"),
        ({"name": "a", "headers": [["A"]]}, "headers must be an object or a list"),
        ({"name": "a", "body": {"base64": "!"}}, 'body must be text or {"base64": ...}'),
        ({"name": "a", "when": "soon"}, "when must be a number or a time as in 2030"),
        ({"name": "a", "tiems": 1}, "tiems is not known; did you mean times? There are: name, ti"),
        ({"name": "a", "reactor": None}, "reactor is not known; there are: name"),
    ],
)
def test_what_is_refused(fields, said):
    with pytest.raises(WrongCall) as refused:
        Call(do).with_json(fields)
    assert str(refused.value).startswith(said)


def test_a_query_has_numbers_as_text():
    def ask(since: int = 0, wait: float = 0.0, token: str | None = None) -> dict[str, Any]:
        return {"is": (since, wait, token)}

    call = Call(ask, method="GET")
    assert call.with_query({"since": "3", "wait": "0.5", "token": "7"}) == {"is": (3, 0.5, "7")}
    with pytest.raises(WrongCall, match="since must be a whole number, not 'x'"):
        call.with_query({"since": "x"})


def test_a_function_with_any_fields_takes_any():
    call = Call(do_open, "said")
    assert call.fields == ["sub", "..."]
    assert call.with_json({"sub": [1], "email": "a"}) == {"sub": [1], "email": "a"}
    with pytest.raises(WrongCall, match="self is not known"):
        call.with_json({"self": 1})


def test_the_answer_names_what_was_given():
    assert Call(do, "token").answer("a") == {"token": "a"}
    assert Call(do).answer({"a": 1}) == {"a": 1}
    assert Call(do).answer(None) == {}


@given(JSON)
def test_a_value_is_of_the_type_asked_for_or_refused(value):
    for hint in (str, bool, int, float, bytes, datetime):
        with suppress(Mistyped):
            assert type(value_for(hint, value)) is hint


@given(st.dictionaries(st.text(), JSON))
def test_a_call_happens_or_is_refused(fields):
    for call in (Call(do), Call(do_open)):
        with suppress(WrongCall):
            assert isinstance(call.with_json(fields), dict)
