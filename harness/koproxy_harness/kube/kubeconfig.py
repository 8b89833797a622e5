"""A kubeconfig with one cluster, one user and one context."""

from __future__ import annotations

import base64

import yaml


def kubeconfig(server: str, ca_pem: str, user: dict[str, str], name: str = "harness") -> str:
    """Give a kubeconfig as YAML.

    https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
    """
    ca = base64.b64encode(ca_pem.encode()).decode()
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": name, "cluster": {"server": server, "certificate-authority-data": ca}}
            ],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        },
        sort_keys=False,
    )
