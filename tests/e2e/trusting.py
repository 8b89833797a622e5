"""A kube-apiserver that trusts an issuer itself, and what koproxies before it need.

It and koproxy read the same AuthenticationConfiguration, so that everybody is the same person to
both: what the two answer can be compared.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from koproxy_harness import Issuer
from localcluster.apiserver import ApiServer, start_api_server
from localcluster.cluster import CLUSTER_ROLE, NAMESPACE, write_credential
from localcluster.kubectl import Kubectl, write_kubeconfig
from localcluster.pki import Authority
from localcluster.processes import Processes

AUDIENCE = "kubernetes"


@dataclass(frozen=True)
class Trusting:
    """The API server and its audit log, the issuer, the configuration of the API server and
    koproxy, and koproxy's kubeconfig."""

    api: ApiServer
    audit_log: Path
    issuer: Issuer
    file: Path
    kubeconfig: Path

    def token(self, name: str, groups: Sequence[str] = (), **claims: object) -> str:
        """A token for somebody; the claims `uid` and `team` may be in it."""
        now = int(time.time())
        good = {"iss": self.issuer.url, "aud": AUDIENCE, "iat": now, "exp": now + 3600}
        return self.issuer.sign({**good, "sub": name, "groups": list(groups), **claims})

    def kubectl(self, token: str, name: str) -> Kubectl:
        """kubectl without koproxy between."""
        path = Path(self.file).parent / "people" / f"trusting-{name}.kubeconfig"
        return Kubectl(write_kubeconfig(path, self.api.url, self.api.ca, {"token": token}))


def audit_flags(directory: Path, log: Path) -> list[str]:
    """Flags of kube-apiserver and of koproxy, to write all about all requests but their bodies."""
    policy = directory / "audit-policy.json"
    rules = [{"level": "Metadata"}]
    policy.write_text(
        json.dumps({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": rules})
    )
    log.unlink(missing_ok=True)
    return [f"--audit-policy-file={policy}", f"--audit-log-path={log}"]


def write_reviewer(admin: Kubectl, url: str, ca: Path, directory: Path, name: str) -> Path:
    """Make an account for a koproxy that may also ask about tokens and rights of others, and
    impersonate ServiceAccounts; its kubeconfig."""
    account = f"--serviceaccount=koproxy:{name}"
    admin("create", "serviceaccount", name, "--namespace=koproxy")
    admin(
        *("create", "clusterrole", f"{name}-of-serviceaccounts"),
        *("--verb=impersonate", "--resource=serviceaccounts"),
    )
    for role in ("koproxy", "system:auth-delegator", f"{name}-of-serviceaccounts"):
        binding = f"{name}-{role.rpartition(':')[2]}"
        admin("create", "clusterrolebinding", binding, f"--clusterrole={role}", account)
    return write_credential(admin, url, ca, directory, account=name)


def start_trusting(
    processes: Processes, authority: Authority, etcd: str, issuer: Issuer
) -> Trusting:
    """Start one with the namespace `shop` in it, for an issuer that runs."""
    directory = processes.directory / "trusting"
    directory.mkdir(parents=True, exist_ok=True)
    mappings: dict[str, Any] = {
        "username": {"claim": "sub", "prefix": ""},
        "groups": {"claim": "groups", "prefix": ""},
        "uid": {"expression": "claims.?uid.orValue('')"},
        "extra": [{"key": "example.org/team", "valueExpression": "claims.?team.orValue('')"}],
    }
    entry = {
        "issuer": {
            "url": issuer.url,
            "audiences": [AUDIENCE],
            "certificateAuthority": issuer.ca_pem,
        },
        "claimMappings": mappings,
    }
    file = directory / "authentication.json"
    head = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration"}
    file.write_text(json.dumps({**head, "jwt": [entry]}))
    audit_log = directory / "audit.log"
    api = start_api_server(
        processes,
        authority,
        etcd,
        name="trusting-kube-apiserver",
        oidc_flags=[f"--authentication-config={file}", *audit_flags(directory, audit_log)],
    )
    api.admin("apply", "-f", CLUSTER_ROLE)
    api.admin("create", "namespace", NAMESPACE)
    kubeconfig = write_reviewer(api.admin, api.url, api.ca, directory, "reviewer")
    return Trusting(api, audit_log, issuer, file, kubeconfig)
