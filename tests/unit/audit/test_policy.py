"""An audit policy, and what it refuses; the end-to-end tests hold it against Kubernetes'."""

import pytest

from koproxy.audit.policy import STAGES, read_policy
from koproxy.errors import ConfigurationError
from koproxy.kubernetes_request import read_request_info

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"


def test_the_first_rule_that_matches_decides() -> None:
    policy = read_policy(
        f"""{HEAD}
omitStages: [Panic]
rules:
- {{level: None, users: [jane], verbs: [get]}}
- level: Metadata
  resources: [{{group: "", resources: [pods/log]}}]
  omitStages: [ResponseStarted]
- {{level: Request, nonResourceURLs: ["/heal*"]}}
""".encode(),
        "policy.yaml",
    )
    pods = "/api/v1/namespaces/demo/pods"
    rest = set(STAGES) - {"Panic"}
    for user, target, stages in (
        ("jane", f"{pods}/web/log", set()),
        ("max", f"{pods}/web/log", rest - {"ResponseStarted"}),
        ("max", f"{pods}/web", set()),
        ("max", "/healthz", rest),
        ("max", "/version", set()),
    ):
        info = read_request_info(b"GET", target.encode())
        assert policy.stages(user, ("dev",), info) == stages, target
    assert policy.wants_bodies


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("", ["rules", "says nothing"]),
        ("rules: []", ["rules", "says nothing"]),
        ("rules: [{}]", ["line 3", "rules[0].level"]),
        ("rules:\n- level: All", ["line 4", "rules[0].level", "None, Metadata"]),
        ("rules:\n- level: None\n  user: [jane]", ["line 5", "user"]),
        ("rules:\n- level: None\n  omitStages: [End]", ["line 5", "omitStages[0]", "Panic"]),
        ("omitStages: [End]\nrules: [{level: None}]", ["line 3", "omitStages[0]"]),
        ("rules:\n- level: None\n  nonResourceURLs: [x]", ["line 5", "nonResourceURLs[0]", "'/'"]),
        ("rules:\n- level: None\n  nonResourceURLs: [/a*b]", ["line 5", "last character"]),
        (
            "rules:\n- {level: None, nonResourceURLs: [/a], namespaces: [b]}",
            ["nonResourceURLs", "either"],
        ),
        (
            "rules:\n- level: None\n  resources: [{group: apps/v1}]",
            ["line 5", "resources[0].group", "without a version"],
        ),
        (
            "rules:\n- level: None\n  resources: [{resourceNames: [x]}]",
            ["line 5", "resourceNames", "resources"],
        ),
        (
            "rules:\n- level: Request\n  omitManagedFields: true",
            ["line 5", "omitManagedFields", "Metadata"],
        ),
        ("omitManagedFields: true\nrules:\n- level: RequestResponse", ["rules[0]", "keeps none"]),
    ],
)
def test_what_is_wrong_is_said(rest: str, words: list[str]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_policy(f"{HEAD}{rest}\n".encode(), "policy.yaml")
    for word in ["--audit-policy-file policy.yaml", *words]:
        assert word in str(refused.value)


def test_managed_fields_may_be_left_in() -> None:
    rules = "rules: [{level: Request, omitManagedFields: false}, {level: Metadata}]"
    policy = read_policy(f"{HEAD}omitManagedFields: true\n{rules}\n".encode(), "policy.yaml")
    assert len(policy.rules) == 2
