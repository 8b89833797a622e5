"""koproxy's own credential and its rights: they change while people ask."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from e2e.load import CONFIGMAPS, load
from e2e.running import KoproxyStarter
from localcluster.apiserver import answers
from localcluster.cluster import Cluster, write_credential, write_token
from localcluster.dex import ANNA
from localcluster.processes import Processes, wait_until

GROUP = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Account:
    """A ServiceAccount with a ClusterRole of its own, and the kubeconfig of its token."""

    cluster: Cluster
    name: str
    kubeconfig: Path

    @property
    def token(self) -> str:
        """The token that koproxy has been given last."""
        return self.kubeconfig.with_suffix(".token").read_text()

    def is_accepted(self, token: str) -> bool:
        """Whether the API server takes the token."""
        return answers(f"{self.cluster.url}/api", self.cluster.ca, token)

    def replace(self) -> None:
        """Delete the account and make it again, and wait until its token is worth nothing.

        The API server knows a token for some seconds after its account is gone.
        """
        token = self.token
        self.cluster.admin("delete", "serviceaccount", self.name, "--namespace=koproxy")
        self.cluster.admin("create", "serviceaccount", self.name, "--namespace=koproxy")
        wait_until(lambda: not self.is_accepted(token), "the API server refuses the old token")

    def write_token(self) -> None:
        """Give koproxy a new token."""
        write_token(self.cluster.admin, self.kubeconfig.with_suffix(".token"), account=self.name)

    def allow(self, *resources: str) -> None:
        """Let the account impersonate these (users, groups), and nothing else."""
        self.cluster.admin.apply(
            {
                "apiVersion": f"{GROUP}/v1",
                "kind": "ClusterRole",
                "metadata": {"name": self.name},
                "rules": [
                    {"apiGroups": [""], "resources": resources, "verbs": ["impersonate"]},
                    {
                        "apiGroups": ["authentication.k8s.io"],
                        "resources": ["*"],
                        "verbs": ["impersonate"],
                    },
                ],
            }
        )


@pytest.fixture
def account(
    cluster: Cluster, parts: Processes, request: pytest.FixtureRequest
) -> Iterator[Account]:
    """An account for one test, which may impersonate users and groups."""
    name = request.node.name.replace("_", "-")
    admin = cluster.admin
    admin("create", "serviceaccount", name, "--namespace=koproxy")
    admin.apply(
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "koproxy"}],
        }
    )
    kubeconfig = write_credential(admin, cluster.url, cluster.ca, parts.directory, account=name)
    account = Account(cluster, name, kubeconfig)
    account.allow("users", "groups")
    yield account
    admin("delete", "serviceaccount", name, "--namespace=koproxy")
    admin("delete", "clusterrolebinding,clusterrole", name)


def test_a_rotated_token_is_noticed_by_nobody(
    cluster: Cluster, account: Account, start_koproxy: KoproxyStarter
) -> None:
    koproxy = start_koproxy(account.name, account.kubeconfig, cluster.issuer).wait_until_ready()
    with load() as people:
        askers = [people.add(koproxy, cluster.issuer.log_in(ANNA)) for _ in range(2)]
        for asker in askers:
            asker.wait_for(200)
        before = account.token
        cluster.admin("delete", "serviceaccount", account.name, "--namespace=koproxy")
        cluster.admin("create", "serviceaccount", account.name, "--namespace=koproxy")
        account.write_token()
        wait_until(lambda: not account.is_accepted(before), "the API server refuses the old token")
        for asker in askers:
            asker.wait_for(200)
    for asker in askers:
        assert asker.failure is None
        assert asker.changes() == [200]
    koproxy.server.stop()


def test_a_refused_token_is_said_and_a_new_one_is_taken(
    cluster: Cluster, account: Account, start_koproxy: KoproxyStarter
) -> None:
    koproxy = start_koproxy(account.name, account.kubeconfig, cluster.issuer).wait_until_ready()
    person = cluster.issuer.log_in(ANNA)
    assert koproxy.get(CONFIGMAPS, person).status == 200

    account.replace()
    refused = koproxy.get(CONFIGMAPS, person)
    assert (refused.status, refused.body["kind"]) == (502, "Status")
    assert "credential" in refused.body["message"]
    kubectl = koproxy.kubectl(person).run("get", "configmaps", "--namespace=shop")
    assert "You must be logged in" not in kubectl.stderr.decode()
    status, text = koproxy.readiness()
    assert status == 503
    assert "[-]credential" in text
    assert account.token not in refused.body["message"] + text

    account.write_token()
    assert koproxy.get(CONFIGMAPS, person).status == 200  # the very next request has it read
    koproxy.wait_until_ready()
    koproxy.server.stop()


def test_a_missing_right_is_named(
    cluster: Cluster, account: Account, start_koproxy: KoproxyStarter
) -> None:
    account.allow("users")
    koproxy = start_koproxy(account.name, account.kubeconfig, cluster.issuer)

    def rights() -> str:
        lines = koproxy.readiness()[1].splitlines()
        return next(line for line in lines if "rights" in line.split()[0])

    wait_until(lambda: "may not impersonate groups:" in rights(), "the missing right is named")
    refused = koproxy.get(CONFIGMAPS, cluster.issuer.log_in(ANNA))
    assert refused.status == 403

    account.allow("users", "groups")
    wait_until(lambda: rights() == "[+]rights ok", "the right is seen")
    assert koproxy.get(CONFIGMAPS, cluster.issuer.log_in(ANNA)).status == 200
    koproxy.server.stop()
