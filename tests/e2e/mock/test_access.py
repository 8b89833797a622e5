"""The mock API server's decisions are those of a real kube-apiserver: the same is asked of both.

Roles, bindings, users and requests are made by chance, from seeds, so that a run can be had again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from e2e.mock.access_cases import WITHIN_LIMITS, WITHOUT_SENSE
from e2e.mock.access_filling import Sides, both
from e2e.mock.access_sides import AUTHENTICATION, AUTHORIZATION, NOBODY, Objects, collection
from e2e.mock.access_worlds import NAMESPACES, RBAC, World
from koproxy_harness.kube.access.access_reviews import AccessReviews
from koproxy_harness.kube.access.bootstrap import BOOTSTRAP
from koproxy_harness.kube.access.rbac import Rbac
from koproxy_harness.kube.access.users import User
from koproxy_harness.kube.request_info import RequestInfo

SEEDS = range(4)
TOKEN_REVIEWS = f"{AUTHENTICATION}/tokenreviews"
WHO_AM_I = (
    f"{AUTHENTICATION}/selfsubjectreviews",
    {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
)


@pytest.fixture(scope="module")
def sides(directory: Path) -> Iterator[Sides]:
    """Both, with the roles and bindings of all seeds."""
    with both(directory / "access", SEEDS) as sides:
        yield sides


@pytest.mark.parametrize(
    "item", BOOTSTRAP, ids=lambda item: f"{item['kind']}-{item['metadata']['name']}"
)
def test_what_is_there_from_the_start(sides: Sides, item: dict[str, Any]) -> None:
    path = f"{collection(item)}?fieldSelector=metadata.name%3D{item['metadata']['name']}"
    listed = sides.real.ask("GET", path).body["items"]
    assert len(listed) == 1
    real = listed[0]
    for field in ("labels", "annotations"):
        assert item["metadata"][field] == real["metadata"][field]
    fields = ["aggregationRule", "roleRef", "subjects"]
    if "aggregationRule" not in item:  # no controller gathers rules here
        fields.append("rules")
    assert {key: item.get(key) for key in fields} == {key: real.get(key) for key in fields}


@pytest.mark.parametrize("seed", SEEDS)
def test_access_reviews(sides: Sides, seed: int) -> None:
    world = World(seed + 100)
    allowed = 0
    for _ in range(250):
        user, groups = world.user()
        spec = {"user": user, "groups": groups, **world.attributes()}
        real, mock = sides.ask("POST", f"{AUTHORIZATION}/subjectaccessreviews", body={"spec": spec})
        assert mock.code == real.code == 201
        theirs, ours = real.body["status"], mock.body["status"]
        assert ours["allowed"] == theirs["allowed"], spec
        if ours["allowed"]:
            # Which of several bindings is named is chance there, and the first by name here.
            assert ours["reason"] in _reasons(sides, spec)
            assert theirs["reason"] in _reasons(sides, spec)
            allowed += 1
        else:
            assert _words(ours.get("reason", "")) == _words(theirs.get("reason", "")), spec
    assert 25 < allowed < 225


def _reasons(sides: Sides, spec: dict[str, Any]) -> set[str]:
    """Give what is said when each binding is the only one."""
    everything = sides.objects.items
    roles = [item for item in everything if item["kind"].endswith("Role")]
    reasons = set()
    for binding in everything:
        if binding["kind"].endswith("Binding"):
            alone = AccessReviews(Rbac(Objects([*roles, binding])))
            given = {"metadata": {}, "spec": spec}
            status = alone.others(User("nobody"), RequestInfo("create", ""), given)["status"]
            reasons.add(status.get("reason"))
    return reasons


def _words(message: str) -> list[str]:
    return sorted(message.replace("[", "").replace("]", "").replace(",", "").split())


@pytest.mark.parametrize("seed", SEEDS)
def test_requests(sides: Sides, seed: int) -> None:
    """What a path is about, and the words of a refusal."""
    world = World(seed + 200)
    refused = passed = 0
    for _ in range(150):
        user, groups = world.user()
        method, target = world.request()
        fields = [("Impersonate-User", user), *(("Impersonate-Group", each) for each in groups)]
        real, mock = sides.ask(method, target, fields)
        if method == "HEAD":
            assert (mock.code == 403) == (real.code == 403), (target, fields)
            continue
        assert mock.verdict == real.verdict, (method, target, fields)
        refused += mock.verdict is not None
        passed += mock.verdict is None
    assert refused > 20
    assert passed > 20


@pytest.mark.parametrize("seed", SEEDS)
def test_impersonation(sides: Sides, seed: int) -> None:
    world = World(seed + 300)
    seen: dict[object, int] = {}
    for _ in range(200):
        by = world.random.choice(sides.people)
        fields = world.impersonation()
        path, review = WHO_AM_I
        real, mock = sides.ask("POST", path, fields, review, by=by)
        assert mock.code == real.code, (by.name, fields, real.body, mock.body)
        seen[mock.code] = seen.get(mock.code, 0) + 1
        if mock.code == 201:
            assert _info(mock.body) == _info(real.body), (by.name, fields)
        elif mock.code == 403:
            assert mock.verdict == real.verdict, (by.name, fields)
        else:
            assert mock.body["message"] == real.body["message"]
    assert min(seen[code] for code in (201, 400, 403)) > 3, seen


@pytest.mark.parametrize(
    "fields",
    WITHIN_LIMITS,
    ids=str,
)
def test_acting_as_others_within_limits(sides: Sides, fields: dict[str, list[str]]) -> None:
    dora = sides.people[-1]
    given = [(f"Impersonate-{name}", value) for name in fields for value in fields[name]]
    path, review = WHO_AM_I
    # The first refusal is told of, of the way that worked the last time: that is this one here.
    for asked in ([("Impersonate-User", "first")], given):
        real, mock = sides.ask("POST", path, asked, review, by=dora)
        assert mock.code == real.code, (real.body, mock.body)
        if mock.code == 201:
            assert _info(mock.body) == _info(real.body)
        else:
            assert mock.body["message"] == real.body["message"]


def _info(review: dict[str, Any]) -> dict[str, Any]:
    info: dict[str, Any] = review["status"]["userInfo"]
    return info


def test_who_has_a_certificate(sides: Sides) -> None:
    path, review = WHO_AM_I
    for person in sides.people:
        real, mock = sides.ask("POST", path, body=review, by=person)
        assert _info(mock.body) == _info(real.body)
        assert "credential-id" in str(_info(mock.body))


def test_who_has_no_credential_or_a_wrong_one(sides: Sides) -> None:
    for fields in (
        [("Authorization", "Bearer wrong")],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer  two")],
        [("Authorization", "Basic YTpi")],
        [("Authorization", "Bearer wrong"), ("Authorization", "Basic YTpi")],
        [("Impersonate-User", "jane")],
        [],
    ):
        for target in ("/version", "/api", "/api/v1/pods"):
            real, mock = sides.ask("GET", target, fields, by=NOBODY)
            assert mock.verdict == real.verdict, (target, fields)


@pytest.mark.parametrize("seed", SEEDS)
def test_rules_reviews(sides: Sides, seed: int) -> None:
    world = World(seed + 400)
    for _ in range(25):
        user, groups = world.user()
        spec = {"namespace": world.random.choice((*NAMESPACES, "elsewhere"))}
        groups = [*groups, "system:authenticated"]
        fields = [("Impersonate-User", user), *(("Impersonate-Group", each) for each in groups)]
        path = f"{AUTHORIZATION}/selfsubjectrulesreviews"
        real, mock = sides.ask("POST", path, fields, {"spec": spec})
        theirs, ours = real.body["status"], mock.body["status"]
        for rules in ("resourceRules", "nonResourceRules"):
            assert _lines(ours[rules]) == _lines(theirs[rules])
        assert ours["incomplete"] == theirs["incomplete"]
        said = [status.get("evaluationError", "") for status in (ours, theirs)]
        assert _words(said[0]) == _words(said[1])


def _lines(rules: list[Any]) -> list[str]:
    return sorted(json.dumps(rule, sort_keys=True) for rule in rules)


@pytest.mark.parametrize("seed", SEEDS)
def test_giving_more_than_one_has(sides: Sides, seed: int) -> None:
    world = World(seed + 500)
    refused = passed = missing = 0
    for _ in range(100):
        user, groups = world.user()
        writer = "binder" if world.random.random() < 0.1 else "writer"
        fields = [("Impersonate-User", user), ("Impersonate-Group", writer)]
        fields += [("Impersonate-Group", each) for each in groups]
        namespace = world.random.choice(("", NAMESPACES[0]))
        kind = "Role" if namespace else "ClusterRole"
        if world.random.random() < 0.5:
            item = world.role(kind, namespace)
        else:
            item = world.binding(f"{kind}Binding", "new", namespace)
            name = item["roleRef"]["name"].replace("w50", "w")
            item["roleRef"]["name"] = name
        real, mock = sides.ask("POST", f"{collection(item)}?dryRun=All", fields, item)
        assert mock.verdict == real.verdict, (fields, item)
        if mock.code == 404:
            assert real.code == 404
            for field in ("message", "reason", "details"):
                assert mock.body[field] == real.body[field]
            missing += 1
        elif mock.verdict is None:
            assert real.code == 201, real.body
            passed += 1
        refused += mock.verdict is not None
    assert refused > 10
    assert passed > 3
    assert missing > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_changing_what_gives_more_than_one_has(sides: Sides, seed: int) -> None:
    world = World(seed + 600)
    verdicts = []
    for _ in range(40):
        user, groups = world.user()
        groups = ["writer", *groups]
        fields = [("Impersonate-User", user), *(("Impersonate-Group", each) for each in groups)]
        kind = world.random.choice(("roles", "clusterroles", "rolebindings", "clusterrolebindings"))
        place = "" if kind.startswith("cluster") else f"namespaces/{NAMESPACES[0]}/"
        target = f"/apis/{RBAC}/v1/{place}{kind}/w{seed}-{world.random.randrange(8)}"
        old = sides.real.ask("GET", target).body
        metadata = old["metadata"]
        changed: dict[str, Any] = world.random.choice(
            (
                {"metadata": {**metadata, "finalizers": ["example.org/wait"]}},
                {"metadata": {**metadata, "labels": {"new": "label"}}},
                {"rules": [world.rule()]} if kind == "clusterroles" else {"subjects": []},
            )
        )
        new = (
            {**old, **changed}
            if "roleRef" in old or "rules" in changed
            else {
                **old,
                "metadata": changed.get("metadata", metadata),
            }
        )
        real = sides.real.ask("PUT", f"{target}?dryRun=All", fields, new)
        mock = sides.mock.ask("PUT", f"{target}?dryRun=All", fields, new, old=old)
        assert mock.verdict == real.verdict, (fields, new)
        if mock.verdict is None:
            assert real.code == mock.code, real.body
        verdicts.append(mock.verdict is None)
    assert 3 < sum(verdicts) < 37


@pytest.mark.parametrize("number", range(len(WITHOUT_SENSE)))
def test_reviews_without_sense(sides: Sides, number: int) -> None:
    path, body = WITHOUT_SENSE[number]
    real, mock = sides.ask("POST", path, body=body)
    assert mock.code == real.code
    for field in ("message", "reason", "details"):
        assert mock.body.get(field) == real.body.get(field)


def test_tokens_of_service_accounts(sides: Sides) -> None:
    metadata = {"name": "bot", "namespace": NAMESPACES[0]}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    sides.objects.items.append(sides.real.create(account))
    path = f"/api/v1/namespaces/{NAMESPACES[0]}/serviceaccounts/bot/token"
    for spec in ({}, {"expirationSeconds": 700}, {"audiences": ["a", "b"]}):
        made = sides.ask("POST", path, body={"spec": spec})
        claims = [_claims(answer.body["status"]["token"]) for answer in made]
        assert claims[0] == claims[1]
        for audiences in ([], ["b", "a", "c"], ["c"]):
            theirs, ours = (
                {"spec": {"token": answer.body["status"]["token"], "audiences": audiences}}
                for answer in made
            )
            real = sides.real.ask("POST", TOKEN_REVIEWS, body=theirs)
            mock = sides.mock.ask("POST", TOKEN_REVIEWS, body=ours)
            assert _plain(mock.body["status"]) == _plain(real.body["status"])
    assert sides.ask("POST", path, body={"spec": {}})[0].code == 201


def _claims(token: str) -> dict[str, Any]:
    claims = jwt.decode(token, options={"verify_signature": False})
    lifetime = claims.pop("exp") - claims["iat"]
    for of_this_one in ("iss", "iat", "nbf", "jti"):
        del claims[of_this_one]
    if claims["aud"][0].startswith("https:"):
        claims["aud"] = "the API server"
    return {**claims, "lifetime": lifetime}


def _plain(status: dict[str, Any]) -> str:
    """Give a status without what differs from server to server and from token to token."""
    text = re.sub(r"https://[^\"\]']+", "server", json.dumps(status, sort_keys=True))
    return re.sub(r"JTI=[-0-9a-f]+", "JTI", text)
