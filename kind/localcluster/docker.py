"""The cluster by kind, where a Docker engine runs; Dex is a Deployment in it.

Like the local one it gives an API server without OIDC, and everything listens on loopback only.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

from localcluster.apiserver import answers
from localcluster.cluster import CLUSTER_ROLE, MANIFESTS, NAMESPACE, POD, Cluster, write_credential
from localcluster.dex import Issuer, dex_config
from localcluster.kubectl import Kubectl
from localcluster.pki import Authority, Pair
from localcluster.processes import free_port, wait_until

NAME_FILE = "kind-cluster"
DEX_NODE_PORT = 32000  # the same in manifests/docker.yaml


def works() -> bool:
    """Whether kind is installed and a Docker engine answers."""
    if not (shutil.which("kind") and shutil.which("docker")):
        return False
    asked = subprocess.run(["docker", "version"], capture_output=True, check=False, timeout=30)
    return asked.returncode == 0


def is_up(directory: Path) -> bool:
    """Whether `start` has made a cluster for this folder that `stop` has not ended."""
    return (directory / NAME_FILE).exists()


def start(directory: Path) -> Cluster:
    """Make a cluster whose files are in `directory`, and wait until all in it is ready.

    Raises subprocess.CalledProcessError (kind has printed why), RuntimeError, `ServerFailed`;
    what runs by then is for the caller to end.
    """
    directory.mkdir(parents=True, exist_ok=True)
    name = f"koproxy-{directory.name}"
    (directory / NAME_FILE).write_text(name)
    dex_port = free_port()
    mapping = {
        "containerPort": DEX_NODE_PORT,
        "hostPort": dex_port,
        "listenAddress": "127.0.0.1",
    }
    config = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": "control-plane", "extraPortMappings": [mapping]}],
    }
    kubeconfig = directory / "admin.kubeconfig"
    subprocess.run(
        ["kind", "create", "cluster", "--name", name, "--kubeconfig", kubeconfig, "--config", "-"],
        input=json.dumps(config).encode(),
        check=True,
    )
    admin = Kubectl(kubeconfig)
    cluster = json.loads(admin("config", "view", "--raw", "-o", "json"))["clusters"][0]["cluster"]
    ca = directory / "ca.pem"
    ca.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))

    issuer = _deploy(admin, directory, dex_port)
    koproxy = write_credential(admin, cluster["server"], ca, directory)

    def write_log(line: str) -> None:
        admin(
            *("exec", "--stdin", f"--namespace={NAMESPACE}", POD),
            *("--", "sh", "-c", "cat >/proc/1/fd/1"),
            stdin=f"{line}\n".encode(),
        )

    return Cluster(cluster["server"], ca, admin, koproxy, issuer, write_log)


def _deploy(admin: Kubectl, directory: Path, dex_port: int) -> Issuer:
    authority = Authority(directory / "pki")
    pair = authority.server("dex")
    issuer = Issuer(f"https://127.0.0.1:{dex_port}/dex", authority.certificate)
    mounted = Pair(Path("/etc/dex/cfg/tls.crt"), Path("/etc/dex/cfg/tls.key"))
    config = dex_config(issuer.url, "0.0.0.0:5556", mounted)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "dex", "namespace": "dex"},
        "stringData": {
            "config.yaml": json.dumps(config),
            "tls.crt": pair.certificate.read_text(),
            "tls.key": pair.key.read_text(),
        },
    }
    admin("create", "namespace", "dex")
    admin.apply(secret)
    admin("create", "namespace", NAMESPACE)
    admin("wait", f"--namespace={NAMESPACE}", "--for=create", "serviceaccount/default")
    admin("apply", "-f", CLUSTER_ROLE, "-f", MANIFESTS / "docker.yaml")
    admin("rollout", "status", "--namespace=dex", "deployment/dex", "--timeout=180s")
    admin(
        *("wait", f"--namespace={NAMESPACE}", "--for=condition=Ready", "pod", "--all"),
        "--timeout=180s",
    )
    discovery = f"{issuer.url}/.well-known/openid-configuration"
    wait_until(lambda: answers(discovery, issuer.ca), f"Dex serves {discovery}")
    return issuer


def stop(directory: Path) -> list[str]:
    """Delete the cluster of `directory`, if there is one; returns the names of what was ended."""
    name_file = directory / NAME_FILE
    if not name_file.exists():
        return []
    name = name_file.read_text()
    subprocess.run(["kind", "delete", "cluster", "--name", name], check=True)
    name_file.unlink()
    return [name]
