"""An audit policy says of each request what kube-apiserver makes of it.

Kubernetes' own code judges, without a server around it. What koproxy refuses and that takes is
listed: fields that aren't there or are there twice, and managed fields of objects that koproxy
doesn't keep.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from localcluster.authenticator import Authenticator

from koproxy.audit.policy import STAGES, read_policy
from koproxy.errors import ConfigurationError
from koproxy.kubernetes_request import read_request_info

HEAD = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy"}
DOCUMENTED = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: ["RequestReceived"]
rules:
  - level: RequestResponse
    resources: [{group: "", resources: ["pods"]}]
  - level: Metadata
    resources: [{group: "", resources: ["pods/log", "pods/status"]}]
  - level: None
    resources: [{group: "", resources: ["configmaps"], resourceNames: ["controller-leader"]}]
  - level: None
    users: ["system:kube-proxy"]
    verbs: ["watch"]
    resources: [{group: "", resources: ["endpoints", "services"]}]
  - level: None
    userGroups: ["system:authenticated"]
    nonResourceURLs: ["/api*", "/version"]
  - level: Request
    resources: [{group: "", resources: ["configmaps"]}]
    namespaces: ["kube-system"]
  - level: Metadata
    resources: [{group: "", resources: ["secrets", "configmaps"]}]
  - level: Request
    resources: [{group: ""}, {group: "extensions"}]
  - level: Metadata
    omitStages: ["RequestReceived"]
"""
RULES: list[dict[str, Any]] = [
    {},
    {"users": ["jane"]},
    {"users": [""]},
    {"userGroups": ["dev", "ops"]},
    {"verbs": ["get", "list"]},
    {"verbs": ["post"]},
    {"namespaces": ["demo"]},
    {"namespaces": [""]},
    {"resources": [{"group": ""}]},
    {"resources": [{"group": "*"}]},
    {"resources": [{"group": "apps", "resources": ["*"]}]},
    {"resources": [{"resources": ["pods"]}]},
    {"resources": [{"resources": ["pods/*"]}]},
    {"resources": [{"resources": ["*/log"]}]},
    {"resources": [{"resources": ["pods/log"], "resourceNames": ["web"]}]},
    {"resources": [{"resources": ["pods"], "resourceNames": ["web"]}], "namespaces": ["demo"]},
    {"resources": [{"resourceNames": ["web"]}]},
    {"resources": [{"group": "Apps"}]},
    {"resources": [{"group": "apps/v1"}]},
    {"resources": [{"group": "a..b"}]},
    {"nonResourceURLs": ["/healthz*", "*"]},
    {"nonResourceURLs": ["*"]},
    {"nonResourceURLs": ["/api/*"]},
    {"nonResourceURLs": ["/a*b"]},
    {"nonResourceURLs": ["healthz"]},
    {"nonResourceURLs": ["/**"]},
    {"nonResourceURLs": [""]},
    {"nonResourceURLs": ["/x"], "namespaces": ["demo"]},
    {"nonResourceURLs": ["/x"], "resources": [{"group": ""}]},
    {"omitStages": ["ResponseStarted", "Panic"]},
    {"omitStages": ["Nothing"]},
    {"level": "Nothing"},
    {"level": ""},
    {"level": "None"},
    {"level": "Request"},
    {"level": "RequestResponse", "omitManagedFields": False},
    {"omitManagedFields": True},
]
REQUESTS = [
    ("GET", "/api/v1/namespaces/demo/pods"),
    ("GET", "/api/v1/namespaces/demo/pods/web"),
    ("GET", "/api/v1/namespaces/demo/pods/web/log"),
    ("POST", "/api/v1/namespaces/demo/pods/web/exec"),
    ("GET", "/api/v1/pods?watch=1"),
    ("GET", "/api/v1/nodes/web"),
    ("GET", "/api/v1/namespaces/kube-system/configmaps/controller-leader"),
    ("PUT", "/apis/apps/v1/namespaces/demo/deployments/web/scale"),
    ("DELETE", "/apis/apps/v1/namespaces/demo/deployments"),
    ("GET", "/healthz"),
    ("GET", "/healthz/ping"),
    ("POST", "/api"),
    ("GET", "/api/v1"),
    ("GET", "/version"),
]
PEOPLE = [("jane", ["dev", "system:authenticated"]), ("", []), ("max", ["ops"])]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authenticator]:
    authenticator = Authenticator(Path(tmp_path_factory.mktemp("judge")) / "log")
    yield authenticator
    authenticator.close()


