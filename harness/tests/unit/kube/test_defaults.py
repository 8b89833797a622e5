"""What is filled in where an object of a built-in kind says nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube.defaults import complete
from koproxy_harness.kube.kinds import Kinds
from koproxy_harness.kube.schema import Schemas, builtin
from koproxy_harness.kube.schema.checking import checked

KINDS, SCHEMAS = Kinds(builtin.kinds()), Schemas()
TEMPLATE = {"spec": {"containers": [{"name": "c", "image": "i"}]}}
SOME = [
    ("", "v1", "pods", TEMPLATE),
    ("apps", "v1", "deployments", {"spec": {"template": TEMPLATE}}),
    ("apps", "v1", "statefulsets", {"spec": {"template": TEMPLATE, "volumeClaimTemplates": [{}]}}),
    ("apps", "v1", "daemonsets", {"spec": {"template": TEMPLATE}}),
    ("batch", "v1", "jobs", {"spec": {"template": TEMPLATE}}),
    ("", "v1", "services", {"spec": {"ports": [{"port": 80}]}}),
    ("", "v1", "secrets", {"stringData": {"a": "b"}}),
    ("", "v1", "limitranges", {"spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}}),
    ("autoscaling", "v2", "horizontalpodautoscalers", {"spec": {"maxReplicas": 3}}),
]


def completed(group: str, version: str, plural: str, given: Any) -> dict[str, Any]:
    kind = KINDS.find(group, version, plural)
    assert kind is not None
    return complete(SCHEMAS.of(kind), {"metadata": {"name": "a"}, **given})


@pytest.mark.parametrize(("group", "version", "plural", "made"), SOME)
def test_what_is_complete_stays_as_it_is_and_is_of_its_type(
    group: str, version: str, plural: str, made: Any
) -> None:
    once = completed(group, version, plural, made)
    assert completed(group, version, plural, once) == once
    kind = KINDS.find(group, version, plural)
    assert kind is not None
    assert checked(SCHEMAS.of(kind), once) == (once, [])


@given(st.sampled_from(["Always", "Never", "OnFailure"]), st.integers(0, 99), st.booleans())
def test_what_is_said_stays(policy: str, seconds: int, links: bool) -> None:
    said = {
        "restartPolicy": policy,
        "terminationGracePeriodSeconds": seconds,
        "enableServiceLinks": links,
    }
    spec = completed("", "v1", "pods", {"spec": {**TEMPLATE["spec"], **said}})["spec"]
    assert {name: spec[name] for name in said} == said
    assert spec["dnsPolicy"] == "ClusterFirst"


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        *(
            ("i", "Always"),
            ("i:latest", "Always"),
            ("r:5000/i", "Always"),
            ("r:5000/i:1", "IfNotPresent"),
        ),
        *(("i:1", "IfNotPresent"), ("i@sha256:ab", "IfNotPresent")),
    ],
)
def test_an_image_without_a_fixed_version_is_always_pulled(image: str, policy: str) -> None:
    containers = [{"name": "c", "image": image}]
    spec = completed("", "v1", "pods", {"spec": {"containers": containers}})["spec"]
    assert spec["containers"][0]["imagePullPolicy"] == policy


def test_what_is_given_is_not_changed() -> None:
    given = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}}
    made = completed("apps", "v1", "deployments", given)
    assert given == {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}}
    made["spec"]["strategy"]["type"] = "Recreate"
    again = completed("apps", "v1", "deployments", given)
    assert again["spec"]["strategy"]["type"] == "RollingUpdate"
