"""YAML as Kubernetes takes it."""

import datetime
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.yaml_values import NotJson, as_json, document, documents

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab-:1.2 ", max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab1", max_size=3), inner),
    max_leaves=8,
)


@given(json_values)
def test_json_is_read_as_it_is(value: Any) -> None:
    assert document(json.dumps(value)) == value
    assert as_json(value) == value


@given(st.dates())
def test_what_looks_like_a_date_is_a_text(day: datetime.date) -> None:
    for text in (day.isoformat(), f"{day.isoformat()}T00:00:00Z"):
        assert document(f"since: {text}") == {"since": text}


def test_keys_are_texts() -> None:
    assert document("{2: a, true: b, 2.5: c}") == {"2": "a", "true": "b", "2.5": "c"}


# As sigs.k8s.io/yaml reads them.
WORDS = [
    *(("1e-05", 1e-05), ("1e5", 1e5), ("1.", 1.0), ("+.5", 0.5), ("1_0.5", 10.5), ("1:30", "1:30")),
    *(
        ("010", 8),
        ("0o7", 7),
        ("08", 8),
        ("0x1f", 31),
        ("-0x1f", -31),
        ("0b11", 3),
        ("1_000", 1000),
    ),
    *(("y", True), ("Yes", True), ("on", True), ("n", False), ("OFF", False), ("tRue", "tRue")),
    *(("~", None), ("Null", None), ("", None), ("2026-01-01", "2026-01-01"), ("1.5.2", "1.5.2")),
    *(("0b12", "0b12"), ("0x", "0x"), ("_1", "_1"), ("1e", "1e"), ("=", "=")),
]


@pytest.mark.parametrize(("word", "value"), WORDS)
def test_plain_words_are_what_kubernetes_takes_them_for(word: str, value: Any) -> None:
    (found,) = document(f"a: {word}").values()
    assert (found, type(found)) == (value, type(value))


def test_documents_are_read_one_by_one() -> None:
    assert list(documents("a: 1\n---\n---\n[2]\n")) == [{"a": 1}, None, [2]]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"a": [{"b": {1, 2}}]}, r"a\[0\]\.b is set, which JSON has not"),
        ({"a": b"x"}, "a is bytes"),
        ({"a": datetime.date(2026, 1, 1)}, "a is date"),
        ({"a": float("nan")}, "a is nan"),
        ({"a": {None: 1}}, "a has the key None"),
        (object(), "it is object"),
    ],
)
def test_what_json_has_not_is_named(value: Any, why: str) -> None:
    with pytest.raises(NotJson, match=why):
        as_json(value)


@pytest.mark.parametrize("text", ["a: .inf", "a: !!set {b}", "a: !!binary aGk="])
def test_what_yaml_has_beyond_json_is_refused(text: str) -> None:
    with pytest.raises(NotJson):
        document(text)


def test_nothing_is_made_of_tags() -> None:
    with pytest.raises(yaml.YAMLError):
        document("!!python/object/apply:os.getcwd []")
