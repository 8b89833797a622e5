"""--token-passthrough: tokens of ServiceAccounts go on as they came."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e.differential.judge import Judge, Nobody, Person
from e2e.running import Koproxy, KoproxyStarter, Side
from localcluster.cluster import NAMESPACE, Cluster
from localcluster.dex import ANNA
from localcluster.kubectl import Kubectl, write_kubeconfig
from localcluster.processes import Processes, wait_until

CONFIGMAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"


@pytest.fixture
def robot(cluster: Cluster) -> Iterator[str]:
    """The name of a ServiceAccount that may do in `shop` what Anna may."""
    name = f"robot-{uuid.uuid4().hex[:8]}"
    where = f"--namespace={NAMESPACE}"
    cluster.admin("create", "serviceaccount", name, where)
    cluster.admin(
        *("create", "rolebinding", name, where, "--role=shopkeeper"),
        f"--serviceaccount={NAMESPACE}:{name}",
    )
    yield name
    cluster.admin("delete", "rolebinding", name, where)
    cluster.admin("delete", "serviceaccount", name, where, "--ignore-not-found")


def token(cluster: Cluster, account: str, *audiences: str) -> str:
    asked = [f"--audience={audience}" for audience in audiences]
    return cluster.admin("create", "token", account, f"--namespace={NAMESPACE}", *asked).strip()


@pytest.fixture(scope="module")
def passing(cluster: Cluster, reviewer: Path, start_koproxy: KoproxyStarter) -> Iterator[Koproxy]:
    koproxy = start_koproxy(
        "koproxy-passing", reviewer, cluster.issuer, flags=["--token-passthrough"]
    )
    yield koproxy.wait_until_ready()
    koproxy.server.stop()


@pytest.fixture(scope="module")
def passing_for_vault(
    cluster: Cluster, reviewer: Path, start_koproxy: KoproxyStarter
) -> Iterator[Koproxy]:
    """One for tokens of other audiences: `vault`, and the API server's own beside it."""
    audiences = f"vault,{cluster_audience(cluster)}"
    koproxy = start_koproxy(
        "koproxy-passing-for-vault",
        reviewer,
        cluster.issuer,
        flags=["--token-passthrough", f"--token-passthrough-audiences={audiences}"],
    )
    yield koproxy.wait_until_ready()
    koproxy.server.stop()


def cluster_audience(cluster: Cluster) -> str:
    """The audience of the API server itself."""
    found = json.loads(cluster.admin("get", "--raw", "/.well-known/openid-configuration"))
    return str(found["issuer"])


def who(side: Koproxy | Cluster, token: str) -> Person | Nobody:
    with contextlib.closing(Judge(side.url, side.ca)) as judge:
        return judge.who(b"Bearer " + token.encode())


def whoami(kubectl: Kubectl) -> dict[str, Any]:
    info: dict[str, Any] = json.loads(kubectl("auth", "whoami", "-o", "json"))["status"]["userInfo"]
    return info


def test_a_service_account_is_itself(
    cluster: Cluster, passing: Koproxy, parts: Processes, robot: str
) -> None:
    robots = token(cluster, robot)
    path = parts.directory / "people" / f"{robot}.kubeconfig"
    direct = Kubectl(write_kubeconfig(path, cluster.url, cluster.ca, {"token": robots}))
    through = passing.kubectl(robots, robot)
    # All of it, down to the name of the token (authentication.kubernetes.io/credential-id).
    assert whoami(through) == whoami(direct)
    assert whoami(through)["username"] == f"system:serviceaccount:{NAMESPACE}:{robot}"
    for args in (
        ["get", "pods", "-o", "json"],
        ["get", "secrets"],
        ["get", "nodes"],
        ["auth", "can-i", "--list"],
    ):
        ways = [each.run(*args, f"--namespace={NAMESPACE}") for each in (direct, through)]
        assert ways[0].returncode == ways[1].returncode
        assert sorted(ways[0].stdout.split()) == sorted(ways[1].stdout.split())
        assert ways[0].stderr == ways[1].stderr


def test_the_rest_is_as_without_it(cluster: Cluster, passing: Koproxy, robot: str) -> None:
    person = who(passing, cluster.issuer.log_in(ANNA))
    assert person == Person(ANNA, ("oidc:developers", "system:authenticated"))
    robots = token(cluster, robot)
    head, payload, signature = robots.split(".")
    forged = f"{head}.{payload}.{'B' if signature[0] != 'B' else 'C'}{signature[1:]}"
    for nobodys in ("nonsense", forged, token(cluster, robot, "vault")):
        assert who(passing, nobodys) == who(cluster, nobodys) == Nobody(401)
    assert who(passing, cluster.issuer.log_in(ANNA, client="somebody-else")) == Nobody(401)
    assert passing.get(CONFIGMAPS, robots).status == 200
    with Side(passing.url, passing.ca, robots).ask(
        CONFIGMAPS, fields={"Impersonate-User": ANNA}
    ) as refused:
        assert refused.status == 403
        assert b"Impersonation requests are disabled" in refused.read()


def test_without_the_option_it_is_nobody(cluster: Cluster, koproxy: Koproxy, robot: str) -> None:
    robots = token(cluster, robot)
    assert isinstance(who(cluster, robots), Person)
    assert who(koproxy, robots) == Nobody(401)


def test_audiences(cluster: Cluster, passing_for_vault: Koproxy, robot: str) -> None:
    own = cluster_audience(cluster)
    for audiences in ([own], [own, "vault"], [own, "other"]):
        robots = token(cluster, robot, *audiences)
        assert who(passing_for_vault, robots) == who(cluster, robots) != Nobody(401)
    # Let through by koproxy, for `vault`, or not, for `other`: the API server has the last word.
    for audience in ("vault", "other"):
        assert who(passing_for_vault, token(cluster, robot, audience)) == Nobody(401)


def test_an_audience_other_than_the_api_servers_alone(
    cluster: Cluster, reviewer: Path, start_koproxy: KoproxyStarter, robot: str
) -> None:
    koproxy = start_koproxy(
        "koproxy-passing-nothing-else",
        reviewer,
        cluster.issuer,
        flags=["--token-passthrough", "--token-passthrough-audiences=vault"],
    ).wait_until_ready()
    own = cluster_audience(cluster)
    assert who(koproxy, token(cluster, robot)) == Nobody(401)
    assert who(koproxy, token(cluster, robot, own)) == Nobody(401)
    both = token(cluster, robot, own, "vault")
    assert who(koproxy, both) == who(cluster, both) != Nobody(401)
    koproxy.server.stop()


def test_a_deleted_service_account_is_refused_soon(
    cluster: Cluster, passing: Koproxy, robot: str
) -> None:
    robots = token(cluster, robot)
    assert isinstance(who(passing, robots), Person)
    cluster.admin("delete", "serviceaccount", robot, f"--namespace={NAMESPACE}")
    # The API server and koproxy keep a good answer for ten seconds each.
    wait_until(lambda: who(passing, robots) == Nobody(401), "the token is refused", seconds=25)
