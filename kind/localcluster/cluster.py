"""What a cluster for koproxy is, whichever way it runs: the names and files that a person needs.

Putting koproxy's ServiceAccount into it is the same everywhere and is done here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from localcluster.dex import Issuer
from localcluster.kubectl import Kubectl, write_kubeconfig

REPOSITORY = Path(__file__).parents[2]
CLUSTER_ROLE = REPOSITORY / "deploy" / "clusterrole.yaml"
MANIFESTS = REPOSITORY / "kind" / "manifests"

NAMESPACE = "shop"
POD = "web"
CAT = "cat"
ECHO_PORT = 8080
CHECKSUM_PORT = 8081


@dataclass(frozen=True)
class Cluster:
    """A running API server that knows no OIDC, and a Dex beside it.

    The pod `web` in the namespace `shop` sends back what it gets at `ECHO_PORT`, answers at
    `CHECKSUM_PORT` as `sha256sum` does once its input has ended, and prints each line that is given
    to `write_log`. The pod `cat` runs `cat`, to attach to. koproxy runs with `koproxy_kubeconfig`.
    """

    url: str
    ca: Path
    admin: Kubectl
    koproxy_kubeconfig: Path
    issuer: Issuer
    write_log: Callable[[str], None]


def write_credential(
    admin: Kubectl, url: str, ca: Path, directory: Path, *, account: str = "koproxy"
) -> Path:
    """Write `ACCOUNT.kubeconfig`, whose token is in the file `ACCOUNT.token` beside it."""
    token = directory / f"{account}.token"
    write_token(admin, token, account=account)
    return write_kubeconfig(directory / f"{account}.kubeconfig", url, ca, {"tokenFile": token.name})


def write_token(admin: Kubectl, path: Path, *, account: str = "koproxy") -> str:
    """Get a new token of the ServiceAccount, put it into the file in one step, and return it."""
    token = admin("create", "token", account, "--namespace=koproxy", "--duration=24h").strip()
    temporary = path.with_name(f"{path.name}.new")
    temporary.touch(mode=0o600)
    temporary.write_text(token)
    temporary.replace(path)
    return token
