"""Who somebody is to the cluster, and that the cluster's own RBAC decides what they may."""

import base64
import json
import time
from collections.abc import Callable

import pytest
from e2e.running import Koproxy, ShortLogins
from localcluster.cluster import Cluster
from localcluster.dex import ANNA
from localcluster.kubectl import Kubectl
from localcluster.processes import wait_until

CONFIGMAPS = "/api/v1/namespaces/shop/configmaps"


def claims(token: str) -> dict[str, object]:
    payload = token.split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * 3))
    return found


def test_whoami_gives_user_and_groups(bert: Kubectl) -> None:
    review = json.loads(bert("auth", "whoami", "-o", "json"))
    assert review["status"]["userInfo"] == {
        "username": "bert@example.com",
        "groups": ["oidc:auditors", "oidc:visitors", "system:authenticated"],
    }


def test_the_binding_of_a_user_decides(anna: Kubectl, bert: Kubectl) -> None:
    assert anna("get", "pods", "--namespace=shop", "-o", "name") == "pod/cat\npod/web\n"

    refused = bert.run("get", "pods", "--namespace=shop")
    assert refused.returncode == 1
    assert refused.stderr.decode() == (
        'Error from server (Forbidden): pods is forbidden: User "bert@example.com" cannot list '
        'resource "pods" in API group "" in the namespace "shop"\n'
    )


def test_the_binding_of_a_group_decides(bert: Kubectl, koproxy: Koproxy, cluster: Cluster) -> None:
    assert bert.run("get", "configmaps", "--namespace=shop").returncode == 0

    nobody = koproxy.kubectl(cluster.issuer.log_in("carl@example.com"), "carl")
    refused = nobody.run("get", "configmaps", "--namespace=shop")
    assert refused.returncode == 1
    assert 'User "carl@example.com" cannot list resource "configmaps"' in refused.stderr.decode()


def test_a_person_has_none_of_the_rights_of_koproxy(anna: Kubectl) -> None:
    allowed = anna.run("auth", "can-i", "impersonate", "users")
    assert (allowed.returncode, allowed.stdout) == (1, b"no\n")


@pytest.mark.parametrize("flags", [["--as=bert@example.com"], ["--as=x", "--as-group=y"]])
def test_impersonation_is_refused(anna: Kubectl, flags: list[str]) -> None:
    refused = anna.run("get", "configmaps", "--namespace=shop", *flags)
    assert refused.returncode == 1
    assert refused.stderr.decode() == (
        "Error from server (Forbidden): "
        "Impersonation requests are disabled when using kube-oidc-proxy\n"
    )


def another_signature(token: str) -> str:
    head, payload, signature = token.split(".")
    return f"{head}.{payload}.{'B' if signature[0] != 'B' else 'C'}{signature[1:]}"


def other_claims(token: str) -> str:
    head, _, signature = token.split(".")
    changed = claims(token) | {"email": "bert@example.com"}
    payload = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
    return f"{head}.{payload}.{signature}"


def no_algorithm(token: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


@pytest.mark.parametrize("tamper", [another_signature, other_claims, no_algorithm])
def test_a_bad_token_is_refused(
    koproxy: Koproxy, cluster: Cluster, tamper: Callable[[str], str]
) -> None:
    token = cluster.issuer.log_in(ANNA)
    assert koproxy.get(CONFIGMAPS, token).status == 200

    answer = koproxy.get(CONFIGMAPS, tamper(token))
    assert (answer.status, answer.body["kind"], answer.body["reason"]) == (
        401,
        "Status",
        "Unauthorized",
    )
    refused = koproxy.kubectl(tamper(token), "tampered").run("get", "configmaps")
    assert refused.returncode == 1
    assert "error: You must be logged in to the server" in refused.stderr.decode()


def test_a_token_for_another_audience_is_refused(koproxy: Koproxy, cluster: Cluster) -> None:
    token = cluster.issuer.log_in(ANNA, client="somebody-else")
    assert koproxy.get(CONFIGMAPS, token).status == 401


def test_the_credential_of_koproxy_is_nobodys_login(koproxy: Koproxy, cluster: Cluster) -> None:
    token = cluster.koproxy_kubeconfig.with_suffix(".token").read_text()
    assert koproxy.get(CONFIGMAPS, token).status == 401


def test_a_token_is_good_to_the_second_of_its_expiry(short_logins: ShortLogins) -> None:
    token = short_logins.issuer.log_in(ANNA)
    end = claims(token)["exp"]
    assert isinstance(end, int)
    seen = set()

    def refused() -> bool:
        before = time.time()
        status = short_logins.koproxy.get(CONFIGMAPS, token).status
        after = time.time()
        if after < end:
            assert status == 200
        elif before > end:
            assert status == 401
        seen.add(status)
        return status == 401

    wait_until(refused, "the token has expired", seconds=30)
    assert seen == {200, 401}
