"""The other ways to pass a request on: as it came, and as somebody whom its sender may be."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from koproxy_harness import Issuer, KubeAPI, Request
from support.running import PEOPLE_MAY_LOOK, SERVE, Client, Running, flags, request

PODS = "/api/v1/namespaces/demo/pods"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
ROBOT = "system:serviceaccount:demo:robot"
CLUSTER = f"""
{PEOPLE_MAY_LOOK}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: robot, namespace: demo}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: may-be-jane}}
rules:
- {{apiGroups: [""], resources: [users], verbs: [impersonate], resourceNames: [jane]}}
- {{apiGroups: [""], resources: [groups], verbs: [impersonate], resourceNames: [dev]}}
- {{apiGroups: [""], resources: [serviceaccounts], verbs: [impersonate], resourceNames: [robot]}}
- apiGroups: [authentication.k8s.io]
  resources: [uids, userextras/scope]
  verbs: [impersonate]
  resourceNames: ["7", view]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: max-may-be-jane}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: may-be-jane}}
subjects:
- {{apiGroup: rbac.authorization.k8s.io, kind: User, name: max}}
- {{apiGroup: "", kind: ServiceAccount, name: robot, namespace: demo}}
"""


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def api(issuer: Issuer) -> Iterator[KubeAPI]:
    """An API server that trusts the issuer too."""
    with KubeAPI(issuer) as api:
        api.apply(CLUSTER)
        yield api


@contextlib.contextmanager
def before(
    issuer: Issuer, api: KubeAPI, folder: Path, *more: str, certificate: bool = False
) -> Iterator[Client]:
    """A client of koproxy with these flags; its credential may be a certificate alone."""
    shown = api.client_certificate("proxy", ["system:masters"]) if certificate else None
    (folder / "kubeconfig").write_text(api.kubeconfig(certificate=shown))
    running = Running([*SERVE, *flags(issuer, folder / "kubeconfig", folder), *more], folder)
    try:
        running.wait_until_ready()
        with contextlib.closing(Client(running.port, folder / "kube-oidc-proxy.crt")) as client:
            yield client
    finally:
        running.end()


def robots_token(api: KubeAPI, folder: Path, *audiences: str) -> str:
    """A token of the service account's, asked for by the administrator."""
    spec = {"audiences": list(audiences)} if audiences else {}
    body = json.dumps(
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    ).encode()
    (folder / "kube.crt").write_text(api.ca_pem)
    path = "/api/v1/namespaces/demo/serviceaccounts/robot/token"
    length = f"Content-Length: {len(body)}"
    port = int(api.url.rpartition(":")[2])
    with contextlib.closing(Client(port, folder / "kube.crt")) as client:
        client.send(request("POST", path, api.admin_token, length) + body)
        status, answer = client.answer()
    assert status == 201, answer
    token: str = json.loads(answer)["status"]["token"]
    return token


def who(client: Client, token: str, *lines: str) -> dict[str, Any]:
    """Whom the API server takes a request for."""
    length = f"Content-Length: {len(REVIEW)}"
    client.send(request("POST", WHO, token, *lines, length) + REVIEW)
    status, body = client.answer()
    assert status == 201, body
    user: dict[str, Any] = json.loads(body)["status"]["userInfo"]
    return user


def last(api: KubeAPI, path: str) -> Request:
    """The last request for a path: the proxy asks for itself, too, when it likes."""
    return [each for each in api.requests if each.path == path][-1]


def headers(api: KubeAPI, path: str) -> dict[str, str]:
    """The last request's, with names in lower case."""
    return {name.lower(): value for name, value in last(api, path).headers}


def reviews(api: KubeAPI, kind: str) -> int:
    """How often the API server was asked for a review."""
    return len([each for each in api.requests if each.path.endswith(f"/{kind}")])


@pytest.mark.parametrize("certificate", [False, True])
def test_a_token_that_the_api_server_knows_is_passed_on(
    issuer: Issuer, api: KubeAPI, tmp_path: Path, certificate: bool
) -> None:
    token = robots_token(api, tmp_path)
    with before(issuer, api, tmp_path, "--token-passthrough", certificate=certificate) as client:
        assert client.get(PODS, issuer.token(sub="jane"))[0] == 200
        assert headers(api, PODS)["impersonate-user"] == "jane"
        for _ in range(3):
            assert who(client, token)["username"] == ROBOT
            passed = headers(api, WHO)
            assert passed["authorization"] == f"Bearer {token}"
            assert not any(name.startswith("impersonate-") for name in passed)
            assert last(api, WHO).peer_name is None
        assert reviews(api, "tokenreviews") == 1
        assert client.get(PODS, issuer.token(sub="jane"))[0] == 200
        assert last(api, PODS).peer_name == ("proxy" if certificate else None)
        people = len([each for each in api.requests if each.path == PODS])
        assert client.get(PODS, "nonsense")[0] == 401
        assert reviews(api, "tokenreviews") == 2
        assert len([each for each in api.requests if each.path == PODS]) == people
        assert client.get(PODS, token, "Impersonate-User: jane")[0] == 403


def test_without_the_option_no_token_of_nobody_gets_anywhere(
    issuer: Issuer, api: KubeAPI, tmp_path: Path
) -> None:
    token = robots_token(api, tmp_path)
    with before(issuer, api, tmp_path) as client:
        seen = reviews(api, "tokenreviews")
        assert client.get(PODS, token)[0] == 401
        assert reviews(api, "tokenreviews") == seen


