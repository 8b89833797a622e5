"""A browser's token among a WebSocket's subprotocols, at koproxy and at a real kube-apiserver.

The same handshakes go to a kube-apiserver with OIDC flags and to a koproxy before it: both take
the same ones, but for the listed differences. An exec in the cluster shows that a browser works.
"""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import ssl
import struct
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from e2e.differential.settings import Settings
from e2e.running import Koproxy, KoproxyStarter
from localcluster.apiserver import start_api_server, start_etcd
from localcluster.cluster import CLUSTER_ROLE, NAMESPACE, POD, Cluster, write_credential
from localcluster.dex import ANNA, BERT, Issuer
from localcluster.pki import Authority
from localcluster.processes import Processes, wait_until

PREFIX = "base64url.bearer.authorization.k8s.io."
WEBSOCKET = "Connection: Upgrade\r\nUpgrade: websocket"
LIST = "/api/v1/namespaces"  # an answer to a person who asks for an upgrade in vain
WATCH = f"{LIST}?watch=true"
V4, V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"
SECONDS = 30.0


def entry(token: str) -> str:
    return PREFIX + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


class WebSocket:
    """A handshake with exactly these lines, and what comes after it (RFC 6455)."""

    def __init__(self, url: str, ca: Path, path: str, *lines: str) -> None:
        address = urllib.parse.urlsplit(url)
        assert address.hostname is not None
        plain = socket.create_connection((address.hostname, address.port or 443), timeout=SECONDS)
        self._socket = ssl.create_default_context(cafile=ca).wrap_socket(
            plain, server_hostname=address.hostname
        )
        self._reader = self._socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        head = [
            f"GET {path} HTTP/1.1",
            f"Host: {address.netloc}",
            f"Origin: {url}",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            *lines,
        ]
        self._socket.sendall("".join(f"{line}\r\n" for line in [*head, ""]).encode())
        self.status = int(self._reader.readline().split()[1])
        self.fields: dict[str, str] = {}
        while line := self._reader.readline().decode().strip():
            name, _, value = line.partition(":")
            self.fields[name.lower()] = value.strip()

    def send(self, data: bytes) -> None:
        """One short binary message; with a mask of zeros it is its own masked form."""
        assert len(data) < 126
        self._socket.sendall(bytes([0x82, 0x80 | len(data), 0, 0, 0, 0]) + data)

    def messages(self) -> Iterator[bytes]:
        """Binary and text messages, until the server closes."""
        while True:
            first, length = self._reader.read(2)
            if length == 126:
                (length,) = struct.unpack("!H", self._reader.read(2))
            data = self._reader.read(length)
            if first & 0x0F == 8:
                return
            if first & 0x0F in (1, 2):
                yield data

    def close(self) -> None:
        """Go."""
        self._reader.close()
        self._socket.close()


@dataclass(frozen=True)
class Pair:
    """A kube-apiserver with OIDC flags, a koproxy before it, and who may log in at both."""

    api: tuple[str, Path]
    koproxy: tuple[str, Path]
    settings: Settings

    def token(self, **claims: object) -> str:
        """A token of jane, who may list and watch namespaces."""
        return self.settings.issuer.sign(self.settings.claims(**claims))

    def statuses(self, lines: Sequence[str], path: str = WATCH) -> tuple[int, int]:
        """What kube-apiserver and koproxy answer."""
        return _status(self.api, path, lines), _status(self.koproxy, path, lines)


def _status(where: tuple[str, Path], path: str, lines: Sequence[str]) -> int:
    with contextlib.closing(WebSocket(*where, path, *lines)) as websocket:
        return websocket.status


@pytest.fixture(scope="module")
def pair(parts: Processes, authority: Authority, start_koproxy: KoproxyStarter) -> Iterator[Pair]:
    settings = Settings("websocket")
    settings.issuer.start()
    authorities = parts.directory / "websocket-issuer.pem"
    authorities.write_text(settings.issuer.ca_pem)
    api = start_api_server(
        parts,
        authority,
        start_etcd(parts),
        name="websocket-token",
        oidc_flags=["--anonymous-auth=false", *settings.flags(authorities)],
    )
    api.admin("apply", "-f", str(CLUSTER_ROLE))
    api.admin("create", "clusterrole", "watcher", "--verb=list,watch", "--resource=namespaces")
    api.admin("create", "clusterrolebinding", "watcher", "--clusterrole=watcher", "--user=jane")
    kubeconfig = write_credential(api.admin, api.url, api.ca, Path(api.admin.kubeconfig).parent)
    koproxy = start_koproxy(
        "koproxy-websocket-token",
        kubeconfig,
        Issuer(settings.issuer.url, authorities),
        flags=settings.flags(authorities),
    ).wait_until_ready()
    pair = Pair((api.url, api.ca), (koproxy.url, koproxy.ca), settings)
    known = [WEBSOCKET, f"Authorization: Bearer {pair.token()}"]
    wait_until(lambda: pair.statuses(known) == (101, 101), "jane is known", server=api.server)
    yield pair
    koproxy.server.stop()
    api.server.stop()
    settings.issuer.stop()
    settings.issuer.close()


def offer(*entries: str) -> str:
    return f"Sec-WebSocket-Protocol: {', '.join(entries)}"


