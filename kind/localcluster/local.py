"""The cluster as plain processes: etcd, kube-apiserver, stand-ins for the kubelet, and Dex."""

from __future__ import annotations

from pathlib import Path

from localcluster.apiserver import ApiServer, start_api_server, start_etcd, wait_until_ready
from localcluster.binaries import binary
from localcluster.cluster import (
    CHECKSUM_PORT,
    CLUSTER_ROLE,
    ECHO_PORT,
    MANIFESTS,
    NAMESPACE,
    Cluster,
    write_credential,
)
from localcluster.dex import Dex
from localcluster.pki import Authority
from localcluster.processes import Processes, free_port, wait_until


def start(processes: Processes) -> Cluster:
    """Start everything, wait until it is ready, and leave its files in `processes.directory`.

    Raises `ServerFailed` and `NotBuilt`; what runs by then is for the caller to end.
    """
    directory = processes.directory
    directory.mkdir(parents=True, exist_ok=True)
    authority = Authority(directory / "pki")
    api = start_api_server(processes, authority, start_etcd(processes), wait=False)
    dex = Dex(processes, authority)
    dex.start()
    wait_until_ready(api)
    pod_log = directory / "pod.log"
    pod_log.write_text("")
    start_nodes(processes, authority, api, pod_log)
    api.admin("apply", "-f", CLUSTER_ROLE, "-f", MANIFESTS / "local.yaml")
    kubeconfig = write_credential(api.admin, api.url, api.ca, directory)
    api.admin("wait", f"--namespace={NAMESPACE}", "--for=condition=Ready", "pod", "--all")

    def write_log(line: str) -> None:
        with pod_log.open("a") as log:
            log.write(f"{line}\n")

    return Cluster(api.url, api.ca, api.admin, kubeconfig, dex.issuer, write_log)


def start_nodes(processes: Processes, authority: Authority, api: ApiServer, log: Path) -> None:
    """Start what stands for the kubelets of all nodes of `api`.

    kwok says that nodes and pods run (manifests/kwok.yaml); kubelet-streams answers exec, attach,
    logs and port-forward, with `log` as the log of every container.
    """
    serving = authority.server("kubelet-streams")
    port = free_port()
    address = f"127.0.0.1:{port}"
    streams = processes.start(
        "kubelet-streams",
        [
            binary("kubelet-streams"),
            f"--address={address}",
            f"--tls-cert-file={serving.certificate}",
            f"--tls-private-key-file={serving.key}",
            f"--client-ca-file={authority.certificate}",
            f"--log-file={log}",
            f"--port={ECHO_PORT}=cat",
            f"--port={CHECKSUM_PORT}=sha256sum",
        ],
    )
    wait_until(
        lambda: f"serving on {address}" in streams.log.read_text(),
        "kubelet-streams listens",
        server=streams,
    )
    processes.start(
        "kwok",
        [
            binary("kwok"),
            f"--kubeconfig={api.admin.kubeconfig}",
            f"--config={MANIFESTS / 'kwok.yaml'}",
            "--node-ip=127.0.0.1",
            f"--node-port={port}",
            "--server-address=127.0.0.1:0",  # else it takes the node's port, at all addresses
        ],
    )
