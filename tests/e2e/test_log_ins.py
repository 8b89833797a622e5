"""People log in at the harness's issuer, with the libraries that programs in Go do it with, and
the real API server, which trusts that issuer, knows them.

kubectl gets its credential from `relying-party` (kind/servers/), which runs a browser as a desktop
does.
"""

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from koproxy_harness import Client, Issuer, User
from localcluster.apiserver import ApiServer, start_api_server, start_etcd
from localcluster.binaries import binary
from localcluster.kubectl import Kubectl, write_kubeconfig
from localcluster.pki import Authority
from localcluster.processes import Processes, wait_until

EMAIL = "jane@example.org"
SECRET = "a secret, with: signs & blanks"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    jane = User("jane", "pass & word", {"groups": ["developers", "auditors"]})
    clients = [
        Client("kubernetes", redirect_uris=["http://127.0.0.1/callback"]),
        Client("confidential", SECRET, redirect_uris=["http://127.0.0.1/callback"]),
    ]
    with Issuer(users=[jane], clients=clients) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def trusting(issuer: Issuer, parts: Processes, authority: Authority) -> ApiServer:
    """An API server that takes the tokens of both clients."""
    config = parts.directory / "trusting-authentication.json"
    audiences = ["kubernetes", "confidential"]
    claims = {
        "username": {"claim": "email", "prefix": ""},
        "groups": {"claim": "groups", "prefix": "oidc:"},
    }
    issuer_named = {
        "url": issuer.url,
        "certificateAuthority": issuer.ca_pem,
        "audiences": audiences,
        "audienceMatchPolicy": "MatchAny",
    }
    config.write_text(
        json.dumps(
            {
                "apiVersion": "apiserver.config.k8s.io/v1",
                "kind": "AuthenticationConfiguration",
                "jwt": [{"issuer": issuer_named, "claimMappings": claims}],
            }
        )
    )
    flags = [f"--authentication-config={config}"]
    etcd = start_etcd(parts)
    return start_api_server(parts, authority, etcd, name="trusting", oidc_flags=flags)


@pytest.fixture
def kubectl_by(issuer: Issuer, trusting: ApiServer, tmp_path: Path) -> Callable[..., Kubectl]:
    """Gives kubectl, with somebody who logs in by the flow of this name."""
    program = tmp_path / "browser"
    words = shlex.join([sys.executable, str(Path(__file__).with_name("browser.py"))])
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    program.chmod(0o700)

    def kubectl(flow: str, client: str = "kubernetes", password: str = "pass & word") -> Kubectl:
        env = {
            "ISSUER": issuer.url,
            "CA": str(issuer.ca_file),
            "CLIENT_ID": client,
            "CLIENT_SECRET": SECRET if client == "confidential" else "",
            "PERSON": "jane",
            "USERNAME": "jane",
            "PASSWORD": password,
            "BROWSER": str(program),
        }
        user = {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": str(binary("relying-party")),
                "args": [flow],
                "env": [{"name": name, "value": value} for name, value in env.items()],
                "interactiveMode": "Never",
            }
        }
        path = tmp_path / f"{flow}.kubeconfig"
        return Kubectl(write_kubeconfig(path, trusting.url, trusting.ca, user))

    return kubectl


def whoami(kubectl: Kubectl) -> tuple[str, set[str]]:
    """Ask the API server who one is; it may not have fetched the issuer's keys yet."""

    def ask() -> dict[str, object] | None:
        done = kubectl.run("auth", "whoami", "--output=json")
        if done.returncode != 0 and b"Unauthorized" in done.stderr:
            return None
        assert done.returncode == 0, done.stderr.decode()
        return dict(json.loads(done.stdout)["status"]["userInfo"])

    user = wait_until(ask, "the API server knows the issuer's keys")
    assert isinstance(user["groups"], list)
    return str(user["username"]), set(user["groups"])


@pytest.mark.parametrize(
    ("flow", "client"),
    [
        ("code", "kubernetes"),
        ("code", "confidential"),
        ("password", "kubernetes"),
        ("password", "confidential"),
        ("device", "kubernetes"),  # the library asks for a device code without a client's secret
    ],
)
def test_the_api_server_knows_who_has_logged_in(
    kubectl_by: Callable[..., Kubectl], issuer: Issuer, flow: str, client: str
) -> None:
    before = len(issuer.requests)
    username, groups = whoami(kubectl_by(flow, client))
    assert username == EMAIL
    assert groups == {"oidc:developers", "oidc:auditors", "system:authenticated"}
    paths = [request.path for request in issuer.requests[before:]]
    assert {"/token", "/userinfo"} <= set(paths)
    assert ("/login" in paths, "/device" in paths) == (flow == "code", flow == "device")


def test_who_has_the_wrong_password_gets_nowhere(kubectl_by: Callable[..., Kubectl]) -> None:
    done = kubectl_by("password", password="wrong").run("auth", "whoami")
    assert done.returncode != 0
    assert b"invalid_grant" in done.stderr
