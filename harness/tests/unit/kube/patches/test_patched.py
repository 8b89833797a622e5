"""Patches of the three kinds that change an object as they stand."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube.kinds import Kinds
from koproxy_harness.kube.patches import patched
from koproxy_harness.kube.schema import Node, Schemas, builtin
from koproxy_harness.kube.status import Refusal

JSON, MERGE, STRATEGIC = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
KINDS = Kinds(builtin.kinds())
POD = Schemas().of(KINDS.find("", "v1", "pods"))
DEPLOYMENT = Schemas().of(KINDS.find("apps", "v1", "deployments"))
ANYTHING = Node(type="object", keeps_unknown=True)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
objects = st.dictionaries(st.text("abc", max_size=2), values, max_size=4)


def change(kind: str, old: Any, patch: Any, node: Node = ANYTHING) -> Any:
    return patched(node, old, json.dumps(patch).encode(), kind)


# RFC 7396, appendix A
@pytest.mark.parametrize(
    ("old", "patch", "new"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patches_of_the_rfc(old: Any, patch: Any, new: Any) -> None:
    assert change(MERGE, old, patch) == new


def difference(old: Any, new: Any) -> Any:
    """The merge patch that leads from one object to the other."""
    return {
        **{name: None for name in old if name not in new},
        **{
            name: difference(old.get(name), each)
            if isinstance(each, dict) and isinstance(old.get(name), dict)
            else each
            for name, each in new.items()
            if name not in old or old[name] != each
        },
    }


def without_null(value: Any) -> Any:
    """Members that are null can't be said in a merge patch."""
    if isinstance(value, dict):
        return {key: without_null(each) for key, each in value.items() if each is not None}
    return value


@given(objects.map(without_null), objects.map(without_null))
def test_a_merge_patch_leads_where_it_says(old: Any, new: Any) -> None:
    before = json.loads(json.dumps(old))
    assert change(MERGE, old, difference(old, new)) == new
    assert old == before


# RFC 6902, appendix A
@pytest.mark.parametrize(
    ("old", "patch", "new"),
    [
        ({"a": 1}, [{"op": "add", "path": "/b", "value": 2}], {"a": 1, "b": 2}),
        ({"a": [1, 3]}, [{"op": "add", "path": "/a/1", "value": 2}], {"a": [1, 2, 3]}),
        ({"a": [1]}, [{"op": "add", "path": "/a/-", "value": 2}], {"a": [1, 2]}),
        ({"a": 1, "b": 2}, [{"op": "remove", "path": "/b"}], {"a": 1}),
        ({"a": [1, 2, 3]}, [{"op": "remove", "path": "/a/1"}], {"a": [1, 3]}),
        ({"a": 1}, [{"op": "replace", "path": "/a", "value": 2}], {"a": 2}),
        ({"a": {"b": 1}, "c": {}}, [{"op": "move", "from": "/a/b", "path": "/c/d"}], None),
        ({"a": [1, 2]}, [{"op": "move", "from": "/a/0", "path": "/a/1"}], {"a": [2, 1]}),
        ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}], None),
        ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], None),
        ({"a": 1}, [{"op": "replace", "path": "", "value": {"b": 2}}], {"b": 2}),
        # What an API server lets pass beyond the RFC.
        ({"a": [1, 2]}, [{"op": "replace", "path": "/a/-1", "value": 3}], {"a": [1, 3]}),
        ({"a": [1]}, [{"op": "add", "path": "/a/-1", "value": 3}], {"a": [1, 3]}),
        ({"a": 1}, [{"op": "add", "path": "/b"}], {"a": 1, "b": None}),
        ({"a": 1}, [{"op": "test", "path": "/b", "value": None}], {"a": 1}),
    ],
)
def test_json_patches_of_the_rfc(old: Any, patch: Any, new: Any) -> None:
    before = json.loads(json.dumps(old))
    got = change(JSON, old, patch)
    if new is not None:
        assert got == new
    assert old == before


def test_a_moved_and_a_copied_value_are_where_they_should_be() -> None:
    moved = change(JSON, {"a": {"b": 1}, "c": {}}, [{"op": "move", "from": "/a/b", "path": "/c/d"}])
    assert moved == {"a": {}, "c": {"d": 1}}
    copied = change(JSON, {"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}])
    assert copied == {"a": {"b": 1}, "c": {"b": 1}}
    assert copied["a"] is not copied["c"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/none"},
        {"op": "replace", "path": "/none", "value": 1},
        {"op": "test", "path": "/a", "value": 2},
        {"op": "add", "path": "/a/b", "value": 2},
        {"op": "add", "path": "/list/3", "value": 2},
        {"op": "add", "path": "/list/x", "value": 2},
        {"op": "add", "path": "b", "value": 2},
        {"op": "test", "path": "/a", "value": 1.0},
        {"op": "remove", "path": "/list/-2"},
        {"op": "add", "path": "", "value": {}},
        {"op": "jump", "path": "/a"},
        {"path": "/a"},
        {"op": "remove", "path": ""},
    ],
)
def test_a_json_patch_that_can_not_be_done_is_refused(operation: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="the server rejected our request") as refused:
        change(JSON, {"a": 1, "list": [1]}, [operation])
    assert (refused.value.code, refused.value.reason) == (422, "Invalid")


@pytest.mark.parametrize("kind", [JSON, MERGE, STRATEGIC])
@pytest.mark.parametrize("body", [b"{", b"1", b'"a"', b"[1]"])
def test_what_is_no_patch_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        patched(ANYTHING, {}, body, kind)
    assert refused.value.code == 400


def test_custom_objects_have_no_strategic_patches() -> None:
    with pytest.raises(Refusal) as refused:
        patched(ANYTHING, {}, b"{}", STRATEGIC, custom=True)
    assert refused.value.code == 415


def pod(*containers: Any, **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers), **spec}}


