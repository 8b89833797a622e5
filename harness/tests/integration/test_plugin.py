"""The pytest plugin, by test suites that are made here and run as anybody would run them."""

import sys

import pytest

pytest_plugins = ["pytester"]

FETCH = """
import json
import ssl
import urllib.request

def fetch(server, path, token=None):
    fields = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(server.url + path, headers=fields)
    trust = ssl.create_default_context(cafile=server.ca_file)
    with urllib.request.urlopen(request, context=trust) as answer:
        return json.load(answer)
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A suite to which tests can be added; `fetch` is there for them."""
    pytester.makepyfile(fetching=FETCH)
    return pytester


def run(suite, *options, source):
    suite.makepyfile(test_it=source)
    return suite.runpytest_subprocess("-W", "error", *options)


def test_each_test_has_servers_of_its_own(suite):
    run(
        suite,
        source="""
        from fetching import fetch

        seen = []

        def ask(issuer, api):
            assert not issuer.requests and not api.requests
            assert fetch(issuer, "/keys")["keys"]
            assert fetch(api, "/version", issuer.token(groups=["system:masters"]))
            assert (issuer.url, api.url) not in seen
            seen.append((issuer.url, api.url))

        def test_one(oidc_issuer, kube_api):
            ask(oidc_issuer, kube_api)

        def test_two(kube_api, oidc_issuer):
            ask(oidc_issuer, kube_api)
        """,
    ).assert_outcomes(passed=2)


def test_the_api_server_trusts_the_issuer_of_the_same_test(suite):
    run(
        suite,
        source="""
        import urllib.error

        import pytest
        from fetching import fetch

        PATH = "/version"

        def test_it(oidc_issuer, kube_api, oidc_issuer_session):
            assert fetch(kube_api, PATH, oidc_issuer.token())
            for token in (oidc_issuer.token(wrong="expired"), oidc_issuer_session.token()):
                with pytest.raises(urllib.error.HTTPError) as refused:
                    fetch(kube_api, PATH, token)
                assert refused.value.code == 401
                refused.value.close()
        """,
    ).assert_outcomes(passed=1)


def test_servers_of_a_session_are_the_same_in_all_tests_and_nothing_is_put_back(suite):
    run(
        suite,
        source="""
        from fetching import fetch

        def test_one(oidc_issuer_session, kube_api_session):
            kube_api_session.apply({"kind": "Namespace", "metadata": {"name": "left"}})
            assert fetch(kube_api_session, "/version", oidc_issuer_session.token())

        def test_two(oidc_issuer_session, kube_api_session):
            assert len(kube_api_session.requests) == 1
            left = fetch(kube_api_session, "/api/v1/namespaces/left", kube_api_session.admin_token)
            assert left["metadata"]["name"] == "left"
        """,
    ).assert_outcomes(passed=2)


def test_unittest_style(suite):
    run(
        suite,
        source="""
        import unittest

        import pytest
        from fetching import fetch

        class Test(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def servers(self, request):
                self.issuer = request.getfixturevalue("oidc_issuer")
                self.api = request.getfixturevalue("kube_api")

            def test_it(self):
                assert fetch(self.issuer, "/keys")["keys"]
                assert fetch(self.api, "/version", self.issuer.token())
        """,
    ).assert_outcomes(passed=1)


def test_asyncio(suite):
    """By nothing but the standard library: a loop that is running while the servers are used."""
    run(
        suite,
        source="""
        import asyncio
        import ssl

        def test_it(oidc_issuer, kube_api):
            async def statuses():
                for server, path in ((oidc_issuer, "/keys"), (kube_api, "/version")):
                    trust = ssl.create_default_context(cafile=server.ca_file)
                    reader, writer = await asyncio.open_connection(
                        "127.0.0.1", server.port, ssl=trust
                    )
                    fields = f"Host: a\\r\\nAuthorization: Bearer {kube_api.admin_token}\\r\\n"
                    writer.write(f"GET {path} HTTP/1.1\\r\\n{fields}\\r\\n".encode())
                    yield (await reader.readline()).split()[1]
                    writer.close()
                    await writer.wait_closed()

            async def all_statuses():
                return [status async for status in statuses()]

            assert asyncio.run(all_statuses()) == [b"200", b"200"]
        """,
    ).assert_outcomes(passed=1)


