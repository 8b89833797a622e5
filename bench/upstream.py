"""The API server of the benchmark: an nginx that answers every request with the same list.

It is as fast as a server gets, so that the contestants are what is measured. It answers only who
brings the proxy's credential and the impersonated user: a contestant that leaves out the work has
no figures.
"""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from bench.authority import ADDRESS, Authority
from bench.caller import USER
from bench.nginx import start_nginx
from bench.processes import Programs

BODY_BYTES = 4096

_HTTP = """
    map_hash_bucket_size 256;
    map "$http_authorization $http_impersonate_user" $refused {{
        default 1;
        "Bearer {credential} {user}" "";
    }}
"""
_SERVER = """
        default_type application/json;
        etag off;
        open_file_cache max=16 inactive=1h;
        open_file_cache_valid 1h;
        location / {{
            if ($refused) {{
                return 403;
            }}
            root {folder};
            add_header Audit-Id 8f5cbd6e-6d5c-4e6c-9a39-1a2f0a3c1f11;
            add_header Cache-Control "no-cache, private";
            add_header X-Kubernetes-Pf-Flowschema-Uid 0c2bd1a7-5d2e-44b7-8a3f-6f0f6d7f3c5e;
            add_header X-Kubernetes-Pf-Prioritylevel-Uid 6f1f2c1b-4c53-4c9a-9d0a-5b6f2d3a7e90;
            try_files /answer.json =500;
        }}
        location = /apis/authorization.k8s.io/v1/selfsubjectaccessreviews {{
            return 201 '{{"status": {{"allowed": true}}}}';
        }}
"""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A running upstream, and what a proxy must bring."""

    port: int
    authority: Path
    credential: str
    body: bytes

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{ADDRESS}:{self.port}"


def start_upstream(nginx: Path, programs: Programs, core: int, authority: Authority) -> Upstream:
    """Start it."""
    credential = secrets.token_urlsafe(32)
    body = _list_of_pods()
    (programs.folder / "answer.json").write_bytes(body)
    _, port = start_nginx(
        nginx,
        programs,
        core,
        "upstream",
        authority.certificate("upstream"),
        http=_HTTP.format(credential=credential, user=USER),
        server=_SERVER.format(folder=programs.folder),
    )
    return Upstream(port, authority.file, credential, body)


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
