"""What may be asked of a server whose `with` block has ended, and what says that it is too late."""

import tempfile
import urllib.request
from pathlib import Path
from ssl import create_default_context

import pytest
from koproxy_harness import HarnessError, Issuer, KubeAPI
from koproxy_harness.issuer.keys import POOL


def closed(make=Issuer):
    with make() as server:
        trust = create_default_context(cafile=server.ca_file)
        path = "/keys" if make is Issuer else "/version"
        urllib.request.urlopen(server.url + path, context=trust, timeout=10).close()
    return server


@pytest.fixture
def nothing_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [Issuer, KubeAPI])
@pytest.mark.parametrize(
    "use",
    [
        lambda server: server.start(),
        lambda server: server.fail("jwks"),
        lambda server: server.heal(),
        lambda server: server.serve_certificate("expired"),
        lambda server: server.ca_file,
        lambda server: server.client_certificate("jane"),
        lambda server: server.server_certificate("localhost"),
    ],
)
def test_a_server_that_is_closed_says_so(make, use, nothing_left):
    server = closed(make)
    with pytest.raises(HarnessError, match=rf"this {make.__name__} is closed for good"):
        use(server)


@pytest.mark.parametrize(
    "use",
    [
        lambda issuer: issuer.token(),
        lambda issuer: issuer.token(wrong="unknown-key"),
        lambda issuer: issuer.sign({}),
        lambda issuer: issuer.key("ES256"),
        lambda issuer: issuer.rotate_keys(),
        lambda issuer: issuer.withdraw_keys(),
        KubeAPI,
    ],
)
def test_an_issuer_that_is_closed_says_so(use):
    issuer = closed()
    free = len(POOL._free)
    with pytest.raises(HarnessError, match="this Issuer is closed for good"):
        use(issuer)
    assert len(POOL._free) == free


@pytest.mark.parametrize("make", [Issuer, KubeAPI])
def test_what_was_asked_can_still_be_looked_at(make):
    server = closed(make)
    assert server.url.startswith("https://127.0.0.1:")
    assert [request.method for request in server.requests] == ["GET"]
    assert "BEGIN CERTIFICATE" in server.ca_pem
    assert (server.refused, server.connections) == ([], 0)
    server.stop()
    server.close()


def test_the_keys_that_were_published_can_still_be_looked_at():
    with Issuer() as issuer:
        issuer.key("Ed448")
        issuer.rotate_keys(keep_old=True)
        published = issuer.jwks
    free = len(POOL._free)
    assert issuer.jwks == published
    with Issuer() as idle:
        pass
    assert idle.jwks == {"keys": []}
    assert len(POOL._free) == free


def test_an_api_server_outlives_its_issuer():
    with KubeAPI() as api:
        assert api.requests == []
    with Issuer() as issuer, KubeAPI(issuer) as api:
        token = issuer.token()
        issuer.close()
        request = urllib.request.Request(
            f"{api.url}/version", headers={"Authorization": f"Bearer {token}"}
        )
        trust = create_default_context(cafile=api.ca_file)
        urllib.request.urlopen(request, context=trust, timeout=10).close()
        assert api.requests[0].user == "jane"


def test_a_server_that_never_ran_leaves_no_folder(nothing_left):
    server = KubeAPI()
    assert Path(server.ca_file).read_text() == server.ca_pem
    server.close()
