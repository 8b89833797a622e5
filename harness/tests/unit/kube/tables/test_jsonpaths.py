"""JSONPaths of printer columns: what they find, and that none of them is an error."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from koproxy_harness.kube.tables.jsonpaths import found

THING = {
    "spec": {
        "list": ["a", "b", "c"],
        "a.b/c": "dotted",
        "items": [{"name": "one", "size": 1}, {"name": "two", "size": 2}, {"name": "odd"}],
    },
    "nothing": None,
}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (".spec.list[0]", ["a"]),
        (".spec.list[-1]", ["c"]),
        (".spec.list[3]", []),
        (".spec.list[-4]", []),
        (".spec.list[1:]", ["b", "c"]),
        (".spec.list[0:3:2]", ["a", "c"]),
        (".spec.list[*]", ["a", "b", "c"]),
        (".spec.items[*].name", ["one", "two", "odd"]),
        (".spec.items[*].size", [1, 2]),
        (r".spec.a\.b/c", ["dotted"]),
        (r".spec['a\.b/c']", ["dotted"]),
        (".spec['a.b/c']", []),
        ("['spec'].list[0]", ["a"]),
        ('.spec.items[?(@.name=="two")].size', [2]),
        (".spec.items[?(@.name=='two')].size", [2]),
        ('.spec.items[?(@.name != "two")].name', ["one", "odd"]),
        (".spec.items[?(@.size>1)].name", ["two"]),
        (".spec.items[?(@.size <= 1)].name", ["one"]),
        (".spec.items[?(@.size)].name", ["one", "two"]),
        (".spec.items[?(@.name>1)].name", []),
        (".nothing", [None]),
        (".nothing.more", []),
        (".spec.list.a", []),
        (".spec[0]", []),
        (".spec.list[]", []),
        (".spec.list[::0]", []),
        ("spec", []),
        (".spec..", []),
    ],
)
def test_what_a_path_finds(path, expected):
    assert found(THING, path) == expected


@given(values, st.text(alphabet="abc.[]*?@()'\\:-01=!<>\" ", max_size=20))
@example([1, 2], "[-]")
@example([1, 2], "[::0]")
@example([1, 2], "[]")
def test_no_path_is_an_error(made, path):
    assert isinstance(found(made, path), list)


@given(st.text(min_size=1), st.text(min_size=1), values)
def test_a_name_is_found_whatever_it_is(one, other, value):
    path = "".join("." + "".join(f"\\{sign}" for sign in name) for name in (one, other))
    assert found({one: {other: value}}, path) == [value]