A, B = {"name": "a", "image": "1"}, {"name": "b", "image": "1"}


@pytest.mark.parametrize(
    ("patch", "new"),
    [
        (pod({"name": "b", "image": "2"}), pod(A, {"name": "b", "image": "2"})),
        (pod({"name": "c"}), pod({"name": "c"}, A, B)),
        (pod({"name": "a", "$patch": "delete"}), pod(B)),
        (pod({"name": "c"}, {"$patch": "replace"}), pod({"name": "c"})),
        ({"spec": {"containers": None}}, {"spec": {}}),
        ({"spec": {"$patch": "replace", "nodeName": "n"}}, {"spec": {"nodeName": "n"}}),
        (
            {"spec": {"containers": [{"name": "a"}], "$setElementOrder/containers": [B, A]}},
            pod(B, A),
        ),
        (
            {
                "spec": {
                    "containers": [{"name": "c"}],
                    "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
                }
            },
            pod({"name": "c"}, A, B),
        ),
    ],
)
def test_lists_are_merged_by_their_key(patch: Any, new: Any) -> None:
    assert change(STRATEGIC, pod(A, B), patch, POD) == new


def test_lists_of_plain_values_are_joined_and_taken_from() -> None:
    old = {"metadata": {"finalizers": ["a", "b"]}}
    joined = change(STRATEGIC, old, {"metadata": {"finalizers": ["b", "c"]}}, POD)
    assert joined["metadata"]["finalizers"] == ["a", "b", "c"]
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}
    assert change(STRATEGIC, old, patch, POD)["metadata"]["finalizers"] == ["b"]


def test_a_list_without_a_strategy_is_replaced() -> None:
    old = pod({"name": "a", "command": ["x", "y"]})
    new = change(STRATEGIC, old, pod({"name": "a", "command": ["z"]}), POD)
    assert new == pod({"name": "a", "command": ["z"]})


def test_only_the_keys_that_are_retained_stay() -> None:
    old = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"type": "Recreate", "$retainKeys": ["type"]}}}
    new = change(STRATEGIC, old, patch, DEPLOYMENT)
    assert new == {"spec": {"strategy": {"type": "Recreate"}}}


@pytest.mark.parametrize(
    ("patch", "code", "why"),
    [
        (pod({"image": "2"}), 500, "map: map[image:2] does not contain declared merge key: name"),
        (pod({"name": "a", "$patch": "jump"}), 500, "unknown patch type: jump in map: "),
        (
            pod({"name": "a", "$patch": "merge"}),
            500,
            "merging lists cannot yet be specified in the patch",
        ),
        ({"spec": {"$patch": "jump"}}, 500, "unknown patch type: jump in map: map[$patch:jump]"),
        (
            {"spec": {"$retainKeys": ["a"], "nodeName": "b"}},
            400,
            "invalid patch format of retainKeys",
        ),
        (
            {"metadata": {"$deleteFromPrimitiveList/finalizers": "a"}},
            400,
            "invalid patch format of primitive list",
        ),
        (
            {"spec": {"$setElementOrder/containers": "a", "containers": [A]}},
            400,
            "invalid patch format of setElementOrder list",
        ),
        (
            {"spec": {"$setElementOrder/containers": [B], "containers": [A]}},
            500,
            "The order in patch list:",
        ),
    ],
)
def test_a_strategic_patch_that_contradicts_itself_is_refused(
    patch: Any, code: int, why: str
) -> None:
    with pytest.raises(Refusal) as refused:
        change(STRATEGIC, {**pod(A), "metadata": {"finalizers": ["a"]}}, patch, POD)
    assert refused.value.code == code
    assert str(refused.value).startswith(why)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "unexpected end of JSON input"),
        (b'{"a":1', "unexpected end of JSON input"),
        (b'"a', "unexpected end of JSON input"),
        (b'{"a":}', "invalid character '}' looking for beginning of value"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a":1 "b"', "invalid character '\"' after object key:value pair"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b'{"a":1}x', "invalid character 'x' after top-level value"),
        (b"{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
        (b'{"a":"\n"}', "invalid character '\\n' in string literal"),
        (b"\xff", "invalid character '\xff' looking for beginning of value"),
        (b"[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
    ],
)
def test_what_is_no_json_is_said_as_go_says_it(body: bytes, why: str) -> None:
    with pytest.raises(Refusal) as refused:
        patched(ANYTHING, {}, body, MERGE)
    assert (refused.value.code, str(refused.value)) == (400, f"error decoding patch: {why}")


def test_a_json_patch_has_not_more_than_ten_thousand_operations() -> None:
    operation = {"op": "add", "path": "/a", "value": 1}
    assert change(JSON, {}, [operation] * 10_000) == {"a": 1}
    with pytest.raises(Refusal, match="is 10000, got 10001") as refused:
        change(JSON, {}, [operation] * 10_001)
    assert refused.value.code == 413
