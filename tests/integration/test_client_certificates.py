"""Who comes with a certificate is whom it names, before any token, and as long as it holds."""

import contextlib
import http.client
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from koproxy_harness import Issuer, KubeAPI
from support.certificates import CN, DAY, NOW, Issued, O, root
from support.running import SECONDS, SERVE, Running, flags

ROOT = root("clients")
OTHER = root("others", key=1)
JANE = ROOT.issue((CN, "jane"), (O, "team"))


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def api() -> Iterator[KubeAPI]:
    with KubeAPI() as api:
        yield api


@pytest.fixture
def running(issuer: Issuer, api: KubeAPI, tmp_path: Path) -> Iterator[Running]:
    kubeconfig, authorities = tmp_path / "kubeconfig", tmp_path / "clients.crt"
    kubeconfig.write_text(api.kubeconfig())
    authorities.write_bytes(ROOT.pem)
    more = f"--client-ca-file={authorities}"
    running = Running([*SERVE, *flags(issuer, kubeconfig, tmp_path), more], tmp_path)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.end()


class Client:
    """One connection, with a certificate or without."""

    def __init__(self, running: Running, issued: Issued | None = None) -> None:
        context = ssl._create_unverified_context()
        if issued is not None:
            file = running.directory / f"{issued.certificate.serial_number}.pem"
            file.write_bytes(issued.pem + issued.key_pem)
            context.load_cert_chain(file)
        self._connection = http.client.HTTPSConnection("127.0.0.1", running.port, context=context)

    def close(self) -> None:
        self._connection.close()

    def ask(self, token: str = "", **more: str) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._connection.request("GET", "/version", headers=headers | more)
        answer = self._connection.getresponse()
        return answer.status, answer.read()


Connect = Callable[..., Client]


@pytest.fixture
def connect(running: Running) -> Iterator[Connect]:
    with contextlib.ExitStack() as stack:

        def connect(issued: Issued | None = None) -> Client:
            return stack.enter_context(contextlib.closing(Client(running, issued)))

        yield connect


def impersonated(api: KubeAPI) -> dict[str, list[str]]:
    """What the last request of somebody's had to say about who asks."""
    for request in reversed(api.requests):
        found: dict[str, list[str]] = {}
        for name, value in request.headers:
            if name.lower().startswith("impersonate-"):
                found.setdefault(name.lower(), []).append(value)
        if found:
            return found
    return {}


def test_a_certificate_is_somebody_and_goes_before_a_token(
    connect: Connect, api: KubeAPI, issuer: Issuer
) -> None:
    client = connect(JANE)
    for token in ("", issuer.token("joe"), "nonsense"):
        assert client.ask(token)[0] == 200
        found = impersonated(api)
        assert found["impersonate-user"] == ["jane"]
        assert found["impersonate-group"] == ["team"]
    status, body = client.ask(**{"Impersonate-User": "joe"})
    assert status == 403, body


def test_without_one_a_token_decides(connect: Connect, api: KubeAPI, issuer: Issuer) -> None:
    for client in (connect(), connect(ROOT.issue((O, "nobody")))):
        assert client.ask(issuer.token("joe"))[0] == 200
        assert impersonated(api)["impersonate-user"] == ["joe"]
        status, body = client.ask()
        assert (status, b"no bearer token" in body) == (401, True)


def test_one_that_is_not_good_leaves_it_to_a_token(
    connect: Connect, api: KubeAPI, issuer: Issuer
) -> None:
    client = connect(ROOT.issue((CN, "jane"), ends=NOW - DAY / 2))
    for _ in range(2):
        assert client.ask(issuer.token("joe"))[0] == 200
        assert impersonated(api)["impersonate-user"] == ["joe"]
    status, body = client.ask()
    assert (status, b"the client certificate is not accepted: it, or" in body) == (401, True)
    assert client.ask("nonsense")[0] == 401


def test_a_reserved_group_is_refused_with_any_token(connect: Connect, issuer: Issuer) -> None:
    client = connect(ROOT.issue((CN, "jane"), (O, "system:masters")))
    for token in ("", issuer.token("joe")):
        status, body = client.ask(token)
        assert (status, b"system:masters" in body) == (403, True)


def test_a_connection_does_not_outlast_its_authority_or_its_certificate(
    running: Running, connect: Connect
) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    jane, short = connect(JANE), connect(ROOT.issue((CN, "short"), ends=end))
    assert jane.ask()[0] == short.ask()[0] == 200
    while short.ask()[0] == 200:
        assert datetime.now(UTC) < end + timedelta(seconds=SECONDS)
    assert datetime.now(UTC) >= end
    assert jane.ask()[0] == 200
    (running.directory / "clients.crt").write_bytes(OTHER.pem)
    running.wait_for("--client-ca-file .* has changed")
    assert jane.ask()[0] == 401
    (running.directory / "clients.crt").write_bytes(OTHER.pem + ROOT.pem)
    running.wait_for("held against 2")
    assert jane.ask()[0] == 200
