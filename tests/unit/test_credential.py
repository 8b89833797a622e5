"""The proxy's credential stays fresh: read again by content, and the last good one is kept."""

import json
import ssl
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trustme
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent, capturedLogs

from koproxy.errors import ConfigurationError
from koproxy.kubeconfig import ExecPlugin, find_access
from koproxy.sources.credential import SECONDS, Upstream
from koproxy.sources.execcredential import Grant, PluginError


class Plugin:
    """Stands for the credential plugin's process: each run waits for the test's answer."""

    def __init__(self) -> None:
        self.runs: list[Deferred[Grant]] = []
        self.specs: list[ExecPlugin] = []

    def __call__(self, spec: ExecPlugin, _authority: bytes) -> Deferred[Grant]:
        self.specs.append(spec)
        self.runs.append(Deferred())
        return self.runs[-1]

    def gives(self, token: bytes, expires: float | None = None) -> None:
        self.runs[-1].callback(Grant(b"Bearer " + token, expires=expires))

    def fails(self, sentence: str) -> None:
        self.runs[-1].errback(PluginError(sentence))


class House:
    """A folder with a kubeconfig, and what the tests look at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.plugin = Plugin()
        self.changes = 0
        self.ca = trustme.CA()
        self.put("ca.crt", self.ca.cert_pem.bytes())

    def put(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)

    def put_pair(self, name: str = "client") -> None:
        leaf = self.ca.issue_cert(f"{name}.example")
        self.put("c.crt", leaf.cert_chain_pems[0].bytes())
        self.put("c.key", leaf.private_key_pem.bytes())

    def config(self, user: dict[str, Any], server: str = "https://api.example") -> None:
        cluster = {"server": server, "certificate-authority": "ca.crt"}
        self.put(
            "kubeconfig",
            json.dumps(
                {
                    "current-context": "x",
                    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                    "clusters": [{"name": "c", "cluster": cluster}],
                    "users": [{"name": "u", "user": user}],
                }
            ).encode(),
        )

    def exec(self, command: str = "/bin/true") -> None:
        version = "client.authentication.k8s.io/v1"
        plugin = {"command": command, "apiVersion": version, "interactiveMode": "Never"}
        self.config({"exec": plugin})

    def upstream(self) -> Upstream:
        find = partial(find_access, str(self.folder / "kubeconfig"), None)
        upstream = Upstream(find, self.clock, run=self.plugin)
        upstream.on_change(self.changed)
        return upstream

    def changed(self) -> None:
        self.changes += 1


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


class Said:
    """What was said in the log, with everything that is in its events."""

    def __init__(self, events: Sequence[LogEvent]) -> None:
        self._events = events
        self._seen = 0

    def clear(self) -> None:
        self._seen = len(self._events)

    @property
    def lines(self) -> list[str]:
        return [
            str(event)
            for event in self._events[self._seen :]
            if str(event.get("log_namespace", "")).startswith("koproxy.sources")
        ]


@pytest.fixture
def said() -> Iterator[Said]:
    with capturedLogs() as events:
        yield Said(events)


def renew(upstream: Upstream) -> Deferred[bool]:
    return ensureDeferred(upstream.renew())


def usable(upstream: Upstream) -> bytes:
    """The authorization that may be sent now."""
    assert upstream.problem is None
    return upstream.authorization


def result(deferred: Deferred[bool]) -> bool:
    results: list[bool] = []
    deferred.addCallback(results.append)
    return results[0]


def test_address(house: House) -> None:
    house.config({"token": "t"}, "https://[::1]:6443/k8s/c/")
    upstream = house.upstream()
    assert (upstream.host, upstream.port, upstream.server_name) == ("::1", 6443, "::1")
    assert upstream.host_header == b"[::1]:6443"
    assert upstream.path_prefix == b"/k8s/c"
    assert (upstream.authorization, upstream.problem) == (b"Bearer t", None)


def test_tls_verifies_and_speaks_http_1_1(house: House) -> None:
    house.config({"token": "t"})
    tls = house.upstream().tls
    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname
    assert tls.minimum_version is ssl.TLSVersion.TLSv1_2
    assert len(tls.get_ca_certs()) == 1


def test_a_service_account_as_the_kubelet_renews_it(house: House, tmp_path: Path) -> None:
    def project(name: str, token: bytes) -> None:
        """Write a volume as the kubelet does: a new folder, and a link that is swapped."""
        (tmp_path / name).mkdir()
        house.put(f"{name}/token", token)
        house.put(f"{name}/ca.crt", house.ca.cert_pem.bytes())
        (tmp_path / "..data_tmp").symlink_to(name)
        (tmp_path / "..data_tmp").replace(tmp_path / "..data")

    project("..1", b"first")
    for name in ("token", "ca.crt"):
        (tmp_path / name).unlink(missing_ok=True)
        (tmp_path / name).symlink_to(f"..data/{name}")
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    upstream = Upstream(partial(find_access, "", "", environ, tmp_path), house.clock)
    upstream.startService()
    assert upstream.host_header == b"10.0.0.1:443"
    assert usable(upstream) == b"Bearer first"
    project("..2", b"second")
    house.clock.advance(SECONDS)
    assert usable(upstream) == b"Bearer second"


def test_basic_credential(house: House) -> None:
    house.config({"username": "u", "password": "p"})
    assert house.upstream().authorization == b"Basic dTpw"


def test_client_certificate_alone(house: House) -> None:
    house.put_pair()
    house.config({"client-certificate": "c.crt", "client-key": "c.key"})
    upstream = house.upstream()
    assert (upstream.authorization, upstream.problem) == (b"", None)


def test_token_file_is_read_again(house: House, said: Said) -> None:
    house.put("token", b"first\n")
    house.config({"tokenFile": "token"})
    upstream = house.upstream()
    upstream.startService()
    tls = upstream.tls
    assert upstream.authorization == b"Bearer first"
    house.put("token", b"second\n")
    house.clock.advance(SECONDS)
    assert upstream.authorization == b"Bearer second"
    assert upstream.tls is tls
    assert house.changes == 1
    house.clock.advance(SECONDS)
    assert house.changes == 1
    assert not any("first" in line or "second" in line for line in said.lines)


def test_renew_reads_at_once_and_says_whether_it_helped(house: House) -> None:
    house.put("token", b"first")
    house.config({"tokenFile": "token"})
    upstream = house.upstream()
    assert result(renew(upstream)) is False
    house.put("token", b"second")
    assert result(renew(upstream)) is True
    assert upstream.authorization == b"Bearer second"


@pytest.mark.parametrize("content", [None, b"", b"half a token", b"\xff\xfe"])
def test_a_token_file_gone_bad_leaves_the_last(
    house: House, said: Said, content: bytes | None
) -> None:
    house.put("token", b"first")
    house.config({"tokenFile": "token"})
    upstream = house.upstream()
    upstream.startService()
    said.clear()
    if content is None:
        (house.folder / "token").unlink()
    else:
        house.put("token", content)
    house.clock.advance(SECONDS)
    house.clock.advance(SECONDS)
    assert upstream.authorization == b"Bearer first"
    assert len(said.lines) == len(upstream.stale) == 1
    assert "users[u].user.tokenFile" in upstream.stale[0]
    house.put("token", b"second")
    house.clock.advance(SECONDS)
    assert upstream.authorization == b"Bearer second"
    assert not upstream.stale


def test_a_token_file_goes_before_the_token(house: House) -> None:
    house.put("token", b"of-the-file")
    house.config({"token": "inline", "tokenFile": "token"})
    assert house.upstream().authorization == b"Bearer of-the-file"


def test_the_token_stands_in_for_a_file_that_is_not_there_yet(house: House) -> None:
    house.config({"token": "inline", "tokenFile": "token"})
    upstream = house.upstream()
    assert upstream.authorization == b"Bearer inline"
    house.put("token", b"of-the-file")
    renew(upstream)
    assert upstream.authorization == b"Bearer of-the-file"


def test_a_renewed_pair_makes_another_context(house: House) -> None:
    house.put_pair()
    house.config({"client-certificate": "c.crt", "client-key": "c.key"})
    upstream = house.upstream()
    upstream.startService()
    tls, bare_tls = upstream.tls, upstream.bare_tls
    house.clock.advance(SECONDS)
    assert upstream.tls is tls
    house.put_pair()
    house.clock.advance(SECONDS)
    assert upstream.tls is not tls
    assert upstream.bare_tls is bare_tls
    assert house.changes == 1


def test_another_authority_makes_other_contexts(house: House) -> None:
    house.config({"token": "t"})
    upstream = house.upstream()
    upstream.startService()
    tls, bare_tls = upstream.tls, upstream.bare_tls
    house.put("ca.crt", trustme.CA().cert_pem.bytes())
    house.clock.advance(SECONDS)
    assert upstream.tls is not tls
    assert upstream.bare_tls is not bare_tls
    assert house.changes == 1


def _other_key(house: House) -> None:
    house.put("c.key", house.ca.issue_cert("other.example").private_key_pem.bytes())


def _half_a_certificate(house: House) -> None:
    house.put("c.crt", (house.folder / "c.crt").read_bytes()[:300])


def _no_authority(house: House) -> None:
    house.put("ca.crt", b"")


@pytest.mark.parametrize("spoil", [_other_key, _half_a_certificate, _no_authority])
def test_a_pair_gone_bad_leaves_the_last(
    house: House, said: Said, spoil: Callable[[House], None]
) -> None:
    house.put_pair()
    house.config({"client-certificate": "c.crt", "client-key": "c.key"})
    upstream = house.upstream()
    upstream.startService()
    said.clear()
    tls = upstream.tls
    spoil(house)
    house.clock.advance(SECONDS)
    house.clock.advance(SECONDS)
    assert upstream.tls is tls
    assert len(said.lines) == len(upstream.stale) == 1


def test_a_bad_authority_does_not_stop_the_token(house: House) -> None:
    house.put("token", b"first")
    house.config({"tokenFile": "token"})
    upstream = house.upstream()
    house.put("token", b"second")
    _no_authority(house)
    renew(upstream)
    assert upstream.authorization == b"Bearer second"


def test_a_renewed_kubeconfig_is_followed(house: House) -> None:
    house.config({"token": "first"})
    upstream = house.upstream()
    house.config({"token": "second"})
    assert result(renew(upstream)) is True
    assert upstream.authorization == b"Bearer second"


def test_another_server_needs_a_restart(house: House) -> None:
    house.config({"token": "first"})
    upstream = house.upstream()
    house.config({"token": "second"}, "https://other.example")
    renew(upstream)
    assert (upstream.host, upstream.authorization) == ("api.example", b"Bearer first")
    assert "restart koproxy" in upstream.stale[0]


@pytest.mark.parametrize(
    "user",
    [
        {"tokenFile": "none"},
        {"token": "a b"},
        {"client-certificate": "none", "client-key": "none"},
        {"client-certificate": "ca.crt", "client-key": "ca.crt"},
        {"exec": {"command": "/none", "apiVersion": "client.authentication.k8s.io/v1beta1"}},
    ],
)
def test_what_cannot_work_is_said_at_start(house: House, user: dict[str, Any]) -> None:
    house.config(user)
    with pytest.raises(ConfigurationError, match=r"users\[u\]\.user"):
        house.upstream()


def test_plugin_gives_the_credential_at_start(house: House) -> None:
    house.exec()
    upstream = house.upstream()
    upstream.startService()
    assert upstream.problem is not None
    assert "has not answered yet" in upstream.problem
    house.plugin.gives(b"t")
    assert usable(upstream) == b"Bearer t"
    assert house.changes == 1


def test_plugin_is_run_again_before_its_credential_ends(house: House) -> None:
    house.exec()
    upstream = house.upstream()
    upstream.startService()
    house.plugin.gives(b"first", expires=600)
    house.clock.pump([SECONDS] * 56)
    assert len(house.plugin.runs) == 1
    house.clock.advance(SECONDS)
    assert len(house.plugin.runs) == 2
    assert upstream.authorization == b"Bearer first"
    house.plugin.gives(b"second", expires=1200)
    assert upstream.authorization == b"Bearer second"


def test_plugin_without_an_end_is_run_when_asked_for(house: House) -> None:
    house.exec()
    upstream = house.upstream()
    upstream.startService()
    house.plugin.gives(b"first")
    house.clock.pump([SECONDS] * 1000)
    assert len(house.plugin.runs) == 1
    asked = renew(upstream)
    house.plugin.gives(b"second")
    assert result(asked) is True
    assert len(house.plugin.runs) == 2


def test_those_who_ask_at_once_share_a_run(house: House) -> None:
    house.exec()
    upstream = house.upstream()
    asked = [renew(upstream) for _ in range(3)]
    house.plugin.gives(b"t")
    assert [result(each) for each in asked] == [True, True, True]
    assert len(house.plugin.runs) == 1


def test_plugin_is_not_run_again_at_once(house: House) -> None:
    house.exec()
    upstream = house.upstream()
    renew(upstream)
    house.plugin.gives(b"t")
    assert result(renew(upstream)) is False
    assert len(house.plugin.runs) == 1
    house.clock.advance(5)
    renew(upstream)
    assert len(house.plugin.runs) == 2


def test_a_plugin_that_fails_is_tried_at_growing_intervals(house: House, said: Said) -> None:
    house.exec()
    upstream = house.upstream()
    upstream.startService()
    tried: list[float] = []
    while len(tried) < 6:
        if len(house.plugin.runs) > len(tried):
            tried.append(house.clock.seconds())
            house.plugin.fails("the plugin says no")
        house.clock.advance(SECONDS)
    assert [b - a for a, b in pairwise(tried)] == [10, 20, 40, 60, 60]
    assert upstream.problem == "the plugin says no"
    assert len(said.lines) == 1


def test_a_plugin_that_fails_leaves_the_credential_until_its_end(house: House) -> None:
    house.exec()
    upstream = house.upstream()
    upstream.startService()
    house.plugin.gives(b"first", expires=35)
    house.clock.advance(SECONDS)
    house.plugin.fails("the plugin says no")
    assert usable(upstream) == b"Bearer first"
    house.clock.pump([SECONDS] * 3)
    assert upstream.problem == (
        "the credential ended at 1970-01-01T00:00:35+00:00, and the plugin says no"
    )


def test_an_ended_credential_is_left_to_the_api_server(house: House) -> None:
    house.exec()
    upstream = house.upstream()
    upstream.startService()
    house.clock.advance(100)
    house.plugin.gives(b"t", expires=50)
    assert usable(upstream) == b"Bearer t"
    house.clock.advance(SECONDS)
    assert len(house.plugin.runs) == 2


def test_plugin_with_a_client_certificate(house: House) -> None:
    house.exec()
    upstream = house.upstream()
    tls = upstream.tls
    renew(upstream)
    leaf = house.ca.issue_cert("p.example")
    house.plugin.runs[-1].callback(
        Grant(
            certificate=leaf.cert_chain_pems[0].bytes(),
            key=leaf.private_key_pem.bytes(),
        )
    )
    assert upstream.tls is not tls
    assert usable(upstream) == b""


def test_another_plugin_in_the_kubeconfig_takes_over(house: House) -> None:
    house.exec()
    upstream = house.upstream()
    upstream.startService()
    house.plugin.gives(b"first")
    house.exec("/bin/false")
    house.clock.advance(SECONDS)
    assert house.plugin.specs[-1].command == "/bin/false"
    assert usable(upstream) == b"Bearer first"
    house.plugin.gives(b"second")
    assert upstream.authorization == b"Bearer second"


def test_a_token_takes_the_place_of_a_plugin(house: House) -> None:
    house.exec()
    upstream = house.upstream()
    upstream.startService()
    house.config({"token": "t"})
    house.clock.advance(SECONDS)
    assert usable(upstream) == b"Bearer t"


def test_stopped_it_ends_the_run(house: House) -> None:
    house.exec()
    upstream = house.upstream()
    upstream.startService()
    upstream.stopService()
    assert house.plugin.runs[-1].called
    assert not house.clock.getDelayedCalls()


def test_who_listens_badly_stops_nobody(house: House, said: Said) -> None:
    house.config({"token": "first"})
    upstream = house.upstream()
    heard: list[bytes] = []

    def fail() -> None:
        raise ZeroDivisionError

    upstream.on_change(fail)
    upstream.on_change(lambda: heard.append(upstream.authorization))
    house.config({"token": "second"})
    assert result(renew(upstream)) is True
    assert heard == [b"Bearer second"]
    assert any("ZeroDivisionError" in line for line in said.lines)
