"""nginx with one worker and no log of requests, for whatever part it plays here."""

import grp
import os
import pwd
import resource
import socket
from pathlib import Path

from bench.authority import ADDRESS, Certificate
from bench.processes import Program, Programs

_CONFIGURATION = """\
{user}worker_processes 1;
worker_rlimit_nofile {files};
daemon off;
pid {folder}/{name}.pid;
error_log stderr warn;
events {{
    worker_connections 24576;
}}
http {{
    access_log off;
    client_body_temp_path {folder}/{name}-body;
    proxy_temp_path {folder}/{name}-proxy;
    fastcgi_temp_path {folder}/{name}-fastcgi;
    uwsgi_temp_path {folder}/{name}-uwsgi;
    scgi_temp_path {folder}/{name}-scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
{http}
    server {{
        listen {address}:{port} ssl backlog=4096;
{listen}
        ssl_certificate {certificate.certificate};
        ssl_certificate_key {certificate.key};
        ssl_protocols TLSv1.2 TLSv1.3;
{server}
    }}
}}
"""


def free_port() -> int:
    """A TCP port of ADDRESS that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def start_nginx(
    nginx: Path,
    programs: Programs,
    core: int,
    name: str,
    certificate: Certificate,
    *,
    http: str = "",
    server: str,
    listen: str = "",
) -> tuple[Program, int]:
    """Start an nginx that serves HTTPS on ADDRESS; gives it and its port when it accepts.

    ``http`` and ``server`` are the lines of its configuration that make its part, ``listen`` those
    of further ports.
    """
    port = free_port()
    user = ""
    if os.geteuid() == 0:  # it would give its worker to somebody who can't read our files
        user = f"user {pwd.getpwuid(0).pw_name} {grp.getgrgid(0).gr_name};\n"
    configuration = programs.folder / f"{name}.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            user=user,
            files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            folder=programs.folder,
            name=name,
            http=http,
            address=ADDRESS,
            port=port,
            certificate=certificate,
            listen=listen,
            server=server,
        )
    )
    program = programs.start(
        name, [nginx, "-e", "stderr", "-p", programs.folder, "-c", configuration], core
    )
    program.until(lambda: _accepts(port), "it accepted a connection")
    return program, port


def _accepts(port: int) -> bool | None:
    with socket.socket() as probe:
        return True if probe.connect_ex((ADDRESS, port)) == 0 else None
