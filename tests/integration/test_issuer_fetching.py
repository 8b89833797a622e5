"""Fetching over real TLS: what is trusted, followed, waited for and taken."""

from __future__ import annotations

import pytest
import pytest_twisted
import trustme
from koproxy_harness import Certificate, Issuer
from support.trust import issuer_trust
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.web.client import Agent

from koproxy.errors import ConfigurationError
from koproxy.sources.fetch import MAX_BYTES, Fetcher, FetchError
from koproxy.sources.trust import IssuerTrust

PATH = "/.well-known/openid-configuration"


def fetcher(
    issuer: Issuer, own: Certificate | None = None, *, ca: object = "", seconds: float = 30
) -> Fetcher:
    trust = issuer_trust(
        str(ca or issuer.ca_file),
        str(own.cert_file) if own else "",
        str(own.key_file) if own else "",
    )
    return Fetcher(reactor, Agent(reactor, trust), seconds=seconds)


async def problem(fetching: Fetcher, url: str, token: str = "") -> str:
    try:
        await fetching.get(url, token=token)
    except FetchError as caught:
        return str(caught)
    raise AssertionError("it was fetched")


@pytest_twisted.ensureDeferred
async def test_a_document_is_fetched_and_the_connection_closed():
    async with Issuer(reactor) as issuer:
        text = await fetcher(issuer).get(issuer.url + PATH, token="opener")
        assert issuer.url.encode() in text
        assert issuer.requests[0].values("authorization") == ["Bearer opener"]
        await issuer.until(lambda: issuer.connections == 0)


@pytest_twisted.ensureDeferred
async def test_an_authority_that_is_not_trusted_is_refused(tmp_path):
    other = tmp_path / "other.pem"
    other.write_bytes(trustme.CA().cert_pem.bytes())
    async with Issuer(reactor) as issuer:
        said = await problem(fetcher(issuer, ca=other), issuer.url + PATH)
        assert said.startswith("TLS failed: certificate verify failed")
        assert issuer.requests == []


@pytest_twisted.ensureDeferred
async def test_a_certificate_for_another_host_is_refused():
    async with Issuer(reactor) as issuer:
        # The resolver knows this spelling of the address, and the certificate doesn't.
        said = await problem(fetcher(issuer), issuer.url.replace("127.0.0.1", "127.1") + PATH)
        assert said == "its certificate is for another host"
        assert issuer.requests == []


@pytest_twisted.ensureDeferred
async def test_a_client_certificate_is_shown_where_one_is_given():
    async with Issuer(reactor, require_client_certificate=True) as issuer:
        assert await problem(fetcher(issuer), issuer.url + PATH)
        own = issuer.client_certificate("koproxy")
        assert await fetcher(issuer, own).get(issuer.url + PATH)


@pytest_twisted.ensureDeferred
async def test_redirects_are_followed_within_https():
    async with Issuer(reactor) as issuer:
        issuer.fail("discovery", 302, headers=[("Location", "/keys")])
        assert b'"keys"' in await fetcher(issuer).get(issuer.url + PATH)
        issuer.fail("discovery", 307, headers=[("Location", f"{issuer.url}/keys")])
        assert b'"keys"' in await fetcher(issuer).get(issuer.url + PATH)
        for location, said in (
            (issuer.url.replace("https", "http") + "/keys", "it redirects away from https"),
            ("https://[", "its URL is malformed"),
            (PATH, "it redirects more than 10 times"),
        ):
            issuer.fail("discovery", 301, headers=[("Location", location)])
            assert await problem(fetcher(issuer), issuer.url + PATH) == said


@pytest_twisted.ensureDeferred
async def test_a_token_does_not_follow_a_redirect_to_another_server(tmp_path):
    async with Issuer(reactor) as issuer, Issuer(reactor) as other:
        both = tmp_path / "both.pem"
        both.write_text(issuer.ca_pem + other.ca_pem)
        issuer.fail("discovery", 302, headers=[("Location", f"{other.url}/keys")])
        await fetcher(issuer, ca=both).get(issuer.url + PATH, token="opener")
        assert issuer.requests[0].values("authorization") == ["Bearer opener"]
        assert other.requests[0].values("authorization") == []
        issuer.heal()
        issuer.fail("discovery", 302, headers=[("Location", "/keys")])
        await fetcher(issuer, ca=both).get(issuer.url + PATH, token="opener")
        assert issuer.requests[-1].values("authorization") == ["Bearer opener"]


@pytest_twisted.ensureDeferred
async def test_only_a_good_status_will_do():
    async with Issuer(reactor) as issuer:
        for status in (204, 400, 404, 500, 503):
            issuer.fail("discovery", status)
            said = await problem(fetcher(issuer), issuer.url + PATH)
            assert said == f"it answered with status {status}"
        await issuer.until(lambda: issuer.connections == 0)


