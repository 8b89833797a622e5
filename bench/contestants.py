"""The proxies that are compared: how each is started for the same work.

Each verifies TLS towards the upstream, keeps its connections, and sends its own credential with
the user's identity. A new contestant is a class with a name and a ``start``.
"""

import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.authority import ADDRESS, NAME, Authority
from bench.caller import CLIENT_ID, GROUPS, USER
from bench.nginx import start_nginx
from bench.processes import Program, Programs
from bench.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Running:
    """A contestant that serves: its processes, and the HTTPS port on ADDRESS."""

    program: Program
    port: int


@dataclass(frozen=True, slots=True)
class Ring:
    """What all contestants meet in: the upstream, the authority, the issuer, the core."""

    programs: Programs
    upstream: Upstream
    authority: Authority
    issuer_url: str
    issuer_ca: Path
    core: int


class Contestant(Protocol):
    """A proxy that can be started."""

    name: str

    def start(self, ring: Ring) -> Running:
        """Start it and wait until it serves; raises NoFigure if it doesn't."""


class Koproxy:
    """``koproxy serve`` as people run it, with the issuer's tokens verified."""

    name = "koproxy"

    def __init__(self, program: Path) -> None:
        self._program = program

    def start(self, ring: Ring) -> Running:
        """Start it; it serves when ``/readyz`` says so."""
        folder = ring.programs.folder
        kubeconfig = folder / "koproxy.kubeconfig"
        kubeconfig.write_text(json.dumps(_kubeconfig(ring.upstream)))
        pair = ring.authority.certificate(self.name)
        program = ring.programs.start(
            self.name,
            [
                *(self._program, "serve"),
                *("--bind-address", ADDRESS, "--secure-port", "0", "--readiness-probe-port", "0"),
                *("--tls-cert-file", pair.certificate, "--tls-private-key-file", pair.key),
                *("--kubeconfig", kubeconfig),
                *("--oidc-issuer-url", ring.issuer_url, "--oidc-ca-file", ring.issuer_ca),
                *("--oidc-client-id", CLIENT_ID),
                *("--oidc-username-prefix", "-", "--oidc-groups-claim", "groups"),
            ],
            ring.core,
        )

        def port(of: str) -> int:
            line = re.compile(rf"koproxy: {of} on {re.escape(ADDRESS)}:(\d+)$", re.MULTILINE)
            found = program.until(
                lambda: line.search(program.log.read_text()), f"it said where its {of} is"
            )
            return int(found[1])

        health = port("health")
        program.until(lambda: _is_ready(health), "/readyz answered 200")
        return Running(program, port("serving https"))


class Nginx:
    """nginx that verifies nobody and only swaps headers: what an HTTP/1.1 proxy costs in C."""

    name = "nginx"

    _HTTP = """
    upstream api {{
        server {upstream};
        keepalive 512;
        keepalive_requests 1000000000;
        keepalive_timeout 1h;
    }}
"""
    _SERVER = """
        location / {{
            proxy_pass https://api;
            proxy_http_version 1.1;
            proxy_ssl_protocols TLSv1.2 TLSv1.3;
            proxy_ssl_verify on;
            proxy_ssl_trusted_certificate {authority};
            proxy_ssl_name {name};
            proxy_ssl_session_reuse on;
            proxy_headers_hash_bucket_size 256;
            proxy_buffer_size 64k;
            proxy_buffers 8 64k;
            proxy_set_header Connection "";
            proxy_set_header Host {upstream};
            proxy_set_header Authorization "Bearer {credential}";
            proxy_set_header Impersonate-User "{user}";
{groups}
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
"""

    def __init__(self, program: Path) -> None:
        self._program = program

    def start(self, ring: Ring) -> Running:
        """Start it."""
        upstream = ring.upstream
        program, port = start_nginx(
            self._program,
            ring.programs,
            ring.core,
            self.name,
            ring.authority.certificate(self.name),
            http=self._HTTP.format(upstream=upstream.address),
            server=self._SERVER.format(
                authority=upstream.authority,
                name=NAME,
                upstream=upstream.address,
                credential=upstream.credential,
                user=USER,
                groups="\n".join(
                    f"            proxy_set_header Impersonate-Group {group};" for group in GROUPS
                ),
            ),
        )
        return Running(program, port)


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
