"""koproxy as people run it, between the harness's issuer and API server: the whole main job."""

import json
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from koproxy_harness import WRONG, Exchange, Issuer, KubeAPI
from support.running import (
    PEOPLE_MAY_LOOK,
    SCRIPTS,
    SECONDS,
    Client,
    Running,
    flags,
    koproxy,
    request,
)

PODS = "/api/v1/namespaces/demo/pods"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
ECHO = "/api/v1/namespaces/demo/pods/web/exec"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def api() -> Iterator[KubeAPI]:
    with KubeAPI() as api:
        api.apply(PEOPLE_MAY_LOOK)
        yield api


@pytest.fixture(scope="module")
def running(
    issuer: Issuer, api: KubeAPI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    with koproxy(issuer, api, tmp_path_factory.mktemp("koproxy")) as running:
        yield running


def connect(running: Running) -> Client:
    return Client(running.port, running.directory / "kube-oidc-proxy.crt")


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    client = connect(running)
    yield client
    client.close()


def reached(api: KubeAPI) -> int:
    """How many requests of people the API server has seen."""
    return len([each for each in api.requests if each.path.startswith(PODS)])


def who(client: Client, token: str) -> dict[str, object]:
    """Whom the API server takes the token's owner for."""
    client.send(request("POST", WHO, token, f"Content-Length: {len(REVIEW)}") + REVIEW)
    status, body = client.answer()
    assert status == 201
    user: dict[str, object] = json.loads(body)["status"]["userInfo"]
    return user


@pytest.mark.parametrize(
    "command",
    [
        (str(SCRIPTS / "koproxy"), "serve"),
        (str(SCRIPTS / "kube-oidc-proxy"),),
        (sys.executable, "-m", "koproxy", "serve"),
        (str(SCRIPTS / "twistd"), "--nodaemon", "--pidfile=", "koproxy"),
    ],
    ids=["koproxy", "kube-oidc-proxy", "python -m koproxy", "twistd"],
)
def test_four_commands_are_one_daemon(
    issuer: Issuer, api: KubeAPI, tmp_path: Path, command: tuple[str, ...]
) -> None:
    with koproxy(issuer, api, tmp_path, command=command) as running:
        client = connect(running)
        assert who(client, issuer.token(sub="jane"))["username"] == "jane"
        client.close()
        # twistd ends itself by the signal that it got, koproxy with a status.
        assert running.end() == (-signal.SIGTERM if "twistd" in command[0] else 0)


def test_what_reaches_the_api_server_is_exactly_this(
    issuer: Issuer, api: KubeAPI, client: Client
) -> None:
    token = issuer.token(sub="jane", groups=["dev", "", "ops team"])
    status, _ = client.get(f"{PODS}?limit=5", token, "Accept: */*", "X-Forwarded-For: 10.0.0.1")
    assert status == 200
    asked = [each.raw for each in api.requests if "limit=5" in each.target]
    expected = (
        f"GET {PODS}?limit=5 HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{api.port}\r\n"
        "Accept: */*\r\n"
        "Impersonate-User: jane\r\n"
        "Impersonate-Group: dev\r\n"
        "Impersonate-Group: \r\n"
        "Impersonate-Group: ops team\r\n"
        f"Authorization: Bearer {api.admin_token}\r\n"
        "X-Forwarded-For: 127.0.0.1\r\n"
        "\r\n"
    ).encode()
    assert asked == [expected]


def test_what_happened_is_counted(issuer: Issuer, running: Running, client: Client) -> None:
    def counted(line: str) -> float:
        status, text = running.health("/metrics")
        assert status == 200
        found = [each for each in text.splitlines() if each.startswith(f"koproxy_{line} ")]
        return float(found[0].split()[-1]) if found else 0.0

    lines = (
        'request_total{code="200",decision="authenticated",verb="list"}',
        'request_total{code="401",decision="unauthenticated",verb="list"}',
        f'authentication_failure_total{{issuer="{issuer.url}",reason="the bearer token is not '
        'accepted: it has expired"}',
        'token_cache_request_total{status="hit"}',
    )
    before = [counted(line) for line in lines]
    good, expired = issuer.token(groups=["dev"]), issuer.token(wrong="expired")
    assert [client.get(PODS, each)[0] for each in (good, good, expired)] == [200, 200, 401]
    more = [counted(line) - old for line, old in zip(lines, before, strict=True)]
    assert more == [2, 1, 1, 1]
    assert counted(f'issuer_ready{{issuer="{issuer.url}"}}') == 1
    assert counted(f'issuer_keys_fetch_timestamp_seconds{{issuer="{issuer.url}"}}') > 1e9
    assert counted("connections") >= 1


@pytest.mark.parametrize("wrong", WRONG)
def test_no_wrong_token_gets_through(
    issuer: Issuer, api: KubeAPI, client: Client, wrong: str
) -> None:
    before = reached(api)
    status, body = client.get(PODS, issuer.token(wrong=wrong))
    assert status == 401
    assert json.loads(body)["reason"] == "Unauthorized"
    assert client.get(PODS)[0] == 401
    assert reached(api) == before
    assert client.get(PODS, issuer.token())[0] == 200


def test_nobody_impersonates_through_the_proxy(
    issuer: Issuer, api: KubeAPI, client: Client
) -> None:
    before = reached(api)
    status, body = client.get(PODS, issuer.token(), "Impersonate-User: admin")
    assert status == 403
    message = "Impersonation requests are disabled when using kube-oidc-proxy"
    assert json.loads(body)["message"] == message
    assert reached(api) == before


@pytest.mark.parametrize("name", ["system:admin", " blank", "new\nline", ""])
def test_a_name_that_can_not_be_carried_is_refused(
    issuer: Issuer, api: KubeAPI, client: Client, name: str
) -> None:
    before = reached(api)
    status, body = client.get(PODS, issuer.token(sub=name))
    assert status == 403, body
    assert reached(api) == before


def test_a_watch_tells_what_happens_when_it_happens(
    issuer: Issuer, api: KubeAPI, client: Client
) -> None:
    client.send(request("GET", f"{PODS}?watch=1", issuer.token()))
    status, _ = client.head()
    assert status == 200
    for name in ("one", "two"):
        api.apply({"kind": "Pod", "metadata": {"name": name, "namespace": "demo"}})
        assert json.loads(client.chunk())["object"]["metadata"]["name"] == name


def test_an_upgrade_is_a_tunnel(issuer: Issuer, api: KubeAPI, client: Client) -> None:
    def echo(exchange: Exchange) -> None:
        exchange.tunnel("SPDY/3.1", lambda data: exchange.write(data.upper()))

    api.on(ECHO, echo)
    upgrade = ("Connection: Upgrade", "Upgrade: SPDY/3.1")
    client.send(request("POST", ECHO, issuer.token(), *upgrade))
    status, fields = client.head()
    assert (status, fields["upgrade"]) == (101, "SPDY/3.1")
    for size in (1, 100_000, 3):
        client.send(b"x" * size)
        assert client.read(size) == b"X" * size


def test_large_bodies_both_ways(issuer: Issuer, api: KubeAPI, client: Client) -> None:
    body = bytes(range(256)) * 40_000

    async def mirror(exchange: Exchange) -> None:
        got = await exchange.whole()
        exchange.respond(200, got.body)

    api.on("/mirror", mirror)
    token = issuer.token()
    for framing in (f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"):
        client.send(request("PUT", "/mirror", token, framing))
        if "chunked" in framing:
            client.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        else:
            client.send(body)
        assert client.answer() == (200, body)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"garbage",
        b"",
    ],
)
def test_an_answer_that_is_none_is_a_502(
    issuer: Issuer, api: KubeAPI, client: Client, answer: bytes
) -> None:
    def odd(exchange: Exchange) -> None:
        exchange.write(answer)
        exchange.close()

    api.on("/odd", odd)
    status, body = client.get("/odd", issuer.token())
    assert status == 502
    assert json.loads(body)["kind"] == "Status"


