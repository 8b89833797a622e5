"""What the schema of a custom kind asks of values: the nulls, the defaults, the limits."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube.schema import builtin
from koproxy_harness.kube.schema.limits import broken, defaulted, without_nulls
from koproxy_harness.kube.schema.node import Node, read

SCHEMA = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 4, "pattern": "^[a-z]*$"},
        "size": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
        "maybe": {"type": "string", "nullable": True, "default": "x"},
        "list": {"type": "array", "items": {"type": "integer", "format": "int32"}, "maxItems": 2},
        "map": {"type": "object", "additionalProperties": {"enum": ["a", 1]}, "minProperties": 1},
        "port": {"x-kubernetes-int-or-string": True},
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
NODE: Node = read(SCHEMA, builtin.node)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 2**33)
    | st.floats(0, 9)
    | st.text("aA1", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=6,
)
objects = st.fixed_dictionaries({}, optional=dict.fromkeys(SCHEMA["properties"], values))


@given(objects)
def test_nulls_stay_where_they_are_allowed(value: dict[str, Any]) -> None:
    kept = without_nulls(NODE, value)
    assert without_nulls(NODE, kept) == kept
    assert not [name for name in kept if kept[name] is None and name != "maybe"]
    assert {name for name in value if value[name] is not None} <= set(kept)
    assert ("maybe" in kept) is ("maybe" in value)


@given(objects)
def test_defaults_are_filled_in_once(value: dict[str, Any]) -> None:
    filled = defaulted(NODE, value)
    assert defaulted(NODE, filled) == filled
    assert filled["size"] == (3 if value.get("size") is None else value["size"])
    assert filled["maybe"] == value.get("maybe", "x")


@given(objects)
def test_each_cause_names_a_field_and_a_reason(value: dict[str, Any]) -> None:
    for cause in broken(NODE, value):
        assert cause["field"] == "<nil>" or cause["field"].split(".")[0].split("[")[0] in {
            *SCHEMA["properties"]
        }
        assert cause["reason"].startswith("FieldValue")
        assert cause["message"]


def said(**value: Any) -> list[str]:
    return [cause["message"] for cause in broken(NODE, {"name": "ab", **value})]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"name": "a"}, 'Invalid value: "a": name in body should be at least 2 chars long'),
        ({"name": "abcde"}, "Too long: may not be more than 4 bytes"),
        ({"name": "Ab"}, "Invalid value: \"Ab\": name in body should match '^[a-z]*$'"),
        ({"size": 0}, "Invalid value: 0: size in body should be greater than or equal to 1"),
        ({"size": 10}, "Invalid value: 10: size in body should be less than or equal to 9"),
        (
            {"size": True},
            'Invalid value: "boolean": size in body must be of type integer: "boolean"',
        ),
        ({"list": [1, 2, 3]}, "Too many: 3: must have at most 2 items"),
        (
            {"list": [2**31]},
            'Invalid value: "": Checked value must be of type integer with format int32 in list[0]',
        ),
        ({"map": {}}, "Invalid value: 0: map in body should have at least 1 properties"),
        ({"map": {"x": "b"}}, 'Unsupported value: "b": supported values: "a", "1"'),
        ({"map": {"x": True}}, 'Unsupported value: true: supported values: "a", "1"'),
        (
            {"port": []},
            'Invalid value: "array": port in body must be of type integer,string: "array"',
        ),
    ],
)
def test_what_is_wrong_with_a_value(value: Any, why: str) -> None:
    assert said(**value) == [why]


@pytest.mark.parametrize(
    "value",
    [
        *({"size": 3.0}, {"size": 9}, {"list": []}, {"map": {"x": 1}}, {"port": 1}, {"port": "x"}),
        *({"maybe": None}, {"any": {"x": [None, {"y": 1.5}]}}, {"list": [-(2**31)]}),
    ],
)
def test_what_is_right(value: Any) -> None:
    assert said(**value) == []


def test_what_is_required_has_to_be_there() -> None:
    (cause,) = broken(NODE, {})
    assert cause == {"reason": "FieldValueRequired", "message": "Required value", "field": "name"}
