"""--extra-user-headers and --extra-user-header-client-ip: what the API server sees added."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.differential.judge import PATH as WHO
from e2e.running import Koproxy, KoproxyStarter
from e2e.trusting import Trusting
from localcluster.cluster import Cluster
from localcluster.dex import ANNA
from localcluster.processes import wait_until

REVIEW = b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
ADDED = "--extra-user-headers=Key1=foo,key2=bar,key1=bar,example.org/site=north=1"
FIXED = {"key1": ["foo", "bar"], "key2": ["bar"], "example.org/site": ["north=1"]}
HERE, BALANCER, FARTHER_BALANCER = "127.0.0.1", "127.0.0.2", "192.0.2.9"
BALANCERS = f"--trusted-proxies={BALANCER},192.0.2.0/24"


@pytest.fixture(scope="module")
def adding(cluster: Cluster, start_koproxy: KoproxyStarter) -> Iterator[Koproxy]:
    koproxy = start_koproxy(
        "koproxy-adding",
        cluster.koproxy_kubeconfig,
        cluster.issuer,
        flags=[ADDED, "--extra-user-header-client-ip", BALANCERS],
    )
    yield koproxy.wait_until_ready()
    koproxy.server.stop()


@pytest.fixture(scope="module")
def behind_balancer(cluster: Cluster, start_koproxy: KoproxyStarter) -> Iterator[Koproxy]:
    """One to which a load balancer speaks the PROXY protocol."""
    koproxy = start_koproxy(
        "koproxy-behind-balancer",
        cluster.koproxy_kubeconfig,
        cluster.issuer,
        flags=["--extra-user-header-client-ip", BALANCERS, "--proxy-protocol"],
    )
    yield koproxy.wait_until_ready()
    koproxy.server.stop()


def extra(
    koproxy: Koproxy, token: str, *forwarded: str, source: str = HERE, introduction: bytes = b""
) -> dict[str, Any]:
    """The extra fields of a request from `source`, with what a load balancer sends before TLS."""
    address = urllib.parse.urlsplit(koproxy.url)
    host, port = address.hostname, address.port
    assert host is not None
    assert port is not None
    context = ssl.create_default_context(cafile=koproxy.ca)
    plain = socket.create_connection((host, port), timeout=30, source_address=(source, 0))
    plain.sendall(introduction)
    connection = http.client.HTTPConnection(host)
    connection.sock = context.wrap_socket(plain, server_hostname=host)
    with contextlib.closing(connection):
        connection.putrequest("POST", WHO)
        connection.putheader("Authorization", f"Bearer {token}")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(REVIEW)))
        for value in forwarded:
            connection.putheader("X-Forwarded-For", value)
        connection.endheaders(REVIEW)
        answer = connection.getresponse()
        body = json.loads(answer.read())
    assert answer.status == 201, body
    found: dict[str, Any] = body["status"]["userInfo"].get("extra", {})
    return found


def address(found: dict[str, Any]) -> str:
    (only,) = found["remote-client-ip"]
    return str(only)


def test_everybody_has_them(cluster: Cluster, adding: Koproxy) -> None:
    said = json.loads(adding.kubectl(cluster.issuer.log_in(ANNA))("auth", "whoami", "-o", "json"))
    assert said["status"]["userInfo"] == {
        "username": ANNA,
        "groups": ["oidc:developers", "system:authenticated"],
        "extra": {**FIXED, "remote-client-ip": [HERE]},
    }


def test_without_the_options_nobody_has(cluster: Cluster, koproxy: Koproxy) -> None:
    assert extra(koproxy, cluster.issuer.log_in(ANNA), "198.51.100.7") == {}


@pytest.mark.parametrize(
    ("source", "forwarded", "expected"),
    [
        (BALANCER, ["198.51.100.7"], "198.51.100.7"),
        (BALANCER, ["2001:DB8::0007"], "2001:db8::7"),
        (BALANCER, ["203.0.113.5, 198.51.100.7"], "198.51.100.7"),
        (BALANCER, ["203.0.113.5", "198.51.100.7"], "198.51.100.7"),
        (BALANCER, [f"203.0.113.5, 198.51.100.7, {FARTHER_BALANCER}"], "198.51.100.7"),
        (BALANCER, [FARTHER_BALANCER], FARTHER_BALANCER),
        (BALANCER, [], BALANCER),
        (HERE, ["198.51.100.7"], HERE),
        (HERE, [BALANCER], HERE),
        ("127.0.0.3", [f"198.51.100.7, {BALANCER}"], "127.0.0.3"),
    ],
)
def test_a_trusted_proxy_alone_says_who_the_client_is(
    cluster: Cluster, adding: Koproxy, source: str, forwarded: list[str], expected: str
) -> None:
    found = extra(adding, cluster.issuer.log_in(ANNA), *forwarded, source=source)
    assert found == {**FIXED, "remote-client-ip": [expected]}


FIRST = b"PROXY TCP4 198.51.100.7 203.0.113.1 51000 443\r\n"
SECOND = (
    b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"
    + bytes([198, 51, 100, 7])
    + bytes([203, 0, 113, 1])
    + (51000).to_bytes(2, "big")
    + (443).to_bytes(2, "big")
)


@pytest.mark.parametrize("introduction", [FIRST, SECOND], ids=["version 1", "version 2"])
def test_a_load_balancer_introduces_the_client(
    cluster: Cluster, behind_balancer: Koproxy, introduction: bytes
) -> None:
    token = cluster.issuer.log_in(ANNA)
    found = extra(behind_balancer, token, source=BALANCER, introduction=introduction)
    assert address(found) == "198.51.100.7"
    # The client is a stranger: what it says of another address counts for nothing.
    found = extra(behind_balancer, token, "203.0.113.5", source=BALANCER, introduction=introduction)
    assert address(found) == "198.51.100.7"


def test_a_stranger_introduces_nobody(cluster: Cluster, behind_balancer: Koproxy) -> None:
    token = cluster.issuer.log_in(ANNA)
    assert address(extra(behind_balancer, token, "198.51.100.7")) == HERE
    with pytest.raises(OSError, match=r"SSL|reset|EOF"):
        extra(behind_balancer, token, introduction=FIRST)


def test_nobody_gives_them_to_themselves(trusting: Trusting, start_koproxy: KoproxyStarter) -> None:
    koproxy = start_koproxy.with_file(
        "koproxy-adding-to-impersonated",
        trusting.kubeconfig,
        trusting.file,
        [ADDED, "--extra-user-header-client-ip", "--allow-inbound-impersonation"],
    ).wait_until_ready()
    trusting.api.admin(
        *("create", "clusterrolebinding", "of-fields"),
        *("--clusterrole=cluster-admin", "--user=adder"),
    )
    kubectl = koproxy.kubectl(trusting.token("adder"), "adder")
    command = ("create", "--raw", WHO, "-f", "-", "--as=lisa")
    wait_until(lambda: kubectl.run(*command, stdin=REVIEW).returncode == 0, "it is bound")
    found = json.loads(kubectl(*command, "--as-user-extra=key=mine", stdin=REVIEW))
    assert found["status"]["userInfo"]["extra"] == {
        **FIXED,
        "key": ["mine"],
        "remote-client-ip": [HERE],
        "originaluser.jetstack.io-user": ["adder"],
    }
    for key in ("key1", "KEY2", "example.org/site", "Remote-Client-IP"):
        refused = kubectl.run(*command, f"--as-user-extra={key}=mine", stdin=REVIEW)
        assert "is the proxy's to give" in refused.stderr.decode(), key
    koproxy.server.stop()