@pytest_twisted.ensureDeferred
async def test_an_answer_is_bounded():
    async with Issuer(reactor) as issuer:
        issuer.fail("discovery", 200, body=b"x" * MAX_BYTES)
        assert len(await fetcher(issuer).get(issuer.url + PATH)) == MAX_BYTES
        issuer.fail("discovery", 200, body=b"x" * (MAX_BYTES + 1))
        said = await problem(fetcher(issuer), issuer.url + PATH)
        assert said == f"its answer has more than {MAX_BYTES} bytes"
        await issuer.until(lambda: issuer.connections == 0)


@pytest_twisted.ensureDeferred
async def test_an_answer_has_to_come_in_time_and_is_not_waited_for_longer():
    async with Issuer(reactor) as issuer:
        issuer.fail("discovery", 200, delay=60)
        said = await problem(fetcher(issuer, seconds=0.2), issuer.url + PATH)
        assert said == "it did not answer within 0.2 seconds"
        await issuer.until(lambda: issuer.connections == 0)


@pytest_twisted.ensureDeferred
async def test_a_connection_that_is_cut_is_a_problem():
    async with Issuer(reactor) as issuer:
        issuer.fail("discovery", reset=True)
        assert await problem(fetcher(issuer), issuer.url + PATH)
        await issuer.stop()
        assert "refused" in await problem(fetcher(issuer), issuer.url + PATH)


@pytest_twisted.ensureDeferred
async def test_many_at_once_are_kept_apart():
    async with Issuer(reactor) as issuer:
        fetching = fetcher(issuer)
        wanted = [
            Deferred.fromCoroutine(fetching.get(issuer.url + path)) for path in (PATH, "/keys") * 5
        ]
        found = await gatherResults(wanted)
        assert len(set(found)) == 2


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://issuer.example/", "its URL is not https"),
        ("issuer.example", "its URL is not https"),
        ("https://", "its URL is not https"),
        ("file:///etc/passwd", "its URL is not https"),
        ("", "its URL is not https"),
        ("https://[", "its URL is malformed"),
        ("https://a:b/", "its URL is malformed"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_only_an_https_url_is_asked(url, said):
    issuer = Issuer()
    assert await problem(fetcher(issuer), url) == said


@pytest_twisted.ensureDeferred
async def test_a_token_that_no_header_can_hold_is_not_sent():
    async with Issuer(reactor) as issuer:
        for token in ("a\r\nb", "\x00", "\u20ac", "a\tb"):
            said = await problem(fetcher(issuer), issuer.url + PATH, token)
            assert said == "the token to ask it with is malformed"
        assert issuer.requests == []


# Files.


def test_a_file_that_can_not_work_is_named_with_its_flag(tmp_path):
    issuer = Issuer()
    own, other = issuer.client_certificate(), issuer.client_certificate()
    missing = tmp_path / "missing.pem"
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("nothing")
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    ca, cert, key = "--oidc-ca-file", "--oidc-tls-client-cert-file", "--oidc-tls-client-key-file"
    for files, flag, named in (
        ((missing, "", ""), ca, missing),
        ((tmp_path, "", ""), ca, tmp_path),
        ((garbage, "", ""), ca, garbage),
        ((broken, "", ""), ca, broken),
        ((own.key_file, "", ""), ca, own.key_file),
        (("", own.cert_file, ""), key, ""),
        (("", "", own.key_file), cert, ""),
        (("", missing, own.key_file), cert, missing),
        (("", own.cert_file, missing), key, missing),
        (("", own.cert_file, garbage), key, garbage),
        (("", garbage, own.key_file), cert, garbage),
        (("", own.cert_file, other.key_file), key, other.key_file),
    ):
        with pytest.raises(ConfigurationError) as caught:
            issuer_trust(*map(str, files))
        assert flag in str(caught.value)
        assert str(named) in str(caught.value)
        assert "PRIVATE KEY-----" not in str(caught.value)


@pytest_twisted.ensureDeferred
async def test_authorities_that_change_hold_from_the_next_connection_on(tmp_path):
    async with Issuer(reactor) as one, Issuer(reactor) as other:
        file = tmp_path / "ca.pem"
        file.write_text(one.ca_pem)
        trust = IssuerTrust(str(file), "", "")
        before = trust.read()
        trust.take(before)
        fetching = Fetcher(reactor, Agent(reactor, trust))
        assert await fetching.get(one.url + PATH)
        assert "verify failed" in await problem(fetching, other.url + PATH)
        file.write_text("nothing")
        with pytest.raises(ConfigurationError, match="holds no PEM certificate"):
            trust.take(trust.read())
        assert await fetching.get(one.url + PATH)
        file.write_text(other.ca_pem)
        assert trust.read() != before
        trust.take(trust.read())
        assert await fetching.get(other.url + PATH)
        assert "verify failed" in await problem(fetching, one.url + PATH)
