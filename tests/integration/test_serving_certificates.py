"""The certificates of koproxy and of its clients: by name, asked for, taken up when they change."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from koproxy_harness import Issuer, KubeAPI
from support.running import SERVE, Running, flags

AUTHORITY = trustme.CA()
CLIENTS = trustme.CA(organization_name="clients")


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def api() -> Iterator[KubeAPI]:
    with KubeAPI() as api:
        yield api


def put(folder: Path, file: str, *names: str) -> str:
    """A certificate and its key as files; the flag's value for them."""
    issued = AUTHORITY.issue_cert(*names)
    certificate, key = folder / f"{file}.crt", folder / f"{file}.key"
    issued.private_key_pem.write_to_path(str(key))
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    return f"{certificate},{key}"


@pytest.fixture
def running(issuer: Issuer, api: KubeAPI, tmp_path: Path) -> Iterator[Running]:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(api.kubeconfig())
    authorities = tmp_path / "clients.crt"
    CLIENTS.cert_pem.write_to_path(str(authorities))
    more = (
        f"--tls-sni-cert-key={put(tmp_path, 'named', 'a.example')}:asked.example,*.wild.example",
        f"--tls-sni-cert-key={put(tmp_path, 'own', 'own.example')}",
        f"--client-ca-file={authorities}",
    )
    running = Running([*SERVE, *flags(issuer, kubeconfig, tmp_path), *more], tmp_path)
    try:
        yield running
    finally:
        running.end()


def shown(running: Running, name: str, client: trustme.LeafCert | None = None) -> list[str]:
    """The names in the certificate that a client gets which asks for a name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    AUTHORITY.configure_trust(context)
    if client is not None:
        client.configure_cert(context)
    with (
        socket.create_connection(("127.0.0.1", running.port)) as plain,
        context.wrap_socket(plain, server_hostname=name) as connected,
    ):
        # With TLS 1.3 a client learns only now that its certificate was not accepted.
        connected.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert connected.recv(100).startswith(b"HTTP/1.1 ")
        peer = connected.getpeercert() or {}
    return [str(each[1]) for each in peer["subjectAltName"]]


def test_a_name_gets_its_certificate_and_a_change_the_next_handshake(running: Running) -> None:
    assert shown(running, "asked.example") == ["a.example"]
    assert shown(running, "x.wild.example") == ["a.example"]
    assert shown(running, "own.example") == ["own.example"]
    with pytest.raises(ssl.SSLCertVerificationError):
        shown(running, "nobody.example")  # the self-signed one
    put(running.directory, "own", "new.example")
    running.wait_for(r"--tls-sni-cert-key \S+own\.crt, .* has changed: new connections are shown")
    assert shown(running, "new.example") == ["new.example"]
    (running.directory / "named.crt").write_text("nothing")
    running.wait_for(r"--tls-sni-cert-key \S+named\.crt holds no PEM certificate.*; going on with")
    assert shown(running, "asked.example") == ["a.example"]
    _, ready = running.health("/readyz?verbose")
    assert "named.crt holds no PEM certificate" in ready


def test_other_authorities_for_clients_are_taken_up(running: Running) -> None:
    ours, others = CLIENTS.issue_cert("jane"), AUTHORITY.issue_cert("jane")
    assert shown(running, "own.example", ours)
    with pytest.raises(OSError, match="unknown ca"):
        shown(running, "own.example", others)
    authorities = running.directory / "clients.crt"
    AUTHORITY.cert_pem.write_to_path(str(authorities))
    running.wait_for(r"--client-ca-file \S+ has changed: clients' certificates are held against 1")
    assert shown(running, "own.example", others)
    authorities.write_text("nothing")
    running.wait_for(r"--client-ca-file \S+ holds no PEM certificate.*; going on with")
    assert shown(running, "own.example", others)
