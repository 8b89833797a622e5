"""koproxy as a process between the harness's issuer and API server, and a client of its bytes."""

import contextlib
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from koproxy_harness import Issuer, KubeAPI

SECONDS = 20.0
# Objects for people to see, and the right to see them, in what stands for a cluster.
PEOPLE_MAY_LOOK = """
apiVersion: v1
kind: Namespace
metadata: {name: demo}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: people-may-look}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}
"""
SCRIPTS = Path(sys.executable).parent
SERVE = (str(SCRIPTS / "koproxy"), "serve")


class Running:
    """A process whose lines on standard error are kept, and can be waited for."""

    def __init__(self, command: Sequence[str], directory: Path) -> None:
        self.directory = directory
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            command, cwd=directory, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (self.process.stderr, self.process.stdout)
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Iterator[str]) -> None:
        for line in stream:
            with self._news:
                self.lines.append(line)
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first line with this pattern."""
        deadline = time.monotonic() + SECONDS
        with self._news:
            while True:
                for line in self.lines:
                    if match := re.search(pattern, line):
                        return match
                left = deadline - time.monotonic()
                if left <= 0 or self.process.poll() is not None:
                    raise AssertionError(f"no line with {pattern!r} in:\n{''.join(self.lines)}")
                self._news.wait(min(left, 0.5))

    def end(self) -> int:
        """End it, and give its exit status."""
        self.process.terminate()
        try:
            status = self.process.wait(SECONDS)
        finally:
            self.process.kill()
            self.process.wait()
        for reader in self._readers:
            reader.join(SECONDS)
        for stream in (self.process.stderr, self.process.stdout):
            if stream is not None:
                stream.close()
        return status

    @property
    def port(self) -> int:
        """Where it serves HTTPS."""
        return int(self.wait_for(r"serving https on \S+:(\d+)")[1])

    def health(self, path: str) -> tuple[int, str]:
        """What the probe port answers."""
        port = self.wait_for(r"health on \S+:(\d+)")[1]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=SECONDS) as got:
                return got.status, got.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()

    def wait_until_ready(self) -> None:
        """Ready is ready: once the issuer's keys are there, ``/readyz`` says so."""
        self.wait_for("keys? verify its tokens")
        assert self.health("/readyz") == (200, "ok\n")


def flags(issuer: Issuer, kubeconfig: Path, directory: Path) -> list[str]:
    """What koproxy needs to stand between these two, on free ports."""
    return [
        f"--kubeconfig={kubeconfig}",
        f"--oidc-issuer-url={issuer.url}",
        f"--oidc-ca-file={issuer.ca_file}",
        "--oidc-client-id=kubernetes",
        "--oidc-username-prefix=-",
        "--oidc-groups-claim=groups",
        f"--cert-dir={directory}",
        "--bind-address=127.0.0.1",
        "--secure-port=0",
        "--readiness-probe-port=0",
    ]


@contextlib.contextmanager
def koproxy(
    issuer: Issuer, api: KubeAPI, directory: Path, *more: str, command: Sequence[str] = SERVE
) -> Iterator[Running]:
    """koproxy before ``api``, ready."""
    kubeconfig = directory / "kubeconfig"
    kubeconfig.write_text(api.kubeconfig())
    running = Running([*command, *flags(issuer, kubeconfig, directory), *more], directory)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.end()


class Client:
    """One TLS connection that a test writes bytes to."""

    def __init__(self, port: int, ca_file: Path) -> None:
        context = ssl.create_default_context(cafile=ca_file)
        plain = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._socket = context.wrap_socket(
            plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False
        )
        self._reader = self._socket.makefile("rb")

    def close(self) -> None:
        """Go."""
        self._reader.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self._socket.sendall(data)

    def read(self, size: int) -> bytes:
        """Exactly so many bytes."""
        return self._reader.read(size)

    def line(self) -> bytes:
        """One line."""
        return self._reader.readline()

    def head(self) -> tuple[int, dict[str, str]]:
        """A status code, and fields by their lower-case names."""
        status = int(self.line().split()[1])
        fields = {}
        while (line := self.line()) != b"\r\n":
            name, _, value = line.decode().partition(":")
            fields[name.lower()] = value.strip()
        return status, fields

    def answer(self) -> tuple[int, bytes]:
        """A status code and a body of known length."""
        status, fields = self.head()
        return status, self.read(int(fields.get("content-length", "0")))

    def chunk(self) -> bytes:
        """The content of one chunk."""
        content = self.read(int(self.line(), 16))
        assert self.line() == b"\r\n"
        return content

    def get(self, path: str, token: str = "", *lines: str) -> tuple[int, bytes]:
        """Ask, and read the answer."""
        self.send(request("GET", path, token, *lines))
        return self.answer()


def request(method: str, path: str, token: str = "", *lines: str) -> bytes:
    """A request head."""
    who = [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: k", *who, *lines, "", ""]).encode()