def test_a_token_has_to_be_for_one_of_the_audiences(
    issuer: Issuer, api: KubeAPI, tmp_path: Path
) -> None:
    ours, others = robots_token(api, tmp_path), robots_token(api, tmp_path, "vault")
    options = ["--token-passthrough", "--token-passthrough-audiences=vault,another"]
    with before(issuer, api, tmp_path, *options) as client:
        assert client.get(PODS, ours)[0] == 401
        # Reviewed and passed on; that it is not for the API server is the API server's to say.
        assert client.get(PODS, others)[0] == 401
        assert headers(api, PODS)["authorization"] == f"Bearer {others}"


@pytest.mark.parametrize("certificate", [False, True])
def test_without_impersonation_people_are_passed_on_with_their_token(
    issuer: Issuer, api: KubeAPI, tmp_path: Path, certificate: bool
) -> None:
    token = issuer.token(sub="jane", groups=["dev"])
    options = ["--disable-impersonation", "--extra-user-header-client-ip"]
    with before(issuer, api, tmp_path, *options, certificate=certificate) as client:
        user = who(client, token)
        assert (user["username"], user["groups"]) == ("jane", ["dev", "system:authenticated"])
        passed = headers(api, WHO)
        assert passed["authorization"] == f"Bearer {token}"
        assert not any(name.startswith("impersonate-") for name in passed)
        assert last(api, WHO).peer_name is None
        assert client.get(PODS, token, "Impersonate-User: max")[0] == 403
        assert client.get(PODS, "nonsense")[0] == 401


def test_what_is_added_to_everybody(issuer: Issuer, api: KubeAPI, tmp_path: Path) -> None:
    options = ["--extra-user-header-client-ip", "--extra-user-headers=Key1=foo,key2=bar,key1=bar"]
    with before(issuer, api, tmp_path, *options) as client:
        assert who(client, issuer.token(sub="jane"))["extra"] == {
            "key1": ["foo", "bar"],
            "key2": ["bar"],
            "remote-client-ip": ["127.0.0.1"],
        }


def test_people_are_whom_they_may_be(issuer: Issuer, api: KubeAPI, tmp_path: Path) -> None:
    with before(issuer, api, tmp_path, "--allow-inbound-impersonation") as client:
        token = issuer.token(sub="max", groups=["ops"])
        lines = [
            "Impersonate-User: jane",
            "Impersonate-Uid: 7",
            "Impersonate-Group: dev",
            "Impersonate-Extra-Scope: view",
        ]
        for _ in range(2):
            assert who(client, token, *lines) == {
                "username": "jane",
                "uid": "7",
                "groups": ["dev", "system:authenticated"],
                "extra": {
                    "scope": ["view"],
                    "originaluser.jetstack.io-user": ["max"],
                    "originaluser.jetstack.io-groups": ["ops"],
                },
            }
        assert reviews(api, "subjectaccessreviews") == 4
        robot = who(client, token, f"Impersonate-User: {ROBOT}")
        assert robot["username"] == ROBOT
        assert "system:serviceaccounts:demo" in robot["groups"]
        assert who(client, token)["username"] == "max"


@pytest.mark.parametrize(
    ("sub", "lines", "status", "said"),
    [
        ("jane", ["Impersonate-User: jane"], 403, 'User "jane" cannot impersonate'),
        ("max", ["Impersonate-User: root"], 403, 'users "root" is forbidden'),
        (
            "max",
            ["Impersonate-User: jane", "Impersonate-Group: system:masters"],
            403,
            'groups "system:masters" is forbidden',
        ),
        (
            "max",
            ["Impersonate-User: jane", "Impersonate-Extra-Originaluser.jetstack.io-User: x"],
            403,
            "the proxy's to give",
        ),
        ("max", ["Impersonate-Group: dev"], 400, "without a user"),
        ("max", ["Impersonate-User: jane", "impersonate-user: root"], 400, "two headers"),
    ],
)
def test_people_are_not_whom_they_may_not_be(
    issuer: Issuer,
    api: KubeAPI,
    tmp_path: Path,
    sub: str,
    lines: list[str],
    status: int,
    said: str,
) -> None:
    with before(issuer, api, tmp_path, "--allow-inbound-impersonation") as client:
        client.send(request("GET", PODS, issuer.token(sub=sub), *lines))
        code, body = client.answer()
        assert (code, said in json.loads(body)["message"]) == (status, True), body
        assert not [each for each in api.requests if each.path == PODS]


def test_who_has_a_credential_of_their_own_is_the_api_servers_to_judge(
    issuer: Issuer, api: KubeAPI, tmp_path: Path
) -> None:
    token = robots_token(api, tmp_path)
    options = ["--allow-inbound-impersonation", "--token-passthrough"]
    with before(issuer, api, tmp_path, *options) as client:
        assert who(client, token, "Impersonate-User: jane")["username"] == "jane"
        assert headers(api, WHO)["authorization"] == f"Bearer {token}"
        assert client.get(PODS, token, "Impersonate-User: root")[0] == 403
        assert headers(api, PODS)["impersonate-user"] == "root"
        assert reviews(api, "subjectaccessreviews") == 0
