"""Server-side apply: what becomes of an object, and of who manages what."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.patches import applied, track
from koproxy_harness.kube.patches.comparing import Differences
from koproxy_harness.kube.patches.fields import Path, read, stated, written
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
STRINGS = Node(type="object", values=Node(type="string"))
META = Node(
    type="object",
    fields={
        "name": Node(type="string"),
        "labels": STRINGS,
        "annotations": STRINGS,
        "managedFields": Node(type="array"),
    },
)
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
).map(
    # Nobody manages a list of which they state no item.
    lambda spec: {key: each for key, each in spec.items() if each or key not in ("set", "map")}
)


def thing(spec: Any) -> dict[str, Any]:
    return {"apiVersion": "x.io/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec}


def there(made: Any) -> frozenset[Path]:
    """Every path of an object, those of what only holds others too."""
    return Differences.between(NODE, {}, made).changed


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
    assert paths <= there(thing(spec))


@given(specs)
def test_applying_the_same_again_changes_nothing(spec: Any) -> None:
    once = apply(None, spec)
    assert once["spec"] == spec
    assert apply(once, spec, now=LATER) == once


def filled(spec: Any) -> Any:
    """A spec without what is empty, which is left of what isn't applied any more."""
    return {key: each for key, each in unordered(spec or {}).items() if each or each == 0}


@given(specs, specs)
def test_what_one_alone_applies_is_all_there_is(first: Any, second: Any) -> None:
    made = apply(apply(None, first), second)
    assert filled(made["spec"]) == filled(second)


@given(specs, specs)
def test_who_forces_has_what_they_apply(first: Any, second: Any) -> None:
    made = apply(apply(None, first, "one"), second, "two", force=True)
    mine = frozenset(path for path in stated(NODE, thing(second)) if path not in _NOT_OWNED)
    assert frozenset(read(managers(made).get("two", {}))) == mine
    # What the first still has is as they had it.
    kept = frozenset(read(managers(made).get("one", {})))
    assert not kept & Differences.between(NODE, thing(first), made).changed


@given(specs, specs)
def test_who_have_nothing_in_common_may_come_in_any_order(first: Any, second: Any) -> None:
    second = {key: each for key, each in second.items() if key not in first}
    orders = [("one", first, "two", second), ("two", second, "one", first)]
    made = [apply(apply(None, spec, name), other, by) for name, spec, by, other in orders]
    assert unordered(made[0]["spec"]) == unordered(made[1]["spec"])
    assert managers(made[0]) == managers(made[1])


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
def test_what_one_gives_up_and_nobody_else_has_is_gone(first: Any, second: Any) -> None:
    together = apply(apply(None, first, "one"), second, "two", force=True)
    left = apply(together, {}, "two")
    kept = frozenset(read(managers(left).get("one", {})))
    holding = {path[:length] for path in kept for length in range(1, len(path) + 1)}
    given_up = frozenset(stated(NODE, thing(second))) - holding - {("f:spec",)} - _NOT_OWNED
    assert not {path for path in given_up if _at(left, path) not in (..., None, [], {})}
    assert kept <= there(left) | {("f:spec",)}


def _at(made: Any, path: Path) -> Any:
    """What is there: of an item of a list only whether it is; ... if nothing is."""
    if path in there(made):
        for part in path:
            if part[0] != "f":
                return part
            made = made[part[2:]]
            if not isinstance(made, dict):
                return path if isinstance(made, list) and made else made
        return made
    return ...


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
        '- .spec.size\n- .spec.map[name="a"].size'
    )


def test_lists_keep_their_order_around_what_is_applied() -> None:
    old = apply(None, {"map": [{"name": name} for name in "abc"]}, "one")
    new = apply(old, {"map": [{"name": name} for name in "xb"]}, "two")
    assert [item["name"] for item in new["spec"]["map"]] == ["a", "x", "b", "c"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "Other"}, "invalid object type: x.io/v1, Kind=Other"),
        ({"apiVersion": "v1"}, "invalid object type: /v1, Kind=Thing"),
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
        NODE, old, {**old, "spec": {"size": 2, "labels": {"a": "x"}}}, "two", LATER, "scale"
    )
    assert managers(new) == {
        "one": {"f:spec": {"f:labels": {"f:a": {}}}},
        "two": {"f:spec": {"f:size": {}}},
    }
    by_name = {each["manager"]: each for each in new["metadata"]["managedFields"]}
    assert (by_name["one"]["time"], by_name["two"]["time"]) == (NOW, LATER)
    assert by_name["two"]["subresource"] == "scale"
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
    forgotten = track(NODE, old, reset, "two", LATER)
    assert "managedFields" not in forgotten["metadata"]
    # Nobody is known from then on.
    changed = {**forgotten, "spec": {"size": 2}}
    assert "managedFields" not in track(NODE, forgotten, changed, "two", LATER)["metadata"]


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


# What a type doesn't allow


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"nope": 1}, ".spec.nope: field not declared in schema"),
        ({"size": "x"}, ".spec.size: expected numeric (int or float), got string"),
        ({"list": [1]}, ".spec.list[0]: expected string, got &value.valueUnstructured{Value:1}"),
        ({"labels": []}, ".spec.labels: expected map, got &{[]}"),
        ({"set": ["a", "a"]}, '.spec.set: duplicate entries for key [="a"]'),
        ({"map": [{"name": "a"}] * 2}, '.spec.map: duplicate entries for key [name="a"]'),
        (
            {"map": ["a"]},
            ".spec.map: element 0: associative list with keys may not have non-map elements",
        ),
    ],
)
def test_what_the_type_does_not_allow_is_refused(spec: Any, why: str) -> None:
    with pytest.raises(Refusal) as refused:
        apply(None, spec)
    called = "failed to create typed patch object (/a; x.io/v1, Kind=Thing): "
    assert (refused.value.code, str(refused.value)) == (500, called + why)


# Rules about managers


def test_the_oldest_of_many_updaters_are_put_together() -> None:
    made = track(NODE, None, thing({"labels": {"k0": "x"}}), "m0", "2026-01-01T00:00:00Z")
    for number in range(1, 12):
        labels = {**made["spec"]["labels"], f"k{number}": "x"}
        time = f"2026-01-01T00:00:{number:02}Z"
        made = track(NODE, made, {**made, "spec": {"labels": labels}}, f"m{number}", time)
    found = managers(made)
    assert len(found) == 10
    assert set(found["ancient-changes"]["f:spec"]["f:labels"]) == {".", "f:k0", "f:k1", "f:k2"}


def test_what_nobody_is_known_to_have_made_was_there_before() -> None:
    old = thing({"size": 1})
    made = apply(old, {"labels": {"a": "x"}})
    assert managers(made)["before-first-apply"] == {"f:spec": {".": {}, "f:size": {}}}
    with pytest.raises(Refusal, match="before-first-apply"):
        apply(old, {"size": 2})


def test_who_applies_is_the_same_in_every_version() -> None:
    made = apply(None, {"size": 1})
    made["metadata"]["managedFields"][0]["apiVersion"] = "x.io/v1beta1"
    made = apply(made, {"size": 2})
    assert [each["apiVersion"] for each in made["metadata"]["managedFields"]] == ["x.io/v1"]


def test_an_update_of_the_status_manages_nothing_else() -> None:
    new = {**thing({"size": 2}), "status": {"ready": True}}
    made = apply(None, {"size": 1})
    made = track(NODE, made, {**made, **new, "metadata": made["metadata"]}, "two", LATER, "status")
    assert managers(made)["two"] == {"f:status": {".": {}, "f:ready": {}}}
