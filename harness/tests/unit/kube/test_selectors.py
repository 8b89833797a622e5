"""Selectors: what they choose, and that whatever can't be read is refused with 400."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube.kinds import Kind
from koproxy_harness.kube.selectors import selection
from koproxy_harness.kube.status import Refusal

PODS = Kind("", "v1", "pods", "Pod", True)
NODES = Kind("", "v1", "nodes", "Node", False)
MAPS = Kind("", "v1", "configmaps", "ConfigMap", True)

keys = st.sampled_from(["a", "b", "x.io/a", "in"])
values = st.sampled_from(["", "1", "12", "x", "1_0"])
labels = st.dictionaries(keys, values)


def chosen(made: dict[str, Any], kind: Kind = PODS, **query: str) -> bool:
    return selection(kind, query).matches({"metadata": {}, **made})


def labelled(labels: dict[str, str], selector: str) -> bool:
    return chosen({"metadata": {"labels": labels}}, labelSelector=selector)


@given(labels, keys, values)
def test_each_operator(labels: dict[str, str], key: str, value: str) -> None:
    assert labelled(labels, key) is (key in labels)
    assert labelled(labels, f"!{key}") is (key not in labels)
    assert labelled(labels, f"{key}={value}") is (labels.get(key) == value)
    assert labelled(labels, f" {key} == {value} ") is (labels.get(key) == value)
    assert labelled(labels, f"{key}!={value}") is (labels.get(key) != value)
    assert labelled(labels, f"{key} in (x,{value})") is (labels.get(key) in ("x", value))
    assert labelled(labels, f"{key} notin ( {value} ,x)") is (labels.get(key) not in ("x", value))
    assert labelled(labels, f"{key}>5") is (labels.get(key) == "12")
    assert labelled(labels, f"{key}<5") is (labels.get(key) == "1")


@given(labels, st.lists(st.tuples(keys, values), min_size=1, max_size=3))
def test_all_requirements_have_to_hold(
    labels: dict[str, str], wanted: list[tuple[str, str]]
) -> None:
    selector = ",".join(f"{key}={value}" for key, value in wanted)
    assert labelled(labels, selector) is all(labels.get(key) == each for key, each in wanted)


@given(st.text("a/!=<>(),.- \t\0\\é" + "in", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    for query in ({"labelSelector": text}, {"fieldSelector": text}):
        with suppress(Refusal):  # and nothing else
            selection(PODS, query).matches({"metadata": {"labels": {"a": "b"}}})


@pytest.mark.parametrize(
    ("selector", "why"),
    [
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("(a)", "found '(', expected: !, identifier, or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        (
            "a in (",
            "unable to parse requirement: found '', expected: ',', ')' or identifier",
        ),
        (
            "a<x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' "
            "operators, the value must be an integer",
        ),
        (
            "/a",
            'unable to parse requirement: <nil>: Invalid value: "/a": prefix part must be '
            "non-empty",
        ),
        (
            f"a={'b' * 64}",
            f'unable to parse requirement: values[0][a]: Invalid value: "{"b" * 64}": must be no '
            "more than 63 bytes",
        ),
    ],
)
def test_what_is_wrong_with_a_label_selector(selector: str, why: str) -> None:
    with pytest.raises(Refusal) as refused:
        selection(MAPS, {"labelSelector": selector})
    assert (refused.value.code, str(refused.value)) == (400, why)


@given(st.text(min_size=1))
def test_a_field_has_any_escaped_value(value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
    made = {"metadata": {"name": value}, "status": {"phase": "Running"}}
    both = f"metadata.name={escaped},status.phase==Running"
    assert chosen(made, fieldSelector=both)
    assert not chosen(made, fieldSelector=f"metadata.name!={escaped}")
    assert not chosen(made, fieldSelector=both + ",metadata.namespace=x")


def test_what_a_field_is_taken_for_when_it_is_not_there() -> None:
    assert chosen({}, NODES, fieldSelector="spec.unschedulable=false")
    assert not chosen(
        {"spec": {"unschedulable": True}}, NODES, fieldSelector="spec.unschedulable!=true"
    )


@pytest.mark.parametrize(
    ("kind", "selector", "why"),
    [
        (PODS, "spec.colour=red", "field label not supported: spec.colour"),
        (NODES, "metadata.namespace=x", "field label not supported: metadata.namespace"),
        (
            MAPS,
            "data=1",
            '"data" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        (
            MAPS,
            "metadata.name",
            "invalid selector: 'metadata.name'; can't understand 'metadata.name'",
        ),
        (MAPS, "metadata.name=a=b", "invalid field selector: unescaped character in value: 61"),
        (MAPS, "metadata.name=a\\x", "invalid field selector: invalid escape sequence: \\x"),
        (MAPS, "metadata.name=a\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_what_is_wrong_with_a_field_selector(kind: Kind, selector: str, why: str) -> None:
    with pytest.raises(Refusal) as refused:
        selection(kind, {"fieldSelector": selector})
    assert (refused.value.code, str(refused.value)) == (400, why)