def test_new_keys_are_taken_up_and_old_ones_forgotten(api: KubeAPI, tmp_path: Path) -> None:
    with Issuer() as issuer, koproxy(issuer, api, tmp_path) as running:
        client = connect(running)
        old = issuer.token()
        assert client.get(PODS, old)[0] == 200
        issuer.rotate_keys(keep_old=False)
        # Keys are fetched for an unknown one once in a while, not once a token.
        new = issuer.token()
        assert any(client.get(PODS, new)[0] == 200 for _ in range(100_000))
        assert client.get(PODS, old)[0] == 401
        client.close()


def test_an_issuer_that_is_down_at_the_start(api: KubeAPI, tmp_path: Path) -> None:
    with Issuer() as issuer:
        token = issuer.token()
        issuer.fail("discovery", status=500)
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(api.kubeconfig())
        running = Running(
            [str(SCRIPTS / "koproxy"), "serve", *flags(issuer, kubeconfig, tmp_path)], tmp_path
        )
        try:
            running.wait_for("discovery at .* failed")
            status, reason = running.health("/ready")
            assert status == 503
            assert "issuer: discovery at " in reason
            assert running.health("/livez")[0] == 200
            client = connect(running)
            assert client.get(PODS, token)[0] == 503
            issuer.heal()
            running.wait_until_ready()
            assert client.get(PODS, token)[0] == 200
            client.close()
        finally:
            running.end()


def test_a_credential_that_the_api_server_refuses(
    issuer: Issuer, api: KubeAPI, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(api.kubeconfig(token="not-the-one"))
    running = Running(
        [str(SCRIPTS / "koproxy"), "serve", *flags(issuer, kubeconfig, tmp_path)], tmp_path
    )
    try:
        running.wait_for("keys? verify its tokens")
        client = connect(running)
        status, body = client.get(PODS, issuer.token())
        assert status == 502
        assert "refuses the proxy's own credential" in json.loads(body)["message"]
        status, checks = running.health("/readyz?verbose")
        assert status == 503
        assert "[-]credential the API server refuses the proxy's credential (401)" in checks
        assert "not-the-one" not in "".join(running.lines)

        kubeconfig.write_text(api.kubeconfig())
        assert client.get(PODS, issuer.token())[0] == 200
        assert running.health("/readyz")[0] == 200
        client.close()
    finally:
        running.end()


def test_a_port_in_use_ends_it_with_1(issuer: Issuer, api: KubeAPI, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(api.kubeconfig())
    running = Running(
        [
            str(SCRIPTS / "koproxy"),
            "serve",
            *flags(issuer, kubeconfig, tmp_path),
            f"--secure-port={api.port}",
        ],
        tmp_path,
    )
    assert running.process.wait(SECONDS) == 1
    running.end()
    assert running.lines[-1] == (
        f"koproxy: can't listen on 127.0.0.1 port {api.port} (--secure-port): "
        "Address already in use\n"
    )


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_all_addresses_are_those_of_ipv4_too(issuer: Issuer, api: KubeAPI, tmp_path: Path) -> None:
    with koproxy(issuer, api, tmp_path, "--bind-address=::") as running:
        client = connect(running)
        assert client.get(f"{PODS}?limit=7", issuer.token())[0] == 200
        client.close()
    [asked] = [each for each in api.requests if "limit=7" in each.target]
    assert asked.values("x-forwarded-for") == ["127.0.0.1"]
