"""What a person reads when the flags can't work: one sentence, exit status 2, no traceback."""

import re
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner

from koproxy.cli import attempt, koproxy, read
from koproxy.cli.serve import serve
from koproxy.settings import (
    AUDIT,
    LIMITS,
    OBSERVING,
    OIDC,
    PROXY,
    SERVING,
    UPSTREAM,
    Settings,
    options,
)

GOOD = {
    "--oidc-issuer-url": "https://issuer.example",
    "--oidc-client-id": "kubernetes",
    "--kubeconfig": "kubeconfig",
    "--cert-dir": "certificates",
    "--bind-address": "127.0.0.1",
    "--secure-port": "0",
    "--readiness-probe-port": "0",
}
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: here, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: me, user: {token: a-secret-token}}]
contexts: [{name: here, context: {cluster: here, user: me}}]
current-context: here
"""


@pytest.fixture(autouse=True)
def no_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't work must never get as far as running."""
    monkeypatch.setattr("twisted.internet.reactor.run", lambda: pytest.fail("it was taken"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with files that fit, and some that don't."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    (tmp_path / "text").write_text("a-secret-text")
    odd = KUBECONFIG.replace("a-secret-token", '"a-secret\\0"')
    (tmp_path / "odd").write_text(odd)
    authority = trustme.CA()
    for name in ("one", "two"):
        pair = authority.issue_cert("localhost")
        pair.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.crt")
        pair.private_key_pem.write_to_path(tmp_path / f"{name}.key")
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on standard error of a command that ends with 2."""
    with pytest.raises(SystemExit) as end:
        attempt(lambda: read(koproxy, "koproxy", arguments), "koproxy")
    said = capsys.readouterr()
    assert end.value.code == 2
    assert said.out == ""
    assert said.err.startswith("koproxy: ")
    assert said.err.count("\n") == 1
    assert "secret" not in said.err
    return said.err


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"--oidc-issuer-url": None}, ["--oidc-issuer-url is missing"]),
        ({"--oidc-client-id": None}, ["--oidc-client-id is missing"]),
        ({"--oidc-issuer-url": "http://issuer.example"}, ["--oidc-issuer-url", "https"]),
        (
            {"--oidc-issuer-url": "http://me:a-secret@issuer.example"},
            ["--oidc-issuer-url", "password"],
        ),
        ({"--oidc-issuer-url": "https://me:a-secret@issuer.example:99999"}, ["password"]),
        ({"--oidc-ca-file": "nowhere"}, ["--oidc-ca-file nowhere", "No such file"]),
        ({"--oidc-ca-file": "text"}, ["--oidc-ca-file text", "PEM"]),
        ({"--oidc-ca-file": "."}, ["--oidc-ca-file .", "directory"]),
        ({"--oidc-signing-algs": "RS256,HS256"}, ["--oidc-signing-algs", "HS256", "RS256"]),
        ({"--oidc-required-claim": "tenant"}, ["--oidc-required-claim", "CLAIM=VALUE"]),
        ({"--oidc-tls-client-cert-file": "one.crt"}, ["--oidc-tls-client-key-file", "missing"]),
        (
            {"--oidc-tls-client-cert-file": "one.crt", "--oidc-tls-client-key-file": "two.key"},
            ["--oidc-tls-client-key-file two.key", "does not fit"],
        ),
        ({"--tls-cert-file": "one.crt"}, ["--tls-cert-file", "--tls-private-key-file"]),
        (
            {"--tls-cert-file": "one.crt", "--tls-private-key-file": "two.key"},
            ["--tls-private-key-file two.key", "does not fit"],
        ),
        (
            {"--tls-cert-file": "text", "--tls-private-key-file": "one.key"},
            ["--tls-cert-file text", "PEM"],
        ),
        ({"--tls-min-version": "TLS1"}, ["--tls-min-version TLS1", "VersionTLS12"]),
        ({"--tls-cipher-suites": "ROT13"}, ["--tls-cipher-suites", "ROT13"]),
        ({"--cert-dir": "text"}, ["--cert-dir text", "folder"]),
        ({"--kubeconfig": "nowhere"}, ["--kubeconfig nowhere", "can't be read"]),
        ({"--kubeconfig": "text"}, ["--kubeconfig text", "mend the file"]),
        ({"--kubeconfig": "odd"}, ["--kubeconfig odd", "not valid YAML"]),
        ({"--kubeconfig": None}, ["--kubeconfig", "not a pod"]),
        ({"--context": "there"}, ["contexts[there]", "--context", "here"]),
        ({"--bind-address": "localhost"}, ["--bind-address 'localhost'", "IP address"]),
        ({"--secure-port": "65536"}, ["--secure-port 65536", "0 to 65535"]),
        ({"--secure-port": "\uff18\uff10"}, ["--secure-port", "whole number"]),
        ({"--secure-port": "https"}, ["--secure-port", "whole number"]),
        ({"--trusted-proxies": "lb.example"}, ["--trusted-proxies: 'lb.example'", "192.0.2.0/24"]),
        ({"--trusted-proxies": "10.0.0.1/8"}, ["--trusted-proxies", "write 10.0.0.0/8"]),
        ({"--proxy-protocol": None, "--proxy-protocol=true": ""}, ["--trusted-proxies"]),
        ({"--readiness-probe-port": "-1"}, ["--readiness-probe-port -1"]),
        ({"--allow-reserved-groups": "dev"}, ["--allow-reserved-groups", "dev", "system:"]),
        ({"--extra-user-headers": "a=b,c"}, ["--extra-user-headers", "'c'", "KEY=VALUE"]),
        ({"--extra-user-headers": "remote-client-ip=a"}, ["remote-client-ip", "another one"]),
        ({"--extra-user-headers": "a=\x7f"}, ["--extra-user-headers", "control character"]),
        ({"--kube-client-qps": "many"}, ["--kube-client-qps", "'many' is not a number"]),
        ({"--no-such-flag": "x"}, ["--no-such-flag", "koproxy serve --help"]),
        ({"extra": ""}, ["extra"]),
    ],
)
def test_one_sentence_names_the_flag_and_what_to_do(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, str | None],
    words: list[str],
) -> None:
    flags = {name: value for name, value in (GOOD | changed).items() if value is not None}
    arguments = [f"{name}={value}" if value else name for name, value in flags.items()]
    said = refused(capsys, "serve", *arguments)
    assert [word for word in words if word not in said] == [], said


@pytest.mark.parametrize("arguments", [["serves"], ["--nothing"]])
def test_a_command_that_there_is_not(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert "koproxy --help" in refused(capsys, *arguments)


def given(*arguments: str) -> Settings:
    """What ``serve`` reads from its flags."""
    return Settings(**serve.make_context("serve", list(arguments)).params)


def test_flags_are_read_as_go_reads_them() -> None:
    read = given(
        "--oidc-signing-algs=RS256,ES256",
        "--oidc-signing-algs",
        "PS256",
        "--oidc-required-claim=tenant=a=b,c",
        "--oidc-required-claim",
        "team=x",
        "-v=4",
        "-P",
        "0",
    )
    assert read.oidc_signing_algs == ("RS256", "ES256", "PS256")
    assert read.oidc_required_claim == (("tenant", "a=b,c"), ("team", "x"))
    assert (read.v, read.readiness_probe_port) == (4, 0)


def test_the_defaults_are_those_of_the_table() -> None:
    assert given() == Settings()
    assert Settings().oidc_signing_algs == ("RS256",)
    assert Settings().secure_port == 6443


def test_help_has_the_flags_in_their_groups() -> None:
    shown = CliRunner().invoke(koproxy, ["check", "--help"]).output
    headings = re.findall(r"^(\S.*):$", shown, re.MULTILINE)
    assert headings == ["Options", OIDC, SERVING, LIMITS, UPSTREAM, PROXY, OBSERVING, AUDIT]
    assert shown.index("--online") < shown.index(f"{OIDC}:")
    shown = CliRunner().invoke(koproxy, ["explain", "--help"]).output
    assert re.findall(r"^(\S.*):$", shown, re.MULTILINE) == ["Options", OIDC, PROXY]
    assert "other flags of serve" in shown
    assert "--secure-port" not in shown


def test_help_shows_every_flag() -> None:
    shown = CliRunner().invoke(serve, ["--help"])
    assert shown.exit_code == 0
    assert [name for name in options() if f"-{name}" not in shown.output] == []
