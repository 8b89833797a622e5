"""What roles and bindings allow."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube.access.aggregation import rules_of
from koproxy_harness.kube.access.bootstrap import BOOTSTRAP
from koproxy_harness.kube.access.coverage import uncovered
from koproxy_harness.kube.access.forbidden import forbidden
from koproxy_harness.kube.access.rbac import Rbac
from koproxy_harness.kube.access.rules import allows
from koproxy_harness.kube.access.users import User
from koproxy_harness.kube.request_info import RequestInfo

Make = Callable[..., Any]

JANE = User("jane")


def some(*values: str, least: int = 0) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), unique=True, min_size=least, max_size=3)


RULES = st.one_of(
    st.fixed_dictionaries(
        {
            "verbs": some("get", "list", "create", "*"),
            "apiGroups": some("", "apps", "*"),
            "resources": some("pods", "pods/log", "*/log", "*", "configmaps"),
        },
        optional={"resourceNames": some("a", "b")},
    ),
    st.fixed_dictionaries(
        {"verbs": some("get", "*"), "nonResourceURLs": some("/a", "/a/*", "/b*", "*")}
    ),
)
REQUESTS = st.one_of(
    st.builds(
        RequestInfo,
        verb=st.sampled_from(("get", "list", "create")),
        path=st.just(""),
        is_resource=st.just(True),
        group=st.sampled_from(("", "apps")),
        namespace=st.sampled_from(("", "demo", "other")),
        resource=st.sampled_from(("pods", "configmaps")),
        subresource=st.sampled_from(("", "log")),
        name=st.sampled_from(("", "a", "b")),
    ),
    st.builds(RequestInfo, st.just("get"), st.sampled_from(("/a", "/a/b", "/b", "/c"))),
)
RULE_LISTS = st.lists(RULES, max_size=4)


def may(make: Make, granted: Make, rules: list[Any], info: RequestInfo, namespace: str) -> bool:
    rbac = Rbac(make(*granted("jane", namespace, *rules)))
    return bool(rbac.allowed(JANE, info).allowed)


@given(rules=RULE_LISTS, more=RULE_LISTS, info=REQUESTS, namespace=st.sampled_from(("", "demo")))
def test_more_rules_never_allow_less(
    store: Make, granted: Make, rules: Any, more: Any, info: Any, namespace: str
) -> None:
    if may(store, granted, rules, info, namespace):
        assert may(store, granted, [*rules, *more], info, namespace)


@given(rules=RULE_LISTS, info=REQUESTS)
def test_a_role_of_the_cluster_is_one_in_every_namespace(
    store: Make, granted: Make, rules: Any, info: Any
) -> None:
    everywhere = may(store, granted, rules, info, "")
    inside = may(store, granted, rules, info, "demo")
    assert everywhere == inside if info.namespace == "demo" else not inside


@given(rules=RULE_LISTS, info=REQUESTS)
def test_what_no_rule_names_is_refused(store: Make, granted: Make, rules: Any, info: Any) -> None:
    expected = any(allows(rule, info) for rule in rules)
    assert may(store, granted, rules, info, "") == expected


@given(rules=st.lists(RULES, max_size=3), info=REQUESTS)
def test_order_means_nothing(store: Make, granted: Make, rules: Any, info: Any) -> None:
    roles = [
        item
        for number, rule in enumerate(rules)
        for item in granted("jane", "", rule, name=f"role-{number}")
    ]
    decisions = {Rbac(store(*each)).allowed(JANE, info) for each in permutations(roles[:4])}
    assert len(decisions) == 1


@given(info=REQUESTS)
def test_masters_may_do_all(store: Make, info: Any) -> None:
    rbac = Rbac(store())
    rbac._store.items.clear()  # type: ignore[attr-defined]
    assert rbac.allowed(User("root", ("system:masters",)), info).allowed
    assert not rbac.allowed(User("root"), info).allowed


@given(owned=RULE_LISTS, rules=RULE_LISTS, info=REQUESTS)
def test_what_is_covered_allows_nothing_more(owned: Any, rules: Any, info: Any) -> None:
    if not uncovered(owned, rules) and any(allows(rule, info) for rule in rules):
        assert any(allows(rule, info) for rule in owned)


@given(rules=RULE_LISTS)
def test_rules_cover_themselves_and_the_administrator_s_cover_all(rules: Any) -> None:
    assert not uncovered(rules, rules)
    assert not uncovered(role("cluster-admin")["rules"], rules)


@pytest.mark.parametrize(
    ("resources", "asked", "allowed"),
    [
        ("pods", "pods", True),
        ("pods", "pods/log", False),
        ("pods/log", "pods", False),
        ("pods/*", "pods/log", False),  # no wildcard in RBAC, whatever it looks like
        ("*/log", "pods/log", True),
        ("*/log", "pods", False),
        ("*/log", "pods/logs", False),
        ("*", "pods/log", True),
    ],
)
def test_which_resources_a_rule_means(resources: str, asked: str, allowed: bool) -> None:
    rule = {"apiGroups": [""], "resources": [resources], "verbs": ["get"]}
    resource, _, subresource = asked.partition("/")
    info = RequestInfo("get", "", True, "", "v1", "", resource, subresource)
    assert allows(rule, info) == allowed


@pytest.mark.parametrize(
    ("url", "path", "allowed"),
    [
        ("/a", "/a", True),
        ("/a", "/a/b", False),
        ("/a/*", "/a/b/c", True),
        ("/a/*", "/a", False),
        ("/a*", "/ab", True),
        ("*", "/", True),
        ("/*/b", "/a/b", False),
    ],
)
def test_which_paths_a_rule_means(url: str, path: str, allowed: bool) -> None:
    rule = {"nonResourceURLs": [url], "verbs": ["get"]}
    assert allows(rule, RequestInfo("get", path)) == allowed
    assert not allows(rule, RequestInfo("post", path))
    assert not allows(rule, RequestInfo("get", path, True))


def test_a_binding_without_its_role_is_told(store: Make, granted: Make) -> None:
    binding = granted("jane", "demo")[1]
    decision = Rbac(store(binding)).allowed(JANE, RequestInfo("get", "", True, namespace="demo"))
    assert decision.reason == 'RBAC: role.rbac.authorization.k8s.io "given" not found'


@pytest.mark.parametrize(
    ("info", "message", "details"),
    [
        (
            RequestInfo("list", "", True, "", "v1", "demo", "pods"),
            'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the '
            'namespace "demo"',
            {"kind": "pods"},
        ),
        (
            RequestInfo("update", "", True, "apps", "v1", "", "deployments", "scale", "<a>"),
            'deployments.apps "<a>" is forbidden: User "jane" cannot update resource '
            '"deployments/scale" in API group "apps" at the cluster scope',
            {"name": "<a>", "group": "apps", "kind": "deployments"},
        ),
        (
            RequestInfo("get", "/a<b>&"),
            'forbidden: User "jane" cannot get path "/a&lt;b&gt;&amp;"',
            {},
        ),
    ],
)
def test_the_words_of_a_refusal(info: RequestInfo, message: str, details: Any) -> None:
    refusal = forbidden(JANE, info)
    assert (str(refusal), refusal.details, refusal.code) == (message, details, 403)


def role(name: str) -> Any:
    return next(
        item
        for item in BOOTSTRAP
        if (item["kind"], item["metadata"]["name"]) == ("ClusterRole", name)
    )


def test_roles_are_gathered_as_they_are_asked_for(store: Make) -> None:
    reference = {"kind": "ClusterRole", "name": "admin"}
    new = {
        "kind": "ClusterRole",
        "metadata": {
            "name": "new",
            "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"},
        },
        "rules": [{"apiGroups": ["example.org"], "resources": ["things"], "verbs": ["get"]}],
    }
    objects = store()
    before = Rbac(objects).role(reference, "")
    objects.items.append(new)
    after = Rbac(objects).role(reference, "")
    assert before is not None
    assert after is not None
    assert before == role("admin")["rules"]
    assert new["rules"][0] in after  # by way of edit and view
    assert new["rules"][0] not in before
    assert [rule for rule in after if rule not in before] == new["rules"]


def test_roles_that_gather_each_other_come_to_an_end() -> None:
    def circular(name: str) -> Any:
        selector = {"matchExpressions": [{"key": "in", "operator": "In", "values": ["circle"]}]}
        return {
            "metadata": {"name": name, "labels": {"in": "circle"}},
            "aggregationRule": {"clusterRoleSelectors": [selector]},
        }

    rule = {"verbs": ["get"], "nonResourceURLs": ["/"]}
    plain = {"metadata": {"name": "plain", "labels": {"in": "circle"}}, "rules": [rule]}
    roles = [circular("one"), circular("two"), plain]
    assert rules_of(roles[0], roles) == rules_of(roles[1], roles) == [rule]


@pytest.mark.parametrize(
    ("name", "verb", "resource", "allowed"),
    [
        ("view", "list", "pods", True),
        ("view", "list", "secrets", False),
        ("edit", "delete", "pods", True),
        ("edit", "create", "roles", False),
        ("admin", "list", "pods", True),
        ("admin", "delete", "resourcequotas", False),
    ],
)
def test_what_the_roles_of_every_cluster_allow(
    name: str, verb: str, resource: str, allowed: bool
) -> None:
    info = RequestInfo(verb, "", True, "", "v1", "demo", resource)
    assert any(allows(rule, info) for rule in role(name)["rules"]) == allowed


def test_a_service_account_without_a_namespace_in_a_binding_of_the_cluster(
    store: Make, granted: Make
) -> None:
    given = granted("", "", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})
    given[1]["subjects"] = [{"kind": "ServiceAccount", "name": "bot"}]
    info = RequestInfo("get", "", True, "", "v1", "demo", "pods")
    for namespace in ("", "demo", "shop"):
        user = User(f"system:serviceaccount:{namespace}:bot")
        assert not Rbac(store(*given)).allowed(user, info).allowed


def test_a_service_account_of_the_binding_s_namespace(store: Make, granted: Make) -> None:
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    given = granted("", "demo", rule)
    given[1]["subjects"] = [{"kind": "ServiceAccount", "name": "bot"}]
    rbac = Rbac(store(*given))
    info = RequestInfo("get", "", True, "", "v1", "demo", "pods")
    assert rbac.allowed(User("system:serviceaccount:demo:bot"), info).allowed
    assert not rbac.allowed(User("system:serviceaccount:other:bot"), info).allowed
    given[1]["subjects"][0]["namespace"] = "other"
    assert rbac.allowed(User("system:serviceaccount:other:bot"), info).allowed
