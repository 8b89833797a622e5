"""--disable-impersonation: an API server that trusts the issuer gets everybody's own token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e.running import Koproxy, KoproxyStarter, Side
from e2e.trusting import Trusting
from localcluster.apiserver import answers
from localcluster.cluster import NAMESPACE, write_credential
from localcluster.kubectl import Kubectl
from localcluster.processes import wait_until

CONFIGMAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"


@pytest.fixture(scope="module")
def powerless(trusting: Trusting) -> Path:
    """The kubeconfig of an account that may do nothing, so that nothing can be its doing."""
    api = trusting.api
    api.admin("create", "serviceaccount", "powerless", "--namespace=koproxy")
    return write_credential(api.admin, api.url, api.ca, trusting.file.parent, account="powerless")


@pytest.fixture(scope="module")
def passing(
    trusting: Trusting, powerless: Path, start_koproxy: KoproxyStarter
) -> Iterator[Koproxy]:
    koproxy = start_koproxy.with_file(
        "koproxy-without-impersonation",
        powerless,
        trusting.file,
        ["--disable-impersonation", "--extra-user-headers=added=foo"],
    )
    yield koproxy.wait_until_ready()
    koproxy.server.stop()


def whoami(kubectl: Kubectl, *args: str) -> dict[str, Any]:
    said = json.loads(kubectl("auth", "whoami", "-o", "json", *args))
    info: dict[str, Any] = said["status"]["userInfo"]
    return info


def test_the_api_server_sees_the_token_itself(trusting: Trusting, passing: Koproxy) -> None:
    token = trusting.token("reader", ["dev", "ops"], uid="7", team="red", jti="one")
    direct, through = trusting.kubectl(token, "reader"), passing.kubectl(token, "reader")
    found = whoami(through)
    assert found == whoami(direct)
    # The name of the token is there only for who has shown the token itself.
    assert found == {
        "username": "reader",
        "uid": "7",
        "groups": ["dev", "ops", "system:authenticated"],
        "extra": {"example.org/team": ["red"], CREDENTIAL_ID: ["JTI=one"]},
    }


def test_rbac_decides_about_the_person(trusting: Trusting, passing: Koproxy) -> None:
    trusting.api.admin(
        *("create", "rolebinding", "passed", f"--namespace={NAMESPACE}"),
        *("--clusterrole=cluster-admin", "--user=editor"),
    )
    bound = trusting.token("editor")
    wait_until(
        lambda: answers(f"{trusting.api.url}{CONFIGMAPS}", trusting.api.ca, bound),
        "the binding is known",
    )
    for name, status in (("editor", 200), ("reader", 403)):
        token = trusting.token(name)
        for side in (Side(passing.url, passing.ca, token), trusting_side(trusting, token)):
            with side.ask(CONFIGMAPS) as answer:
                assert answer.status == status, (name, side)
                if status == 403:
                    assert f'User \\"{name}\\" cannot list' in answer.read().decode()


def trusting_side(trusting: Trusting, token: str) -> Side:
    return Side(trusting.api.url, trusting.api.ca, token)


def test_nobody_is_refused_here_already(trusting: Trusting, passing: Koproxy) -> None:
    good = trusting.token("reader")
    for token in ("nonsense", trusting.token("reader", aud="other"), f"{good}A"):
        answer = passing.get(CONFIGMAPS, token)
        assert (answer.status, answer.body["reason"]) == (401, "Unauthorized")
    # That the API server would have known: it is a token of its own administrator's.
    assert passing.get(CONFIGMAPS, trusting.api.admin_token).status == 401
    refused = passing.kubectl(good, "reader").run("get", "--raw", CONFIGMAPS, "--as=editor")
    assert refused.returncode == 1
    assert "Impersonation requests are disabled" in refused.stderr.decode()


def test_with_inbound_impersonation_the_api_server_decides_about_it(
    trusting: Trusting, powerless: Path, start_koproxy: KoproxyStarter
) -> None:
    admin = trusting.api.admin
    admin(
        *("create", "clusterrole", "may-be-nina", "--verb=impersonate"),
        *("--resource=users", "--resource-name=nina"),
    )
    admin(
        "create", "clusterrolebinding", "may-be-nina", "--clusterrole=may-be-nina", "--user=reader"
    )
    koproxy = start_koproxy.with_file(
        "koproxy-passing-impersonation",
        powerless,
        trusting.file,
        ["--disable-impersonation", "--allow-inbound-impersonation"],
    ).wait_until_ready()
    token = trusting.token("reader")
    direct, through = trusting.kubectl(token, "reader"), koproxy.kubectl(token, "reader")
    wait_until(
        lambda: direct.run("auth", "whoami", "--as=nina").returncode == 0, "the binding is known"
    )
    assert whoami(through, "--as=nina") == whoami(direct, "--as=nina")
    assert whoami(through, "--as=nina")["username"] == "nina"
    for args in (["--as=root"], ["--as=nina", "--as-group=system:masters"]):
        refused = [each.run("auth", "whoami", *args) for each in (direct, through)]
        assert refused[0].returncode == refused[1].returncode == 1
        assert refused[0].stderr == refused[1].stderr
    koproxy.server.stop()
