"""Dex in an AuthenticationConfiguration: what its claims become by expressions, seen by kubectl."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from e2e.running import Koproxy, KoproxyStarter
from localcluster.cluster import Cluster
from localcluster.dex import ANNA, BERT, CARL


def configuration(cluster: Cluster, path: Path, audience: str) -> Path:
    entry = {
        "issuer": {
            "url": cluster.issuer.url,
            "audiences": [audience],
            "certificateAuthority": cluster.issuer.ca.read_text(),
        },
        "claimValidationRules": [
            {"expression": "claims.email != 'carl@example.com'", "message": "not Carl"}
        ],
        "claimMappings": {
            "username": {"expression": "claims.email_verified ? claims.email : ''"},
            "groups": {"expression": "dyn(claims.?groups.orValue([])).map(g, 'oidc:' + g)"},
            "uid": {"expression": "claims.sub"},
            "extra": [
                {"key": "example.com/domain", "valueExpression": "claims.email.split('@')[1]"}
            ],
        },
        "userValidationRules": [{"expression": "user.groups.size() < 10"}],
    }
    head = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration"}
    path.write_text(json.dumps({**head, "jwt": [entry]}))
    return path


@pytest.fixture(scope="module")
def koproxies(cluster: Cluster, start_koproxy: KoproxyStarter) -> dict[str, Koproxy]:
    """Two before the cluster, each with an audience of its own, as for two clusters."""
    folder = start_koproxy.processes.directory
    return {
        audience: start_koproxy.with_file(
            f"koproxy-by-file-{audience}",
            cluster.koproxy_kubeconfig,
            configuration(cluster, folder / f"dex-{audience}.json", audience),
        ).wait_until_ready()
        for audience in ("koproxy", "koproxy-b")
    }


def test_whoami_gives_what_the_expressions_give(
    cluster: Cluster, koproxies: dict[str, Koproxy]
) -> None:
    bert = koproxies["koproxy"].kubectl(cluster.issuer.log_in(BERT), "bert")
    info = json.loads(bert("auth", "whoami", "-o", "json"))["status"]["userInfo"]
    assert info["username"] == BERT
    assert info["groups"] == ["oidc:auditors", "oidc:visitors", "system:authenticated"]
    assert info["uid"]
    assert info["extra"] == {"example.com/domain": ["example.com"]}
    assert bert.run("get", "configmaps", "--namespace=shop").returncode == 0


def test_rbac_decides_about_who_comes_by_expressions(
    cluster: Cluster, koproxies: dict[str, Koproxy]
) -> None:
    anna = koproxies["koproxy"].kubectl(cluster.issuer.log_in(ANNA), "anna")
    assert anna("get", "pods", "--namespace=shop", "-o", "name") == "pod/cat\npod/web\n"
    assert anna.run("get", "nodes").returncode == 1


def test_a_rule_refuses_with_its_message(cluster: Cluster, koproxies: dict[str, Koproxy]) -> None:
    answer = koproxies["koproxy"].get("/api/v1/pods", cluster.issuer.log_in(CARL))
    assert answer.status == 401
    assert answer.body["message"].endswith("not Carl")


def test_each_cluster_takes_its_own_audience(
    cluster: Cluster, koproxies: dict[str, Koproxy]
) -> None:
    for client in koproxies:
        token = cluster.issuer.log_in(ANNA, client=client)
        for audience, koproxy in koproxies.items():
            status = koproxy.get("/api/v1/namespaces/shop/pods", token).status
            assert status == (200 if client == audience else 401)
