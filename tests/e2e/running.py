"""koproxy and kubectl as the tests use them: real processes, watched from outside only.

Nothing of koproxy is imported. A name that ends with a deadline fails the test when it passes.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import re
import ssl
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcluster.dex import Issuer
from localcluster.kubectl import Kubectl, write_kubeconfig
from localcluster.pki import Authority
from localcluster.processes import Processes, Server, wait_until
from support.running import Client as RawClient

SERVING = re.compile(r"koproxy: serving https on 127\.0\.0\.1:(\d+)$", re.MULTILINE)
HEALTH = re.compile(r"koproxy: health on 127\.0\.0\.1:(\d+)$", re.MULTILINE)
GROUPS_PREFIX = "oidc:"


@dataclass(frozen=True)
class Answer:
    """A status code and the JSON that came with it."""

    status: int
    body: dict[str, Any]


class Client:
    """HTTPS with a bearer token, on one connection that is kept while the other side keeps it."""

    def __init__(self, url: str, ca: Path) -> None:
        address = urllib.parse.urlsplit(url)
        context = ssl.create_default_context(cafile=ca)
        self._connection = http.client.HTTPSConnection(address.netloc, timeout=30, context=context)

    def ask(
        self,
        path: str,
        token: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> http.client.HTTPResponse:
        """One request, and its answer as far as its head; `fields` are further header fields."""
        headers = {"Authorization": f"Bearer {token}", **(fields or {})}
        self._connection.request(method, path, body, headers)
        return self._connection.getresponse()

    def get(self, path: str, token: str) -> Answer:
        """One request; an answer of koproxy or of the API server is always JSON."""
        response = self.ask(path, token)
        return Answer(response.status, json.loads(response.read()))

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


@dataclass(frozen=True)
class Koproxy:
    """A running `koproxy serve`."""

    url: str
    health: str
    ca: Path
    server: Server
    directory: Path

    def get(self, path: str, token: str) -> Answer:
        """One request on a connection of its own."""
        with self.client() as client:
            return client.get(path, token)

    def kubectl(self, token: str, name: str = "person") -> Kubectl:
        """kubectl as the person whom the token names."""
        path = self.directory / "people" / f"{self.server.name}-{name}.kubeconfig"
        return Kubectl(write_kubeconfig(path, self.url, self.ca, {"token": token}))

    def client(self) -> contextlib.closing[Client]:
        """A connection for the time of a `with` block."""
        return contextlib.closing(Client(self.url, self.ca))

    def readiness(self) -> tuple[int, str]:
        """What /readyz?verbose says now."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.health).netloc)
        with contextlib.closing(connection):
            connection.request("GET", "/readyz?verbose")
            response = connection.getresponse()
            return response.status, response.read().decode()

    def wait_until_ready(self) -> Koproxy:
        """Returns itself when /readyz says 200."""
        wait_until(
            lambda: self.readiness()[0] == 200, f"{self.server.name} is ready", server=self.server
        )
        return self


@dataclass(frozen=True)
class KoproxyStarter:
    """Starts koproxies in `processes`, with a serving certificate of `authority`."""

    processes: Processes
    authority: Authority

    def __call__(
        self,
        name: str,
        kubeconfig: Path,
        issuer: Issuer,
        *,
        client: str = "koproxy",
        flags: Sequence[str | Path] = (),
    ) -> Koproxy:
        """A koproxy that listens on free ports; ready it gets when it has reached the issuer."""
        about_issuer = [
            *("--oidc-issuer-url", issuer.url),
            *("--oidc-ca-file", issuer.ca),
            *("--oidc-client-id", client),
            *("--oidc-username-claim", "email"),
            *("--oidc-groups-claim", "groups"),
            *("--oidc-groups-prefix", GROUPS_PREFIX),
        ]
        return self._start(name, kubeconfig, [*about_issuer, *flags])

    def with_file(
        self, name: str, kubeconfig: Path, file: Path, flags: Sequence[str | Path] = ()
    ) -> Koproxy:
        """The same with an AuthenticationConfiguration."""
        return self._start(name, kubeconfig, ["--authentication-config", file, *flags])

    def _start(self, name: str, kubeconfig: Path, flags: Sequence[str | Path]) -> Koproxy:
        pair = self.authority.server(name)
        server = self.processes.start(
            name,
            [
                *(Path(sys.executable).parent / "koproxy", "serve"),
                *("--bind-address", "127.0.0.1"),
                *("--secure-port", "0"),
                *("--readiness-probe-port", "0"),
                *("--tls-cert-file", pair.certificate),
                *("--tls-private-key-file", pair.key),
                *("--kubeconfig", kubeconfig),
                *flags,
            ],
        )

        def port(line: re.Pattern[str]) -> str:
            found = wait_until(
                lambda: line.search(server.log.read_text()),
                f"{name} prints a line like {line.pattern}",
                server=server,
            )
            return found.group(1)

        return Koproxy(
            f"https://127.0.0.1:{port(SERVING)}",
            f"http://127.0.0.1:{port(HEALTH)}",
            self.authority.certificate,
            server,
            self.processes.directory,
        )


@dataclass(frozen=True)
class Side:
    """One of two ways to the same objects: where, and with which token."""

    url: str
    ca: Path
    token: str

    @contextlib.contextmanager
    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """One request on a connection of its own, for the time of a `with` block."""
        with contextlib.closing(Client(self.url, self.ca)) as client:
            yield client.ask(path, self.token, method=method, body=body, fields=fields)


@contextlib.contextmanager
def connected(side: Side) -> Iterator[RawClient]:
    """One connection to it that a test writes bytes to, for the time of a `with` block."""
    port = urllib.parse.urlsplit(side.url).port
    assert port is not None
    with contextlib.closing(RawClient(port, side.ca)) as client:
        yield client


@dataclass(frozen=True)
class ShortLogins:
    """A koproxy whose people are logged in for seconds only, by an issuer of its own."""

    koproxy: Koproxy
    issuer: Issuer


class Running:
    """A program that goes on until the test is done with it (`kubectl logs -f`, port-forward)."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._errors: list[bytes] = []
        self._readers = [
            threading.Thread(target=self._read_lines, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def write(self, data: bytes) -> None:
        """Give it this at its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def line(self, seconds: float = 30.0) -> str:
        """The next line that it prints."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"it printed no line in {seconds:g} s") from None
        if line is None:
            raise AssertionError(f"it has ended: {self.errors()}")
        return line

    def line_with(self, text: str, seconds: float = 30.0) -> str:
        """The next line that has `text` in it."""
        while text not in (line := self.line(seconds)):
            pass
        return line

    def errors(self) -> str:
        """What it has written to stderr, all of it once it has ended."""
        if self._process.poll() is not None:
            self._readers[1].join()
        return b"".join(self._errors).decode(errors="replace")

    def status(self, seconds: float = 30.0) -> int:
        """Its exit status, when it has ended by itself."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it still runs after {seconds:g} s") from None

    def end(self) -> None:
        """Kill the process: it says nothing to the other side any more."""
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _read_lines(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.decode().rstrip("\n"))
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self._errors.extend(self._process.stderr)


@contextlib.contextmanager
def running(
    kubectl: Kubectl, *args: str, env: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """kubectl with these arguments in the background, ended with the block."""
    process = subprocess.Popen(
        kubectl.argv(*args),
        env=kubectl.env(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    background = Running(process)
    try:
        yield background
    finally:
        background.end()
