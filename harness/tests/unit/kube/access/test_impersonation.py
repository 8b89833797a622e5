"""Whom a request acts as, and who may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube.access.extra_keys import wrong_with
from koproxy_harness.kube.access.impersonation import Impersonation
from koproxy_harness.kube.access.rbac import Rbac
from koproxy_harness.kube.access.users import User
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.status import Refusal

Make = Callable[..., Any]

ROOT = User("root", ("system:masters",))
KATE = User("kate")
PODS = RequestInfo("list", "", True, "", "v1", "demo", "pods")


@dataclass(frozen=True)
class Fields:
    """Stands for a request."""

    headers: tuple[tuple[str, str], ...]


def acting(store: Make, by: User, *fields: tuple[str, str], grants: Any = ()) -> User:
    names = tuple((f"Impersonate-{name}", value) for name, value in fields)
    return Impersonation(Rbac(store(*grants)).allowed).acting(by, Fields(names), PODS)


@pytest.mark.parametrize(
    ("fields", "groups"),
    [
        ([("User", "jane")], ["system:authenticated"]),
        ([("User", "jane"), ("Group", "b"), ("Group", "a")], ["b", "a", "system:authenticated"]),
        ([("User", "jane"), ("Group", "system:authenticated")], ["system:authenticated"]),
        ([("User", "jane"), ("Group", "system:unauthenticated")], ["system:unauthenticated"]),
        ([("User", "system:anonymous")], ["system:unauthenticated"]),
        (
            [("User", "system:serviceaccount:demo:bot")],
            ["system:serviceaccounts", "system:serviceaccounts:demo", "system:authenticated"],
        ),
        (
            [("User", "system:serviceaccount:demo:bot"), ("Group", "a")],
            ["a", "system:authenticated"],
        ),
        ([("User", "system:serviceaccount:De/mo:bot")], ["system:authenticated"]),
        ([("User", "system:node:n1")], ["system:nodes", "system:authenticated"]),
        ([("User", "system:node:n1"), ("Uid", "7")], ["system:authenticated"]),
    ],
)
def test_the_groups_of_whom_one_acts_as(store: Make, fields: Any, groups: list[str]) -> None:
    assert list(acting(store, ROOT, *fields).groups) == groups


def test_all_that_can_be_asked_for(store: Make) -> None:
    user = acting(
        store,
        ROOT,
        ("User", "Zo\u00c3\u00ab"),  # UTF-8, as it comes in a field
        ("Uid", "7"),
        ("extra-Example.org%2fScopes", "b"),
        ("Extra-example.org%2Fscopes", "a"),
        ("Extra-bad%zz%2f", ""),
    )
    assert user.username == "Zo\u00eb"
    assert user.uid == "7"
    assert user.extra == (("bad%zz%2f", ("",)), ("example.org/scopes", ("b", "a")))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([("Group", "a")], 'UID:"", Groups:[]string{"a"}, Extra:map[string][]string(nil)}'),
        ([("Uid", "7"), ("User", "")], 'UID:"7", Groups:[]string(nil), Extra:map'),
        ([("Extra-a", "1")], 'Extra:map[string][]string{"a":[]string{"1"}}}'),
    ],
)
def test_nobody_to_act_as(store: Make, fields: Any, said: str) -> None:
    with pytest.raises(Refusal) as refused:
        acting(store, ROOT, *fields)
    assert refused.value.code == 400
    assert said in str(refused.value)


def constrained(granted: Make, **more: Any) -> Any:
    verbs = ["impersonate:user-info", "impersonate-on:user-info:list"]
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": verbs, **more}
    return granted("kate", "", rule)


def test_what_constrained_leave_never_covers(store: Make, granted: Make) -> None:
    grants = constrained(granted)
    jane = ("User", "jane")
    assert acting(store, KATE, jane, ("Group", "dev"), grants=grants).username == "jane"
    for field, why in (
        (("Group", "system:masters"), "impersonating the system:masters group is not allowed"),
        (("Group", ""), "impersonating the empty string group is not allowed"),
        (("Extra-team", "a"), "must be a domain-prefixed path"),
        (("Extra-example.org%2fteam", ""), "impersonating the empty string value in extra"),
    ):
        with pytest.raises(Refusal, match=why):
            acting(store, KATE, jane, field, grants=grants)
    for name in ("system:node:n1", "system:serviceaccount:demo:bot"):
        with pytest.raises(Refusal, match="cannot impersonate-on:"):
            acting(store, KATE, ("User", name), grants=grants)


def test_leave_for_all_groups_is_enough_for_many(store: Make, granted: Make) -> None:
    grants = constrained(granted, resourceNames=["jane", "*", ""])
    groups = [("Group", name) for name in "abcd"]
    assert len(acting(store, KATE, ("User", "jane"), *groups, grants=grants).groups) == 5
    with pytest.raises(Refusal, match=r'groups\.authentication\.k8s\.io "a" is forbidden'):
        acting(store, KATE, ("User", "jane"), *groups[:3], grants=grants)


def test_a_node_that_one_s_own_pod_is_on(store: Make, granted: Make) -> None:
    verbs = ["impersonate:associated-node", "impersonate-on:associated-node:list"]
    name = "system:serviceaccount:demo:bot"
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": verbs}
    grants = granted(name, "", rule)
    key = "authentication.kubernetes.io/node-name"
    bot = User(name, extra=((key, ("n1",)),))
    assert acting(store, bot, ("User", "system:node:n1"), grants=grants).groups == (
        "system:nodes",
        "system:authenticated",
    )
    with pytest.raises(Refusal):
        acting(store, bot, ("User", "system:node:n2"), grants=grants)


NAMES = st.sampled_from(("jane", "system:node:n1", "system:serviceaccount:demo:bot"))


@given(name=NAMES, groups=st.lists(st.sampled_from(("a", "system:masters")), max_size=5))
def test_who_has_no_leave_acts_as_nobody(store: Make, name: str, groups: list[str]) -> None:
    fields = [("User", name), *(("Group", group) for group in groups)]
    with pytest.raises(Refusal) as refused:
        acting(store, KATE, *fields)
    assert refused.value.code == 403
    assert acting(store, ROOT, *fields).username == name


@pytest.mark.parametrize(
    ("key", "good"),
    [
        ("example.org/team", True),
        ("a/b/c", True),
        ("team", False),
        ("/team", False),
        ("Example.org/team", False),
        ("example.org/a b", False),
        (f"{'a' * 254}/b", False),
    ],
)
def test_keys_of_extra_values(key: str, good: bool) -> None:
    assert (wrong_with(key) == "") == good
