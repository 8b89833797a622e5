"""Server-side apply: what becomes of an object, and of who manages what."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.patches import applied, track
from koproxy_harness.kube.patches.fields import read, stated, there, written
from koproxy_harness.kube.schema import Node
from koproxy_harness.kube.status import Refusal

KIND = Kind("x.io", "v1", "things", "Thing", False)
ITEM = Node(type="object", fields={"name": Node(type="string"), "size": Node(type="integer")})
SPEC = Node(
    type="object",
    fields={
        "size": Node(type="integer"),
        "whole": Node(type="object", values=Node(), atomic=True),
        "list": Node(type="array", items=Node(type="string")),
        "set": Node(type="array", items=Node(type="string"), list_type="set"),
        "map": Node(type="array", items=ITEM, list_type="map", list_keys=("name",)),
        "labels": Node(type="object", values=Node(type="string")),
    },
)
META = Node(type="object", fields={"labels": Node(type="object", values=Node(type="string"))})
NODE = Node(type="object", fields={"metadata": META, "spec": SPEC})
NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"

specs = st.fixed_dictionaries(
    {},
    optional={
        "size": st.integers(0, 2),
        "whole": st.dictionaries(st.sampled_from("xy"), st.integers(0, 2), max_size=2),
        "list": st.lists(st.sampled_from("ab"), max_size=2),
        "set": st.lists(st.sampled_from("abc"), max_size=3, unique=True),
        "map": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from("abc")}, optional={"size": st.integers(0, 2)}
            ),
            max_size=3,
            unique_by=lambda item: item["name"],
        ),
        "labels": st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"), max_size=3),
    },
)


def thing(spec: Any) -> dict[str, Any]:
    return {"apiVersion": "x.io/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec}


def apply(old: Any, spec: Any, manager: str = "me", force: bool = False, now: str = NOW) -> Any:
    body = json.dumps(thing(spec)).encode()
    return applied(NODE, KIND, old, body, manager, force, now)


def managers(made: Any) -> dict[str, Any]:
    return {each["manager"]: each["fieldsV1"] for each in made["metadata"]["managedFields"]}


def unordered(spec: Any) -> Any:
    """A spec, but for the order of lists that have none."""
    return {
        **spec,
        **({"set": sorted(spec["set"])} if "set" in spec else {}),
        **({"map": sorted(spec["map"], key=lambda item: item["name"])} if "map" in spec else {}),
    }


@given(specs)
def test_paths_are_written_and_read(spec: Any) -> None:
    paths = frozenset(stated(NODE, thing(spec)))
    assert frozenset(read(written(paths))) == paths
    assert paths <= {path for path, _ in there(NODE, thing(spec))}


@given(specs)
def test_applying_the_same_again_changes_nothing(spec: Any) -> None:
    once = apply(None, spec)
    assert once["spec"] == spec
    assert apply(once, spec, now=LATER) == once


@given(specs, specs)
def test_what_one_alone_applies_is_all_there_is(first: Any, second: Any) -> None:
    made = apply(apply(None, first), second)
    assert unordered(made["spec"]) == unordered(second)


@given(specs, specs)
def test_who_is_forced_out_has_nothing_left_where_they_differed(first: Any, second: Any) -> None:
    made = apply(apply(None, first, "one"), second, "two", force=True)
    assert frozenset(read(managers(made)["two"])) == frozenset(
        path for path in stated(NODE, thing(second)) if path not in _NOT_OWNED
    )
    for manager, fields in managers(made).items():
        own = dict(there(NODE, thing(first if manager == "one" else second)))
        found = dict(there(NODE, made))
        for path in read(fields):
            # Who states that something is empty doesn't say that it has to stay so.
            assert own[path] in ({}, []) or found[path] == own[path]


@given(specs, specs)
def test_a_conflict_is_what_force_would_take(first: Any, second: Any) -> None:
    old = apply(None, first, "one")
    taken = set(read(managers(old).get("one", {}))) - set(
        read(managers(apply(old, second, "two", force=True)).get("one", {}))
    )
    if not taken:
        apply(old, second, "two")
        return
    with pytest.raises(Refusal) as refused:
        apply(old, second, "two")
    assert (refused.value.code, refused.value.reason) == (409, "Conflict")
    assert len(refused.value.details["causes"]) == len(taken)


_NOT_OWNED = {("f:apiVersion",), ("f:kind",), ("f:metadata",), ("f:metadata", "f:name")}


@given(specs, specs)
def test_what_one_gives_up_stays_if_the_other_has_it(first: Any, second: Any) -> None:
    together = apply(apply(None, first, "one"), second, "two", force=True)
    left = apply(together, {}, "two")
    # "one" has what it did not lose; nothing else is there but what holds that.
    own = managers(left).get("one", {})
    paths = set(read(own))
    holding = {path[:length] for path in paths for length in range(1, len(path) + 1)}
    left_there = {path for path, _ in there(NODE, left) if path[0] == "f:spec"}
    assert left_there <= holding | {("f:spec",)}


def test_the_fields_are_shown_as_kubernetes_does() -> None:
    made = apply(None, {"map": [{"name": "a", "size": 1}], "set": ["x"], "whole": {"x": 1}})
    assert managers(made) == {
        "me": {
            "f:spec": {
                "f:map": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:size": {}}},
                "f:set": {'v:"x"': {}},
                "f:whole": {},
            }
        }
    }


def test_a_conflict_says_with_whom_and_about_what() -> None:
    old = apply(None, {"size": 1, "map": [{"name": "a", "size": 1}]}, "one")
    with pytest.raises(Refusal) as one:
        apply(old, {"size": 2}, "two")
    assert str(one.value) == 'Apply failed with 1 conflict: conflict with "one": .spec.size'
    assert one.value.details["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "one"',
            "field": ".spec.size",
        }
    ]
    with pytest.raises(Refusal) as both:
        apply(old, {"size": 2, "map": [{"name": "a", "size": 2}]}, "two")
    assert str(both.value) == (
        'Apply failed with 2 conflicts: conflicts with "one":\n'
        '- .spec.map[name="a"].size\n- .spec.size'
    )


def test_lists_keep_their_order_around_what_is_applied() -> None:
    old = apply(None, {"map": [{"name": name} for name in "abc"]}, "one")
    new = apply(old, {"map": [{"name": name} for name in "xb"]}, "two")
    assert [item["name"] for item in new["spec"]["map"]] == ["a", "x", "b", "c"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "Other"}, "the kind of what is applied"),
        ({"apiVersion": "v1"}, "the apiVersion of what is applied"),
        ({"metadata": {"name": "a", "managedFields": [{}]}}, "managedFields must be nil"),
    ],
)
def test_what_can_not_be_applied_is_refused(change: dict[str, Any], why: str) -> None:
    body = json.dumps({**thing({}), **change}).encode()
    with pytest.raises(Refusal, match=why) as refused:
        applied(NODE, KIND, None, body, "me", False, NOW)
    assert refused.value.code == 400


# Other changes


def test_an_update_takes_over_what_it_changes() -> None:
    old = apply(None, {"size": 1, "labels": {"a": "x", "b": "x"}}, "one")
    new = track(
        NODE, old, {**old, "spec": {"size": 2, "labels": {"a": "x"}}}, "two", LATER, "status"
    )
    assert managers(new) == {
        "one": {"f:spec": {"f:labels": {"f:a": {}}}},
        "two": {"f:spec": {"f:size": {}}},
    }
    by_name = {each["manager"]: each for each in new["metadata"]["managedFields"]}
    assert (by_name["one"]["time"], by_name["two"]["time"]) == (NOW, LATER)
    assert by_name["two"]["subresource"] == "status"
    assert by_name["two"]["operation"] == "Update"


def test_an_update_that_changes_nothing_leaves_everything() -> None:
    old = apply(None, {"size": 1}, "one")
    assert track(NODE, old, old, "two", LATER) == old


def test_a_conflict_with_an_update_says_so() -> None:
    old = track(NODE, None, thing({"size": 1}), "one", NOW)
    with pytest.raises(Refusal, match=r'conflict with "one" using x.io/v1: \.spec\.size'):
        apply(old, {"size": 2}, "two")


def test_managers_are_forgotten_at_wish() -> None:
    old = apply(None, {"size": 1}, "one")
    reset = {**old, "metadata": {**old["metadata"], "managedFields": [{}]}}
    assert "managedFields" not in track(NODE, old, reset, "two", LATER)["metadata"]


def test_kubectl_has_no_conflict_with_what_it_applied_before() -> None:
    annotation = "kubectl.kubernetes.io/last-applied-configuration"
    before = thing({"size": 1})
    before["metadata"] |= {"annotations": {annotation: json.dumps(thing({"size": 1}))}}
    old = track(NODE, None, before, "kubectl-client-side-apply", NOW)
    new = apply(old, {"size": 2}, "kubectl")
    assert new["spec"] == {"size": 2}
    said = new["metadata"]["annotations"][annotation]
    assert json.loads(said) == thing({"size": 2})
    with pytest.raises(Refusal, match="conflict"):
        apply(old, {"size": 2}, "somebody-else")
