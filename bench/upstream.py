"""The API servers of the benchmark: they answer who brings the proxy's credential and the user.

A contestant that leaves out the work has no figures. One is an nginx, as fast as a server gets,
that answers with files; the other is ``bench/peer``, for what nginx can't be asked.
"""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from bench import paths
from bench.authority import ADDRESS, Authority
from bench.builds import GO_ENVIRONMENT
from bench.caller import USER
from bench.nginx import free_port, start_nginx
from bench.processes import Programs

BODY_BYTES = 4096
LARGE_BYTES = 8 * 1024 * 1024

_HTTP = """
    map_hash_bucket_size 256;
    map "$http_authorization $http_impersonate_user" $refused {{
        default 1;
        "Bearer {credential} {user}" "";
    }}
    http2_max_concurrent_streams 1000;
    http2_chunk_size 16k;
"""
_LISTEN = "        listen {address}:{port} ssl http2 backlog=4096;"
_SERVER = """
        default_type application/json;
        etag off;
        open_file_cache max=16 inactive=1h;
        open_file_cache_valid 1h;
        root {folder};
        location / {{
            if ($refused) {{
                return 403;
            }}
            add_header Audit-Id 8f5cbd6e-6d5c-4e6c-9a39-1a2f0a3c1f11;
            add_header Cache-Control "no-cache, private";
            add_header X-Kubernetes-Pf-Flowschema-Uid 0c2bd1a7-5d2e-44b7-8a3f-6f0f6d7f3c5e;
            add_header X-Kubernetes-Pf-Prioritylevel-Uid 6f1f2c1b-4c53-4c9a-9d0a-5b6f2d3a7e90;
            try_files /{answer} =500;
        }}
        location = {large_path} {{
            if ($refused) {{
                return 403;
            }}
            try_files /{large} =500;
        }}
        location = {review_path} {{
            return 201 '{{"status": {{"allowed": true}}}}';
        }}
"""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A running upstream, and what a proxy must bring.

    ``http2_port`` may be the same port, if it leaves the choice to the client.
    """

    name: str
    port: int
    http2_port: int
    authority: Path
    credential: str

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{ADDRESS}:{self.port}"

    @property
    def http2_address(self) -> str:
        """Host and port for who wants HTTP/2."""
        return f"{ADDRESS}:{self.http2_port}"


@dataclass(frozen=True, slots=True)
class Content:
    """What the upstreams answer, and want to have uploaded, as files."""

    small: Path
    large: Path


def make_content(folder: Path) -> Content:
    """Write it: a list of pods, and bytes that don't look like each other."""
    content = Content(folder / "small", folder / "large")
    content.small.write_bytes(_list_of_pods())
    content.large.write_bytes(os.urandom(LARGE_BYTES))
    return content


def start_files(
    nginx: Path, programs: Programs, core: int, authority: Authority, content: Content
) -> Upstream:
    """Start the one that answers with files."""
    credential, http2_port = secrets.token_urlsafe(32), free_port()
    _, port = start_nginx(
        nginx,
        programs,
        core,
        "files",
        authority.certificate("files"),
        http=_HTTP.format(credential=credential, user=USER),
        server=_SERVER.format(
            folder=programs.folder,
            answer=content.small.name,
            large=content.large.name,
            large_path=paths.LARGE,
            review_path=paths.REVIEW,
        ),
        listen=_LISTEN.format(address=ADDRESS, port=http2_port),
    )
    return Upstream("files", port, http2_port, authority.file, credential)


def start_streams(
    peer: Path, programs: Programs, core: int, authority: Authority, content: Content
) -> Upstream:
    """Start the one that takes uploads, holds watches and speaks through tunnels."""
    credential = secrets.token_urlsafe(32)
    credential_file = programs.folder / "streams-credential"
    credential_file.write_text(credential)
    pair = authority.certificate("streams")
    program = programs.start(
        "streams",
        [
            *(peer, "upstream", "-address", f"{ADDRESS}:0"),
            *("-certificate", pair.certificate, "-key", pair.key),
            *("-credential-file", credential_file, "-user", USER),
            *("-answer-file", content.small, "-content-file", content.large),
        ],
        core,
        GO_ENVIRONMENT,
    )
    port = program.port(r"^serving https on \S+:(\d+)$")
    return Upstream("streams", port, port, authority.file, credential)


def _list_of_pods() -> bytes:
    """A PodList of exactly BODY_BYTES, filled up in an annotation."""
    metadata: dict[str, object] = {"name": "web-0", "namespace": "default", "annotations": {}}
    answer = {
        "kind": "PodList",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": "1"},
        "items": [{"metadata": metadata, "status": {"phase": "Running"}}],
    }
    metadata["annotations"] = {"filling": ""}
    missing = BODY_BYTES - len(json.dumps(answer))
    metadata["annotations"] = {"filling": "x" * missing}
    return json.dumps(answer).encode()
