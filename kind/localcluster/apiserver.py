"""etcd and kube-apiserver: as many API servers as one likes on one etcd, a key prefix for each.

Without `oidc_flags` an API server knows no OIDC at all, like a managed one.
"""

from __future__ import annotations

import secrets
import shutil
import ssl
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from localcluster.binaries import binary
from localcluster.kubectl import Kubectl, write_kubeconfig
from localcluster.pki import Authority, write_signing_key
from localcluster.processes import Processes, Server, free_port, wait_until


def answers(url: str, ca: Path | None = None, token: str | None = None) -> bool:
    """Whether GET `url` is answered with 200 now."""
    context = ssl.create_default_context(cafile=ca) if url.startswith("https:") else None
    request = urllib.request.Request(url)
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=5, context=context) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def start_etcd(processes: Processes) -> str:
    """An empty etcd on a free port, one for each folder; returns its URL."""
    data = processes.directory / "koproxy-etcd"
    shutil.rmtree(data, ignore_errors=True)
    client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    server = processes.start(
        "etcd",
        [
            binary("etcd"),
            f"--data-dir={data}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ],
    )
    wait_until(lambda: answers(f"{client}/readyz"), "etcd is ready", server=server)
    return client


@dataclass(frozen=True)
class ApiServer:
    """A ready kube-apiserver. `admin_token` is a token of the group system:masters."""

    name: str
    url: str
    ca: Path
    admin_token: str
    admin: Kubectl
    server: Server


def start_api_server(
    processes: Processes,
    authority: Authority,
    etcd: str,
    *,
    name: str = "kube-apiserver",
    oidc_flags: Sequence[str] = (),
    wait: bool = True,
) -> ApiServer:
    """A kube-apiserver on a free port, with RBAC, keys of its own, and `/NAME` as etcd prefix.

    `oidc_flags` are further flags as they are (`--oidc-issuer-url=...`). Returns when it is ready,
    or at once without `wait`: then call `wait_until_ready`. Raises `ServerFailed`.
    """
    directory = processes.directory / name
    directory.mkdir(parents=True, exist_ok=True)
    serving = authority.server(name)
    to_kubelets = authority.server(f"{name}-to-kubelets")
    signing_key = write_signing_key(directory / "serviceaccounts-key.pem")
    admin_token = secrets.token_urlsafe(24)
    tokens = directory / "tokens.csv"
    tokens.touch(mode=0o600)
    tokens.write_text(f'{admin_token},admin,admin,"system:masters"\n')
    url = f"https://127.0.0.1:{(port := free_port())}"
    server = processes.start(
        name,
        [
            binary("kube-apiserver"),
            f"--etcd-servers={etcd}",
            f"--etcd-prefix=/{name}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={port}",
            f"--tls-cert-file={serving.certificate}",
            f"--tls-private-key-file={serving.key}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={tokens}",
            f"--service-account-issuer={url}",
            f"--service-account-key-file={signing_key}",
            f"--service-account-signing-key-file={signing_key}",
            "--service-cluster-ip-range=10.96.0.0/16",
            # Nothing here makes a "default" ServiceAccount for each namespace, and nothing runs
            # behind a Service.
            "--disable-admission-plugins=ServiceAccount",
            "--endpoint-reconciler-type=none",
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-certificate-authority={authority.certificate}",
            f"--kubelet-client-certificate={to_kubelets.certificate}",
            f"--kubelet-client-key={to_kubelets.key}",
            *oidc_flags,
        ],
    )
    kubeconfig = write_kubeconfig(
        directory / "admin.kubeconfig", url, authority.certificate, {"token": admin_token}
    )
    api = ApiServer(name, url, authority.certificate, admin_token, Kubectl(kubeconfig), server)
    if wait:
        wait_until_ready(api)
    return api


def wait_until_ready(api: ApiServer) -> None:
    """Wait for /readyz, which comes after the built-in roles are there. Raises `ServerFailed`."""
    wait_until(
        lambda: answers(f"{api.url}/readyz", api.ca, api.admin_token),
        f"{api.name} is ready",
        seconds=120,
        server=api.server,
    )
