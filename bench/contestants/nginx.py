"""nginx that verifies nobody and only swaps headers: what an HTTP/1.1 proxy costs in C."""

from pathlib import Path

from bench import paths
from bench.authority import NAME
from bench.caller import GROUPS, USER
from bench.contestants import Ring, Running
from bench.nginx import start_nginx

_HTTP = """
    upstream api {{
        server {upstream};
        keepalive 512;
        keepalive_requests 1000000000;
        keepalive_timeout 1h;
    }}
    map $http_upgrade $upgrading {{
        default upgrade;
        "" "";
    }}
"""
# Headers are swapped alike everywhere; buffers are what serves each kind of request best.
_SERVER = """
        client_max_body_size 0;
        proxy_http_version 1.1;
        proxy_ssl_protocols TLSv1.2 TLSv1.3;
        proxy_ssl_verify on;
        proxy_ssl_trusted_certificate {authority};
        proxy_ssl_name {name};
        proxy_ssl_session_reuse on;
        proxy_headers_hash_bucket_size 256;
        proxy_buffer_size 64k;
        proxy_buffers 8 64k;
        proxy_busy_buffers_size 256k;
        proxy_max_temp_file_size 0;
        proxy_read_timeout 1h;
        proxy_set_header Connection $upgrading;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Host {upstream};
        proxy_set_header Authorization "Bearer {credential}";
        proxy_set_header Impersonate-User "{user}";
{groups}
        proxy_set_header X-Forwarded-For $remote_addr;
        location / {{
            proxy_pass https://api;
        }}
        location = {upload} {{
            client_body_buffer_size 64k;
            proxy_request_buffering off;
            proxy_pass https://api;
        }}
        location = {watch} {{
            proxy_buffering off;
            proxy_buffer_size 4k;
            proxy_pass https://api;
        }}
"""


class Nginx:
    """The limit."""

    name = "nginx"
    verifies = False
    everywhere = True

    def __init__(self, program: Path) -> None:
        self._program = program

    def start(self, ring: Ring) -> Running:
        """Start it."""
        upstream, name = ring.upstream, ring.name(self.name)
        program, port = start_nginx(
            self._program,
            ring.programs,
            ring.core,
            name,
            ring.authority.certificate(name),
            http=_HTTP.format(upstream=upstream.address),
            server=_SERVER.format(
                authority=upstream.authority,
                name=NAME,
                upstream=upstream.address,
                credential=upstream.credential,
                user=USER,
                groups="\n".join(
                    f"        proxy_set_header Impersonate-Group {group};" for group in GROUPS
                ),
                upload=paths.UPLOAD,
                watch=paths.WATCH,
            ),
        )
        return Running(program, port)