def test_both_shake_hands(pair: Pair) -> None:
    token = entry(pair.token())
    assert pair.statuses([WEBSOCKET, offer(token, V4)]) == (101, 101)
    assert pair.statuses([WEBSOCKET, offer(V4), offer(token)]) == (101, 101)
    assert pair.statuses([WEBSOCKET, offer(entry(pair.token(sub="bert")), V4)]) == (403, 403)


def test_both_know_the_same_people(pair: Pair) -> None:
    good, other = entry(pair.token()), entry(pair.token(sub="bert"))
    bad = entry(pair.token(exp=1))
    bearer = f"Authorization: Bearer {pair.token()}"
    expected = {
        (WEBSOCKET, offer(good, V4)): 200,
        (WEBSOCKET, offer(V4, good)): 200,
        (WEBSOCKET, offer(V4, good, V5)): 200,
        (WEBSOCKET, offer(good), offer(V4)): 200,
        (WEBSOCKET, offer(V4), f"sec-websocket-protocol:{good}"): 200,
        ("Connection: keep-alive, upgrade\r\nUpgrade: WebSocket", offer(good, V4)): 200,
        (WEBSOCKET, f"Sec-WebSocket-Protocol: {good},"): 200,
        (WEBSOCKET, offer(other, V4)): 403,
        (WEBSOCKET, offer(good)): 401,
        (WEBSOCKET, offer(good, good)): 401,
        (WEBSOCKET, offer(good, V4, good)): 401,
        (WEBSOCKET, offer(good, V4), offer(other)): 401,
        (WEBSOCKET, offer(bad, V4)): 401,
        (WEBSOCKET, offer(f"{good}=", V4)): 401,
        (WEBSOCKET, offer(f"{good}==", V4)): 401,
        (WEBSOCKET, offer(f"{good}!", V4)): 401,
        (WEBSOCKET, offer(f"{good[:60]} {good[60:]}", V4)): 401,
        (WEBSOCKET, offer(PREFIX, V4)): 401,
        (WEBSOCKET, offer(f"{PREFIX}Y", V4)): 401,
        (WEBSOCKET, offer(f"{PREFIX}__79", V4)): 401,
        (WEBSOCKET, offer(good.replace("base64url", "Base64URL"), V4)): 401,
        (WEBSOCKET, offer(f"x{good}", V4)): 401,
        (WEBSOCKET, offer(V4)): 401,
        (WEBSOCKET,): 401,
        (offer(good, V4),): 401,
        ("Upgrade: websocket", offer(good, V4)): 401,
        ("Connection: Upgrade\r\nUpgrade: SPDY/3.1", offer(good, V4)): 401,
        (WEBSOCKET, bearer, offer(V4)): 200,
        (WEBSOCKET, bearer, offer(other, V4)): 200,
        (WEBSOCKET, bearer, offer(good, V4, other)): 200,
        (WEBSOCKET, bearer, offer(f"{PREFIX}Y", V4)): 200,
        (WEBSOCKET, "Authorization:", offer(good, V4)): 200,
    }
    surprises = {
        lines: (said, status)
        for lines, status in expected.items()
        if (said := pair.statuses(lines, LIST)) != (status, status)
    }
    assert not surprises


def test_these_koproxy_refuses_and_kube_apiserver_takes(pair: Pair) -> None:
    good = pair.token()
    differences = {
        (WEBSOCKET, "Authorization: Bearer x", offer(entry(good), V4)),
        (WEBSOCKET, "Authorization: Basic eDp5", offer(entry(good), V4)),
        (WEBSOCKET, offer(entry(f" {good}"), V4)),
        ("Connection: xupgrade\r\nUpgrade: websocket", offer(entry(good), V4)),
    }
    surprises = {
        lines: said for lines in differences if (said := pair.statuses(lines)) != (101, 401)
    }
    assert not surprises


@pytest.mark.parametrize("protocol", [V4, V5])
def test_a_browser_runs_a_command(cluster: Cluster, koproxy: Koproxy, protocol: str) -> None:
    token = entry(cluster.issuer.log_in(ANNA))
    websocket = _exec(koproxy, ["head", "-c", "5"], offer(token, protocol))
    with contextlib.closing(websocket):
        assert websocket.status == 101
        assert websocket.fields["sec-websocket-protocol"] == protocol
        websocket.send(b"\0hello")
        said = [message for message in websocket.messages() if len(message) > 1]
    assert b"".join(message[1:] for message in said if message[0] == 1) == b"hello"
    assert [b'"Success"' in message for message in said if message[0] == 3] == [True]


def test_a_browser_needs_its_right(cluster: Cluster, koproxy: Koproxy) -> None:
    websocket = _exec(koproxy, ["true"], offer(entry(cluster.issuer.log_in(BERT)), V4))
    websocket.close()
    assert websocket.status == 403


def _exec(koproxy: Koproxy, command: Sequence[str], *lines: str) -> WebSocket:
    query = urllib.parse.urlencode(
        {"command": command, "stdin": "true", "stdout": "true", "stderr": "true"}, doseq=True
    )
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{POD}/exec?{query}"
    return WebSocket(koproxy.url, koproxy.ca, path, WEBSOCKET, *lines)
