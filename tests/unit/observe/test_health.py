"""The probe port's answers."""

from collections.abc import Iterator

import pytest
from twisted.internet.testing import StringTransport
from twisted.web.pages import notFound

from koproxy.observe.health import Check, health_site


def ask(path: str, **problems: str | None) -> tuple[int, str]:
    """(status, body) of one request, with checks that have these problems."""

    def checks() -> Iterator[Check]:
        for name, problem in problems.items():
            yield Check(name, problem, required=name != "rights")

    transport = StringTransport()
    channel = health_site(checks, notFound()).buildProtocol(None)
    channel.makeConnection(transport)
    channel.dataReceived(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    head, _, body = transport.value().partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


@pytest.mark.parametrize("path", ["/ready", "/readyz"])
def test_ready_when_all_that_is_required_holds(path: str) -> None:
    assert ask(path, issuer=None, rights="may not impersonate users") == (200, "ok\n")


@pytest.mark.parametrize("path", ["/ready", "/readyz"])
def test_not_ready_with_the_reason(path: str) -> None:
    assert ask(path, issuer="no keys yet", credential=None) == (503, "issuer: no keys yet\n")


@pytest.mark.parametrize("query", ["?verbose", "?verbose=true", "?x=1&verbose"])
def test_every_check_in_a_line(query: str) -> None:
    found = ask(f"/readyz{query}", issuer="no keys yet", credential=None, rights="lacks uids")
    assert found == (
        503,
        "[-]issuer no keys yet\n[+]credential ok\n[!]rights lacks uids\nnot ready\n",
    )
    assert ask(f"/readyz{query}", issuer=None) == (200, "[+]issuer ok\nready\n")


def test_alive_whatever_else_is_wrong() -> None:
    assert ask("/livez", issuer="no keys yet") == (200, "ok\n")


def test_nothing_else_is_there() -> None:
    assert ask("/metrics")[0] == 404
