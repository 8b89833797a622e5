"""The API server as a pod sees it: two environment variables and the ServiceAccount's volume.

Follows "Accessing the Kubernetes API from a Pod" and client-go's ``rest.InClusterConfig``. Unlike
client-go, a missing ``ca.crt`` is an error here: falling back to the system's authorities would
trust others than the cluster's.
"""

from collections.abc import Mapping
from pathlib import Path

from koproxy.errors import ConfigurationError
from koproxy.kubeconfig.access import Access, Server, Source

MOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def in_cluster(environ: Mapping[str, str], mount: Path) -> Access:
    """The pod's own API server and ServiceAccount.

    Raises:
        ConfigurationError: this is not a pod, or one without a ServiceAccount's token.
    """
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        raise ConfigurationError(
            "--kubeconfig is not given and this is not a pod (KUBERNETES_SERVICE_HOST and "
            "KUBERNETES_SERVICE_PORT are not set): give --kubeconfig FILE"
        )
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigurationError(
            f"KUBERNETES_SERVICE_PORT is {port!r}, which is no port: leave the variable as "
            "Kubernetes sets it, or give --kubeconfig FILE"
        )
    return Access(
        Server(
            url=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
            host=host,
            port=int(port),
            path_prefix=b"",
            tls_name=host,
        ),
        authority=Source("the ServiceAccount's CA", path=mount / "ca.crt"),
        token_file=Source("the ServiceAccount's token", path=mount / "token"),
    )