def test_pytest_twisted(suite):
    run(
        suite,
        source="""
        import pytest_twisted
        from fetching import fetch
        from twisted.internet import reactor, threads

        @pytest_twisted.ensureDeferred
        async def test_it(oidc_issuer, kube_api):
            keys = await threads.deferToThread(fetch, oidc_issuer, "/keys")
            assert keys["keys"]
            assert await threads.deferToThread(fetch, kube_api, "/version", oidc_issuer.token())
            assert not reactor.getReaders() == []
        """,
    ).assert_outcomes(passed=1)


def test_xdist(suite):
    run(
        suite,
        "-n2",
        source="""
        import pytest
        from fetching import fetch

        @pytest.mark.parametrize("number", range(8))
        def test_it(oidc_issuer, kube_api, kube_api_session, number):
            assert fetch(oidc_issuer, "/keys")["keys"]
            assert fetch(kube_api, "/version", oidc_issuer.token())
            fetch(kube_api_session, "/version", kube_api_session.admin_token)
        """,
    ).assert_outcomes(passed=8)


def test_a_failure_shows_what_the_servers_were_asked_and_no_token(suite):
    ended = run(
        suite,
        source="""
        import pytest
        import urllib.error
        from fetching import fetch

        def test_before(kube_api_session):
            fetch(kube_api_session, "/version", kube_api_session.admin_token)

        def test_it(oidc_issuer, kube_api, kube_api_session, oidc_issuer_session):
            fetch(kube_api, "/version?access_token=hush", kube_api.admin_token)
            fetch(kube_api, "/version?access_token=hush", kube_api.admin_token)
            with pytest.raises(urllib.error.HTTPError) as refused:
                fetch(oidc_issuer, "/nothing", "secret")
            refused.value.close()
            fetch(oidc_issuer_session, "/keys")
            assert not "this fails"
        """,
    )
    ended.assert_outcomes(passed=1, failed=1)
    _, _, told = ended.stdout.str().partition("oidc_issuer_session was asked")
    ended.stdout.fnmatch_lines(
        [
            "*- oidc_issuer_session was asked -*",
            "GET /keys -> 200",
            "*- oidc_issuer was asked -*",
            "GET /nothing -> 404",
            "*- kube_api was asked -*",
            "GET /version -> 200* (2 times)",
        ]
    )
    assert "kube_api_session was asked" not in told  # not in this test
    assert "hush" not in told
    assert "secret" not in told


def test_a_failure_of_a_test_that_asked_nothing_says_so(suite):
    ended = run(suite, source="def test_it(oidc_issuer): assert not 'this fails'")
    ended.stdout.fnmatch_lines(["*- oidc_issuer was asked -*", "nothing"])


def test_a_handler_that_raises_is_an_error_of_its_test(suite):
    run(
        suite,
        source="""
        import pytest
        from fetching import fetch

        def test_it(kube_api):
            def broken(exchange):
                raise ValueError("a mistake in the handler")

            kube_api.on("/broken", broken)
            with pytest.raises(OSError):
                fetch(kube_api, "/broken")
        """,
    ).assert_outcomes(passed=1, errors=1)


def test_nothing_of_the_harness_is_imported_before_a_fixture_is_asked_for(suite):
    run(
        suite,
        "-p",
        "no:twisted",
        source="""
        import sys

        def test_none():
            mine = {name for name in sys.modules if name.startswith("koproxy_harness")}
            assert mine == {"koproxy_harness", "koproxy_harness.pytest_plugin"}
            assert not {"twisted", "cryptography", "yaml", "jwt"} & set(sys.modules)
        """,
    ).assert_outcomes(passed=1)


def test_what_the_package_promises_is_there():
    import koproxy_harness

    missing = [name for name in koproxy_harness.__all__ if not hasattr(koproxy_harness, name)]
    assert missing == []
    assert not hasattr(koproxy_harness, "NothingOfThisName")
    assert sys.modules["koproxy_harness"].Issuer is koproxy_harness.Issuer
