"""That nobody gives more than they have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from koproxy_harness.kube.access.escalation import Escalation
from koproxy_harness.kube.access.rbac import GROUP, Rbac
from koproxy_harness.kube.access.users import User
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.status import Refusal

Make = Callable[..., Any]

JANE = User("jane", ("dev",))
READ = {"apiGroups": [""], "resources": ["pods", "*/log"], "verbs": ["get", "list"]}


def write(store: Make, grants: Any, resource: str, new: Any, user: User = JANE) -> None:
    namespace = "" if resource.startswith("cluster") else "demo"
    info = RequestInfo("create", "", True, GROUP, "v1", namespace, resource)
    Escalation(Rbac(store(*grants))).check(user, info, new)


def role(*rules: Any, **more: Any) -> Any:
    return {"metadata": {"name": "new"}, "rules": list(rules), **more}


def binding(name: str, kind: str = "ClusterRole") -> Any:
    return {"metadata": {"name": "new"}, "roleRef": {"kind": kind, "name": name}}


def test_what_one_has(store: Make, granted: Make) -> None:
    grants = granted("jane", "demo", READ)
    write(
        store, grants, "roles", role({**READ, "verbs": ["get"]}, {**READ, "resourceNames": ["a"]})
    )
    write(store, grants, "roles", role({**READ, "resources": ["jobs/log"]}))
    write(store, grants, "rolebindings", binding("given", "Role"))


def test_more_than_one_has(store: Make, granted: Make) -> None:
    grants = granted("jane", "demo", {**READ, "resourceNames": ["a"]})
    with pytest.raises(Refusal) as refused:
        write(store, grants, "roles", role({**READ, "resources": ["pods"]}))
    assert str(refused.value) == (
        'roles.rbac.authorization.k8s.io "new" is forbidden: user "jane" (groups=["dev"]) is '
        "attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}'
    )
    assert refused.value.details == {"name": "new", "group": GROUP, "kind": "roles"}
    with pytest.raises(Refusal, match="not currently held"):
        write(store, grants, "clusterrolebindings", binding("cluster-admin"))
    with pytest.raises(Refusal, match="not currently held"):  # only in a namespace
        write(store, grants, "clusterroles", role({**READ, "resourceNames": ["a"]}))


def test_leave_to_escalate_and_to_bind(store: Make, granted: Make) -> None:
    rule = {"apiGroups": [GROUP], "resources": ["roles", "clusterroles"]}
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    escalate = granted("jane", "demo", {**rule, "verbs": ["escalate"]})
    bind = granted("jane", "demo", {**rule, "verbs": ["bind"], "resourceNames": ["admin"]})
    write(store, escalate, "roles", role(everything))
    write(store, bind, "rolebindings", binding("admin"))
    for grants, resource, new in (
        (bind, "roles", role(everything)),
        (escalate, "rolebindings", binding("admin")),
        (bind, "rolebindings", binding("edit")),
    ):
        with pytest.raises(Refusal, match="not currently held"):
            write(store, grants, resource, new)
    write(store, (), "roles", role(everything), User("root", ("system:masters",)))


def test_gathering_rules_is_for_administrators(store: Make, granted: Make) -> None:
    gathering = role(aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]})
    with pytest.raises(Refusal, match="must have cluster-admin privileges to use the aggregation"):
        write(store, granted("jane", "", READ), "clusterroles", gathering)
    everything = (
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    )
    write(store, granted("jane", "", *everything), "clusterroles", gathering)


def test_a_role_that_isn_t_there(store: Make, granted: Make) -> None:
    with pytest.raises(Refusal) as refused:
        write(store, granted("jane", "demo", READ), "rolebindings", binding("none"))
    assert refused.value.code == 404
    assert str(refused.value) == 'rolebindings.rbac.authorization.k8s.io "none" not found'