def compare(judge: Authenticator, policy: str, *, refused_here: bool = False) -> None:
    """Both take it and decide alike, or both refuse it."""
    taken = not judge.ask_about("GET", "/", policy=policy).wrong
    try:
        ours = read_policy(policy.encode(), "policy.yaml")
    except ConfigurationError:
        assert refused_here or not taken, policy
        return
    assert taken, policy
    for method, target in REQUESTS:
        info = read_request_info(method.encode(), target.encode())
        for user, groups in PEOPLE:
            said = judge.ask_about(method, target, policy=policy, user=user, groups=groups)
            stages = set(STAGES) - set(said.omitted) if said.level != "None" else set()
            assert ours.stages(user, tuple(groups), info) == stages, (policy, target, user)


def text(*rules: dict[str, Any], **fields: Any) -> str:
    return json.dumps(
        {**HEAD, **fields, "rules": [{"level": "Metadata", **each} for each in rules]}
    )


def test_the_documented_one(judge: Authenticator) -> None:
    compare(judge, DOCUMENTED)


@pytest.mark.parametrize("rule", RULES, ids=json.dumps)
def test_one_rule(judge: Authenticator, rule: dict[str, Any]) -> None:
    compare(judge, text(rule))


@pytest.mark.parametrize(
    "policy",
    [
        *(" ", "a", "[]", "{}", "kind: Policy", json.dumps(HEAD)),
        json.dumps({**HEAD, "rules": []}),
        json.dumps({**HEAD, "rules": None}),
        json.dumps({**HEAD, "rules": [{"level": 1}]}),
        json.dumps({**HEAD, "rules": [None]}),
        json.dumps({**HEAD, "rules": "x"}),
        json.dumps({**HEAD, "kind": "policy", "rules": [{"level": "None"}]}),
        json.dumps({**HEAD, "apiVersion": "audit.k8s.io/v1beta1", "rules": [{"level": "None"}]}),
        json.dumps({**HEAD, "apiVersion": "audit.k8s.io/v1alpha1", "rules": [{"level": "None"}]}),
        text({}, metadata={"name": "x"}),
        text({}, omitStages=["Nothing"]),
        text({}, omitManagedFields=True),
        text({"users": "jane"}),
        text({"users": [1]}),
        text({"resources": [{"resources": "pods"}]}),
        text({}) + "\n---\n" + text({"level": "None"}),
    ],
)
def test_policies_that_are_odd(judge: Authenticator, policy: str) -> None:
    compare(judge, policy)


@pytest.mark.parametrize(
    "policy",
    [
        text({"user": ["jane"]}),
        "rules: [{level: None}]\nrules: [{level: Metadata}]\n"
        + "kind: Policy\napiVersion: audit.k8s.io/v1",
        text({}, stages=["Panic"]),
        text({"level": "Request"}, omitManagedFields=True),
        text({"level": "RequestResponse", "omitManagedFields": True}),
    ],
)
def test_what_koproxy_alone_refuses(judge: Authenticator, policy: str) -> None:
    assert not judge.ask_about("GET", "/", policy=policy).wrong
    with pytest.raises(ConfigurationError):
        read_policy(policy.encode(), "policy.yaml")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rules=st.lists(
        st.lists(st.sampled_from(RULES), min_size=1, max_size=3).map(
            lambda parts: {key: value for part in parts for key, value in part.items()}
        ),
        min_size=1,
        max_size=5,
    ),
    stages=st.lists(st.sampled_from(STAGES), max_size=2),
)
def test_several_rules(
    judge: Authenticator, rules: list[dict[str, Any]], stages: list[str]
) -> None:
    bodies = any(
        rule.get("omitManagedFields") and rule.get("level", "").startswith("Request")
        for rule in rules
    )
    compare(judge, text(*rules, omitStages=stages), refused_here=bodies)
