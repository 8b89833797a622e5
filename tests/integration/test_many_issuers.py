"""koproxy with an AuthenticationConfiguration: many issuers, most of them down, and changes."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from koproxy_harness import Issuer, KubeAPI
from support.running import PEOPLE_MAY_LOOK, SECONDS, SERVE, Client, Running

HEAD = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration"}
PODS = "/api/v1/namespaces/demo/pods"


@pytest.fixture(scope="module")
def api() -> Iterator[KubeAPI]:
    with KubeAPI() as api:
        api.apply(PEOPLE_MAY_LOOK)
        yield api


def entry(url: str, ca: str = "", prefix: str = "") -> dict[str, Any]:
    issuer = {"url": url, "audiences": ["kubernetes"]}
    if ca:
        issuer["certificateAuthority"] = ca
    username = {"expression": f"'{prefix}' + claims.sub"}
    return {"issuer": issuer, "claimMappings": {"username": username}}


def of(issuer: Issuer, prefix: str = "") -> dict[str, Any]:
    return entry(issuer.url, issuer.ca_pem, prefix)


def write(path: Path, *entries: dict[str, Any]) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps({**HEAD, "jwt": entries}))
    new.replace(path)


@contextmanager
def koproxy(api: KubeAPI, directory: Path, *more: str) -> Iterator[Running]:
    """koproxy with the file that is there."""
    kubeconfig = directory / "kubeconfig"
    kubeconfig.write_text(api.kubeconfig())
    running = Running(
        [
            *SERVE,
            f"--kubeconfig={kubeconfig}",
            f"--authentication-config={directory / 'authentication.json'}",
            f"--cert-dir={directory}",
            "--bind-address=127.0.0.1",
            "--secure-port=0",
            "--readiness-probe-port=0",
            *more,
        ],
        directory,
    )
    try:
        yield running
    finally:
        running.end()


def connect(running: Running) -> Client:
    return Client(running.port, running.directory / "kube-oidc-proxy.crt")


def reached(api: KubeAPI) -> bytes:
    """The last request of people that the API server has got."""
    return next(each.raw for each in reversed(api.requests) if each.path == PODS)


def until(running: Running, status: int) -> str:
    """Ask /readyz again and again until it says so; give what it says of everything."""
    deadline = time.monotonic() + SECONDS
    while running.health("/readyz")[0] != status:
        assert time.monotonic() < deadline, "".join(running.lines)
    return running.health("/readyz?verbose")[1]


def test_four_issuers_are_enough_where_sixty_never_answer(api: KubeAPI, tmp_path: Path) -> None:
    with ExitStack() as stack:
        silent = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0), backlog=200)))
        port = silent.getsockname()[1]
        down = [entry(f"https://127.0.0.1:{port}/{at}") for at in range(60)]
        up = [stack.enter_context(Issuer()) for _ in range(4)]
        some = [of(each, f"i{at}:") for at, each in enumerate(up)]
        write(tmp_path / "authentication.json", *down[:30], *some, *down[30:])
        running = stack.enter_context(koproxy(api, tmp_path))
        for each in up:
            running.wait_for(f"{each.url}: .* keys verify its tokens")
        lines = until(running, 200)
        assert lines.count("[+]issuer https://") == 4
        assert lines.count("have not been fetched yet") == 60
        with closing(connect(running)) as client:
            for at, each in enumerate(up):
                assert client.get(PODS, each.token(sub="jane"))[0] == 200
                assert f"Impersonate-User: i{at}:jane".encode() in reached(api)
            # Nobody waits for an issuer that is down, and its tokens are no other issuer's.
            token = up[0].token(sub="jane", iss=f"https://127.0.0.1:{port}/1")
            status, body = client.get(PODS, token)
            assert status == 503
            assert b"tokens can't be verified" in body


def test_all_issuers_can_be_required(api: KubeAPI, tmp_path: Path) -> None:
    with Issuer() as one, Issuer() as other:
        nobody = entry("https://127.0.0.1:1")
        write(tmp_path / "authentication.json", of(one), nobody, of(other))
        with koproxy(api, tmp_path, "--readiness-require-all-issuers") as running:
            for each in (one, other):
                running.wait_for(f"{each.url}: .* keys verify its tokens")
            running.wait_for("discovery at https://127.0.0.1:1/.* failed")
            assert "[-]issuer discovery at https://127.0.0.1:1" in until(running, 503)
            write(tmp_path / "authentication.json", of(one), of(other))
            running.wait_for("has changed: 2 issuers")
            until(running, 200)


def test_a_change_holds_from_the_next_request_on(api: KubeAPI, tmp_path: Path) -> None:
    with Issuer() as one, Issuer() as other:
        file = tmp_path / "authentication.json"
        write(file, of(one, "a:"))
        with koproxy(api, tmp_path) as running, closing(connect(running)) as client:
            until(running, 200)
            token = one.token(sub="jane")
            assert client.get(PODS, token)[0] == 200
            assert b"Impersonate-User: a:jane\r\n" in reached(api)
            assert client.get(PODS, other.token())[0] == 401
            write(file, of(one, "b:"), of(other))
            running.wait_for("has changed: 2 issuers")
            assert client.get(PODS, token)[0] == 200
            assert b"Impersonate-User: b:jane\r\n" in reached(api)
            running.wait_for(f"{other.url}: .* keys verify its tokens")
            assert client.get(PODS, other.token(sub="kim"))[0] == 200
            assert b"Impersonate-User: kim\r\n" in reached(api)
            # A bad one is refused whole, with the fields named; the old goes on.
            write(file, of(one, "c:"), {**of(other), "claimMappings": {"username": {}}})
            running.wait_for(
                r"jwt\[1\].claimMappings.username: .*going on with what it said before"
            )
            assert client.get(PODS, token)[0] == 200
            assert b"Impersonate-User: b:jane\r\n" in reached(api)
            said = running.health("/readyz?verbose")
            assert said[0] == 200
            assert "[!]rotation" in said[1]
            assert "jwt[1].claimMappings.username" in said[1]
            write(file, of(other))
            running.wait_for("has changed: 1 issuer\n")
            assert client.get(PODS, token)[0] == 401
            assert "[+]rotation ok" in running.health("/readyz?verbose")[1]


def test_sighup_has_all_files_looked_at(api: KubeAPI, tmp_path: Path) -> None:
    with Issuer() as issuer:
        write(tmp_path / "authentication.json", of(issuer))
        with koproxy(api, tmp_path) as running:
            until(running, 200)
            write(tmp_path / "authentication.json", of(issuer), entry("https://127.0.0.1:1"))
            running.process.send_signal(signal.SIGHUP)
            running.wait_for("SIGHUP: all files are looked at")
            running.wait_for("has changed: 2 issuers")
            assert running.health("/readyz")[0] == 200


def test_a_renewed_certificate_is_shown_to_new_clients(api: KubeAPI, tmp_path: Path) -> None:
    with Issuer() as issuer:
        write(tmp_path / "authentication.json", of(issuer))
        with koproxy(api, tmp_path) as running:
            until(running, 200)
            with closing(connect(running)) as old:
                certificate = tmp_path / "kube-oidc-proxy.crt"
                key = tmp_path / "kube-oidc-proxy.key"
                renewed = api.server_certificate("127.0.0.1")
                certificate.write_bytes(renewed.cert_file.read_bytes())
                key.write_bytes(renewed.key_file.read_bytes())
                running.wait_for("kube-oidc-proxy.crt.* has changed")
                with closing(Client(running.port, api.ca_file)) as new:
                    assert new.get(PODS, issuer.token())[0] == 200
                assert old.get(PODS, issuer.token())[0] == 200
