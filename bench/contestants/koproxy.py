"""``koproxy serve`` as people run it, with the issuer's tokens verified."""

import json
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

from bench.authority import ADDRESS
from bench.caller import CLIENT_ID
from bench.contestants import Ring, Running
from bench.upstream import Upstream

ACCESS_LOG, AUDIT = "koproxy-access-log", "koproxy-audit"

_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "rules": [{"level": "Metadata"}],
}


class Koproxy:
    """What it is all about: plain Python, or the modules in the folder ``compiled``.

    By its name it also writes an access log, or an audit log of all events of all requests.
    """

    verifies = True

    def __init__(self, name: str = "koproxy", compiled: Path | None = None) -> None:
        self.name = name
        self.everywhere = name not in (ACCESS_LOG, AUDIT)
        self._environment = {} if compiled is None else {"PYTHONPATH": str(compiled)}

    def start(self, ring: Ring) -> Running:
        """Start it; it serves when ``/readyz`` says so."""
        name = ring.name(self.name)
        kubeconfig = ring.write(f"{name}.kubeconfig", json.dumps(_kubeconfig(ring.upstream)))
        pair = ring.authority.certificate(name)
        program = ring.programs.start(
            name,
            [
                *(sys.executable, "-P", "-m", "koproxy", "serve"),
                *("--bind-address", ADDRESS, "--secure-port", "0", "--readiness-probe-port", "0"),
                *("--tls-cert-file", pair.certificate, "--tls-private-key-file", pair.key),
                *("--kubeconfig", kubeconfig),
                *("--oidc-issuer-url", ring.issuer_url, "--oidc-ca-file", ring.issuer_ca),
                *("--oidc-client-id", CLIENT_ID),
                *("--oidc-username-prefix", "-", "--oidc-groups-claim", "groups"),
                *self._logs(ring, name),
            ],
            ring.core,
            self._environment,
        )
        line = rf"koproxy: {{}} on {re.escape(ADDRESS)}:(\d+)$"
        health = program.port(line.format("health"))
        program.until(lambda: _is_ready(health), "/readyz answered 200")
        return Running(program, program.port(line.format("serving https")))

    def _logs(self, ring: Ring, name: str) -> tuple[str | Path, ...]:
        log = ring.programs.folder / f"{name}.log"
        if self.name == ACCESS_LOG:
            return ("--access-log-path", log)
        if self.name == AUDIT:
            policy = ring.write(f"{name}.policy", json.dumps(_POLICY))
            return ("--audit-policy-file", policy, "--audit-log-path", log)
        return ()


def _kubeconfig(upstream: Upstream) -> dict[str, object]:
    server = {
        "server": f"https://{upstream.address}",
        "certificate-authority": str(upstream.authority),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bench", "cluster": server}],
        "users": [{"name": "proxy", "user": {"token": upstream.credential}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "proxy"}}],
        "current-context": "bench",
    }


def _is_ready(port: int) -> bool | None:
    try:
        with urllib.request.urlopen(f"http://{ADDRESS}:{port}/readyz", timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError):
        return None
