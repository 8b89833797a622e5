"""What `kind/up` and `kind/down` run. Prints for people; decides nothing but Docker or not."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from localcluster import docker, local
from localcluster.binaries import NotBuilt
from localcluster.cluster import REPOSITORY, Cluster
from localcluster.dex import CLIENT_SECRET, CLIENTS, PASSWORD, PEOPLE
from localcluster.processes import RECORD, Processes, ServerFailed, stop_recorded


def up(directory: Path) -> None:
    """Start a cluster in `directory` and say what a person needs to use it."""
    if (directory / RECORD).exists() or docker.is_up(directory):
        raise ServerFailed(f"{directory} has a cluster already: end it with kind/down first")
    began = time.monotonic()
    try:
        if docker.works():
            cluster, how = docker.start(directory), "by kind, in Docker"
        else:
            cluster, how = local.start(Processes(directory)), "as local processes"
    except BaseException:
        down(directory)
        raise
    print(f"The cluster is up after {time.monotonic() - began:.0f} s, {how}.\n")
    print(describe(cluster))


def describe(cluster: Cluster) -> str:
    """The files, the people, and the commands to paste."""
    people = "\n".join(
        f"    {email}  groups: {', '.join(groups) or 'none'}" for email, groups in PEOPLE.items()
    )
    issuer = cluster.issuer
    return f"""\
kubectl as admin        KUBECONFIG={cluster.admin.kubeconfig}
koproxy's kubeconfig    {cluster.koproxy_kubeconfig}
API server              {cluster.url}, CA {cluster.ca}
Dex                     {issuer.url}, CA {issuer.ca}
people (password: {PASSWORD})
{people}

koproxy before it:

    koproxy serve --kubeconfig {cluster.koproxy_kubeconfig} \\
        --oidc-issuer-url {issuer.url} --oidc-ca-file {issuer.ca} \\
        --oidc-client-id {CLIENTS[0]} --oidc-username-claim email --oidc-groups-claim groups

A person's token is `id_token` in the answer to:

    curl --cacert {issuer.ca} {issuer.url}/token \\
        -d grant_type=password -d scope='openid email groups' -d client_id={CLIENTS[0]} \\
        -d client_secret={CLIENT_SECRET} -d username={next(iter(PEOPLE))} -d password={PASSWORD}
"""


def down(directory: Path) -> None:
    """End what `up` has started in `directory`."""
    ended = docker.stop(directory) or stop_recorded(directory)
    print(f"ended: {', '.join(ended)}" if ended else f"nothing runs in {directory}")


def main() -> int:
    """Read the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="kind", description="A cluster to try koproxy on.")
    parser.add_argument("command", choices=["up", "down"])
    parser.add_argument(
        "--directory",
        type=Path,
        default=os.environ.get("KOPROXY_CLUSTER_DIR", REPOSITORY / "build" / "cluster"),
        help="where keys, logs and kubeconfigs are (default: KOPROXY_CLUSTER_DIR, build/cluster)",
    )
    arguments = parser.parse_args()
    directory: Path = arguments.directory.resolve()
    try:
        up(directory) if arguments.command == "up" else down(directory)
    except (ServerFailed, NotBuilt, RuntimeError, subprocess.CalledProcessError) as error:
        print(f"kind/{arguments.command}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
