"""The cluster as plain processes: etcd, kube-apiserver, kwok as the kubelet, and Dex."""

from __future__ import annotations

import datetime

from localcluster.apiserver import ApiServer, start_api_server, start_etcd, wait_until_ready
from localcluster.binaries import binary
from localcluster.cluster import CLUSTER_ROLE, MANIFESTS, NAMESPACE, POD, Cluster, write_credential
from localcluster.dex import Dex
from localcluster.pki import Authority
from localcluster.processes import Processes, free_port


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
    start_kwok(processes, authority, api)
    api.admin("apply", "-f", CLUSTER_ROLE, "-f", MANIFESTS / "local.yaml")
    kubeconfig = write_credential(api.admin, api.url, api.ca, directory)
    api.admin("wait", f"--namespace={NAMESPACE}", "--for=condition=Ready", f"pod/{POD}")

    def write_log(line: str) -> None:
        now = datetime.datetime.now(datetime.UTC).isoformat()
        with pod_log.open("a") as log:  # in the format of CRI, as a kubelet expects it
            log.write(f"{now} stdout F {line}\n")

    return Cluster(api.url, api.ca, api.admin, kubeconfig, dex.issuer, write_log)


def start_kwok(processes: Processes, authority: Authority, api: ApiServer) -> None:
    """Start the kubelet of all nodes of `api`; what it does is in manifests/kwok.yaml."""
    serving = authority.server("kwok")
    port = free_port()
    processes.start(
        "kwok",
        [
            binary("kwok"),
            f"--kubeconfig={api.admin.kubeconfig}",
            f"--config={MANIFESTS / 'kwok.yaml'}",
            "--node-ip=127.0.0.1",
            f"--node-port={port}",
            f"--server-address=127.0.0.1:{port}",
            f"--tls-cert-file={serving.certificate}",
            f"--tls-private-key-file={serving.key}",
        ],
    )
