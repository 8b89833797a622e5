"""A load balancer before koproxy: whose address reaches the API server, and who has a say in it."""

import contextlib
import socket
import ssl
from collections.abc import Iterator

import pytest
from koproxy_harness import Issuer, KubeAPI
from support.running import PEOPLE_MAY_LOOK, SECONDS, Client, Running, koproxy

PODS = "/api/v1/namespaces/demo/pods"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
ADDRESSES = socket.inet_aton("203.0.113.9") + socket.inet_aton("192.0.2.1") + b"\xd4\x31\x01\xbb"
LINE = b"PROXY TCP4 203.0.113.9 192.0.2.1 54321 443\r\n"
BINARY = SIGNATURE + b"\x21\x11\0\x10" + ADDRESSES + b"\x04\0\x01x"
LOCAL = SIGNATURE + b"\x20\0\0\0"
HANDSHAKE = b"\x16"
IPV6 = b"PROXY TCP6 2001:db8::9 2001:db8::1 54321 443\r\n"


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
    """koproxy for which 127.0.0.1 and .3 are load balancers, and all other addresses are not."""
    with koproxy(
        issuer,
        api,
        tmp_path_factory.mktemp("koproxy"),
        "--trusted-proxies=127.0.0.1,127.0.0.3/32",
        "--proxy-protocol",
        "--bind-address=0.0.0.0",
        "--max-connections-per-peer=2",
        "--v=4",
    ) as running:
        yield running


class Connection(Client):
    """A client whose bytes come behind others, and from an address of this machine's choice."""

    def __init__(self, running: Running, *first: bytes, source: str = "127.0.0.1") -> None:
        context = ssl.create_default_context(cafile=running.directory / "kube-oidc-proxy.crt")
        context.check_hostname = False
        plain = socket.create_connection(
            ("127.0.0.1", running.port), timeout=SECONDS, source_address=(source, 0)
        )
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in first:
            plain.sendall(piece)
        self._socket = context.wrap_socket(plain, suppress_ragged_eofs=False)
        self._reader = self._socket.makefile("rb")


def refuses(running: Running, first: bytes, source: str) -> bool:
    """Whether a connection with these first bytes is closed, without a handshake."""
    said = b""
    plain = socket.create_connection(
        ("127.0.0.1", running.port), SECONDS, source_address=(source, 0)
    )
    with plain, contextlib.suppress(ConnectionError):
        plain.sendall(first)
        while more := plain.recv(1000):
            said += more
    return said[:1] != HANDSHAKE


def told(issuer: Issuer, api: KubeAPI, client: Client, *lines: str) -> list[str]:
    """Whose address the API server is told of for a request."""
    before = len(api.requests)
    assert client.get(PODS, issuer.token(sub="jane"), *lines)[0] == 200
    [seen] = [each for each in api.requests[before:] if each.path == PODS]
    fields = [line.partition(b": ") for line in seen.raw.split(b"\r\n")]
    return [value.decode() for name, _, value in fields if name.lower() == b"x-forwarded-for"]


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ((LINE,), "203.0.113.9"),
        ((BINARY,), "203.0.113.9"),
        ((IPV6,), "2001:db8::9"),
        ((LOCAL,), "127.0.0.1"),
        ((b"PROXY UNKNOWN\r\n",), "127.0.0.1"),
        (tuple(bytes([byte]) for byte in LINE), "203.0.113.9"),
    ],
    ids=["v1", "v2", "v6", "local", "unknown", "in pieces"],
)
def test_a_load_balancer_says_for_whom_it_connects(
    issuer: Issuer, api: KubeAPI, running: Running, header: tuple[bytes, ...], address: str
) -> None:
    client = Connection(running, *header)
    for line in ("X-Forwarded-For: 198.51.100.1", "Accept: */*"):
        assert told(issuer, api, client, line) == [address]
    client.close()


@pytest.mark.parametrize("first", [HANDSHAKE, LINE[:-2] + b"x\r\n", SIGNATURE + b"\x31\0\0\0"])
def test_a_load_balancer_that_does_not_say_is_closed(running: Running, first: bytes) -> None:
    assert refuses(running, first, "127.0.0.1")
    running.wait_for("closed a connection from 127.0.0.1, a trusted proxy: no PROXY header, ")


def test_who_is_no_load_balancer_has_no_say(issuer: Issuer, api: KubeAPI, running: Running) -> None:
    client = Connection(running, source="127.0.0.2")
    assert told(issuer, api, client) == ["127.0.0.2"]
    client.close()
    for header in (LINE, BINARY, LOCAL):
        assert refuses(running, header, "127.0.0.2")
    client = Connection(running, source="127.0.0.2")  # none of these is counted any more
    assert told(issuer, api, client) == ["127.0.0.2"]
    client.close()


def test_connections_are_counted_for_whom_they_are(
    issuer: Issuer, api: KubeAPI, running: Running
) -> None:
    def connect(header: bytes) -> Connection:
        return Connection(running, header, source="127.0.0.3")

    theirs = [connect(LINE.replace(b".9", b".10")) for _ in range(2)]
    assert refuses(running, LINE.replace(b".9", b".10"), "127.0.0.3")
    others = [connect(IPV6.replace(b"::9", b"::10")) for _ in range(2)]
    own = [connect(LOCAL) for _ in range(2)]
    assert [told(issuer, api, each) for each in (theirs[0], others[0], own[0])] == [
        ["203.0.113.10"],
        ["2001:db8::10"],
        ["127.0.0.3"],
    ]
    running.wait_for("connections were turned away")
    for each in (*theirs, *others, *own):
        each.close()


def test_a_proxy_says_for_whom_it_asks(issuer: Issuer, api: KubeAPI, running: Running) -> None:
    client = Connection(running, LINE.replace(b"203.0.113.9", b"127.0.0.3"))
    line = "X-Forwarded-For: 203.0.113.66, 203.0.113.9, 127.0.0.1"
    assert told(issuer, api, client, line) == ["203.0.113.9"]
    assert told(issuer, api, client) == ["127.0.0.3"]
    client.close()


def test_nobody_else_says_for_whom_he_asks(issuer: Issuer, api: KubeAPI, running: Running) -> None:
    line = "X-Forwarded-For: 203.0.113.66"
    for header, source, address in (
        (b"", "127.0.0.2", "127.0.0.2"),
        (LINE, "127.0.0.1", "203.0.113.9"),
    ):
        client = Connection(running, header, source=source)
        assert told(issuer, api, client, line) == [address]
        client.close()
