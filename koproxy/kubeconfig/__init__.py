"""Where the API server is and what the proxy shows it: a kubeconfig, or the pod's ServiceAccount.

The rules are client-go's (tools/clientcmd, rest), read from a file's bytes without a socket and
without a process; :mod:`koproxy.sources.credential` keeps what is found here fresh. What only a
person at a terminal could use is refused with a sentence.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from koproxy.errors import ConfigurationError
from koproxy.kubeconfig.access import Access, ExecPlugin, Server, Source
from koproxy.kubeconfig.in_cluster import MOUNT, in_cluster
from koproxy.kubeconfig.rules import API_SERVER, AUDIT_WEBHOOK, choose

__all__ = ["Access", "ExecPlugin", "Server", "Source", "find_access", "find_webhook"]


def find_access(
    kubeconfig: str | None,
    context: str | None,
    environ: Mapping[str, str] = os.environ,
    mount: Path = MOUNT,
) -> Access:
    """What ``--kubeconfig`` and ``--context`` say, or the pod's own ServiceAccount without them.

    ``environ`` and ``mount`` are the pod's variables and its ServiceAccount volume.

    Raises:
        ConfigurationError: there is no such file or context, or it can't work for a proxy.
    """
    if kubeconfig:
        file = Path(kubeconfig)
        content = Source(f"{API_SERVER.flag} {file}", path=file).read()
        return choose(content, file, context or None)
    if context:
        raise ConfigurationError(
            f"--context {context} chooses from a kubeconfig, and --kubeconfig is not given: give "
            "both, or neither to use the pod's ServiceAccount"
        )
    return in_cluster(environ, mount)


def find_webhook(kubeconfig: str) -> Access:
    """What ``--audit-webhook-config-file`` says: a server, with a credential or without.

    Raises:
        ConfigurationError: there is no such file, or it can't work for a proxy.
    """
    file = Path(kubeconfig)
    content = Source(f"{AUDIT_WEBHOOK.flag} {file}", path=file).read()
    return choose(content, file, None, AUDIT_WEBHOOK)
