"""A kubeconfig is read by client-go's rules, and what can't work is said by field and file."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from koproxy.errors import ConfigurationError
from koproxy.kubeconfig import Access, find_access

SERVER = "https://api.example:6443"
V1 = "client.authentication.k8s.io/v1"
SECRET = "s3cr3t-value"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a kubeconfig: one context, cluster and user, with what a test changes in them."""

    def write(
        cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **top: Any
    ) -> Path:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "x",
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": SERVER, **(cluster or {})}}],
            "users": [{"name": "u", "user": {"token": "t"} if user is None else user}],
            **top,
        }
        file = tmp_path / "kubeconfig"
        file.write_text(json.dumps(config))
        return file

    return write


def read(file: Path, context: str | None = None) -> Access:
    return find_access(str(file), context, {})


def refusal(file: Path, context: str | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(file, context)
    sentence = str(caught.value)
    assert sentence.startswith(f"--kubeconfig {file}")
    assert SECRET not in sentence
    return sentence


def executing(**changes: Any) -> dict[str, Any]:
    return {"exec": {"command": "p", "apiVersion": V1, "interactiveMode": "Never", **changes}}


def test_paths_are_relative_to_the_file(write: Write, tmp_path: Path) -> None:
    file = write(
        {"certificate-authority": "pki/ca.crt"},
        {"tokenFile": "token", "client-certificate": "/etc/c.crt", "client-key": "../c.key"},
    )
    access = read(file)
    assert access.authority is not None
    assert access.authority.path == tmp_path / "pki/ca.crt"
    assert access.token_file is not None
    assert access.token_file.path == tmp_path / "token"
    assert access.certificate is not None
    assert access.certificate.path == Path("/etc/c.crt")
    assert access.key is not None
    assert access.key.path == tmp_path / "../c.key"


def test_data_is_base64_in_any_number_of_lines(write: Write) -> None:
    text = base64.b64encode(b"-----BEGIN" * 20).decode()
    lines = "\n".join(text[i : i + 60] for i in range(0, len(text), 60)) + "\n"
    access = read(write({"certificate-authority-data": lines}))
    assert access.authority is not None
    assert access.authority.read() == b"-----BEGIN" * 20


@pytest.mark.parametrize("given", [None, "y"])
def test_context_by_flag_or_current(write: Write, given: str | None) -> None:
    contexts = [{"name": name, "context": {"cluster": name, "user": "u"}} for name in "xy"]
    clusters = [{"name": name, "cluster": {"server": f"https://{name}.example"}} for name in "xy"]
    access = read(write(contexts=contexts, clusters=clusters), given)
    assert access.server.host == f"{given or 'x'}.example"


def test_a_broken_user_of_another_context_is_no_matter(write: Write) -> None:
    users = [{"name": "u", "user": {"token": "t"}}, {"name": "other", "user": {"as": "root"}}]
    assert read(write(users=users)).token is not None


def test_unknown_fields_nulls_and_missing_kind_pass(write: Write) -> None:
    file = write(
        {"later-field": 1, "proxy-url": None},
        {"token": "t", "exec": None, "as-groups": None},
        kind=None,
        apiVersion=None,
        preferences={"colors": True},
    )
    assert read(file).token is not None


def test_yaml_dates_are_text(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(
        "current-context: 2026-01-02\n"
        "contexts: [{name: 2026-01-02, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: https://a.example}}]\n"
        "users: [{name: u, user: {token: t}}]\n"
    )
    assert read(file).server.host == "a.example"


def test_token_and_token_file_are_both_kept(write: Write) -> None:
    access = read(write(user={"token": "t", "tokenFile": "f"}))
    assert access.token is not None
    assert access.token_file is not None


def test_basic_credential_is_encoded(write: Write) -> None:
    access = read(write(user={"username": "jö", "password": "a:b"}))
    assert access.basic == b"Basic " + base64.b64encode("jö:a:b".encode())


def test_password_without_username_is_nothing(write: Write) -> None:
    assert read(write(user={"token": "t", "password": SECRET})).basic is None


def test_key_without_certificate_is_nothing(write: Write) -> None:
    access = read(write(user={"token": "t", "client-key": "k"}))
    assert (access.certificate, access.key) == (None, None)


def test_exec_is_read(write: Write, tmp_path: Path) -> None:
    plugin = read(
        write(user=executing(command="./bin/p", args=["a"], env=[{"name": "N", "value": "v"}]))
    ).plugin
    assert plugin is not None
    assert plugin.command == str(tmp_path / "bin/p")
    assert (plugin.args, plugin.env) == (("a",), (("N", "v"),))
    assert plugin.cluster_info is None


def test_exec_by_name_is_for_path(write: Write) -> None:
    plugin = read(write(user=executing(command="p"))).plugin
    assert plugin is not None
    assert plugin.command == "p"


def test_exec_v1beta1_needs_no_interactive_mode(write: Write) -> None:
    user = {"exec": {"command": "p", "apiVersion": V1 + "beta1"}}
    assert read(write(user=user)).plugin is not None


def test_exec_cluster_info(write: Write) -> None:
    cluster = {
        "tls-server-name": "n",
        "insecure-skip-tls-verify": True,
        "extensions": [
            {"name": "other", "extension": 1},
            {
                "name": "client.authentication.k8s.io/exec",
                "extension": {"audience": "a", "n": None},
            },
        ],
    }
    plugin = read(write(cluster, executing(provideClusterInfo=True))).plugin
    assert plugin is not None
    assert plugin.cluster_info == {
        "server": SERVER,
        "tls-server-name": "n",
        "insecure-skip-tls-verify": True,
        "config": {"audience": "a", "n": None},
    }


def test_exec_beside_another_credential_is_not_run(write: Write) -> None:
    access = read(write(user={"token": "t", **executing(interactiveMode="Always")}))
    assert access.plugin is None
    assert access.token is not None


def test_reading_again_gives_an_equal_access(write: Write) -> None:
    user = {"exec": executing(provideClusterInfo=True)["exec"]}
    assert read(write(user=user)) == read(write(user=user))


def test_secrets_are_in_no_repr(write: Write) -> None:
    data = base64.b64encode(SECRET.encode()).decode()
    for user in (
        {"token": SECRET},
        {"username": "u", "password": SECRET},
        {"client-certificate-data": data, "client-key-data": data},
        executing(env=[{"name": "N", "value": SECRET}]),
    ):
        shown = repr(read(write(user=user)))
        assert SECRET not in shown
        assert base64.b64encode(f"u:{SECRET}".encode()).decode() not in shown


@pytest.mark.parametrize(
    ("cluster", "user", "field"),
    [
        ({"server": ""}, None, "clusters[c].cluster.server is missing"),
        ({"server": "http://a"}, None, "clusters[c].cluster.server is http"),
        ({"server": "a:6443"}, None, "clusters[c].cluster.server is not an https URL"),
        ({"proxy-url": "http://p"}, None, "clusters[c].cluster.proxy-url"),
        (
            {"certificate-authority": "a", "certificate-authority-data": "YQ=="},
            None,
            "clusters[c].cluster.certificate-authority stands beside certificate-authority-data",
        ),
        (
            {"certificate-authority-data": "%"},
            None,
            "clusters[c].cluster.certificate-authority-data is not base64",
        ),
        (
            {"certificate-authority": "a", "insecure-skip-tls-verify": True},
            None,
            "clusters[c].cluster.insecure-skip-tls-verify contradicts",
        ),
        ({"insecure-skip-tls-verify": "yes"}, None, "clusters[c].cluster.insecure-skip-tls-verify"),
        (None, {}, "users[u].user holds no credential"),
        (None, {"password": SECRET}, "users[u].user holds no credential"),
        (None, {"token": 5}, "users[u].user.token: Expected `str`, got `int`"),
        (None, {"token": SECRET, "username": "a"}, "users[u].user.username"),
        (None, {"tokenFile": "f", "username": "a"}, "users[u].user.username"),
        (None, {"client-certificate": "c"}, "users[u].user.client-key is missing"),
        (
            None,
            {"client-certificate": "c", "client-certificate-data": "YQ==", "client-key": "k"},
            "users[u].user.client-certificate stands beside",
        ),
        (
            None,
            {"client-certificate": "c", "client-key-data": "YQ==", "client-key": "k"},
            "users[u].user.client-key stands beside client-key-data",
        ),
        (None, {"client-certificate-data": "%", "client-key": "k"}, "client-certificate-data"),
        (None, {"token": SECRET, "as": "anna"}, "users[u].user.as "),
        (None, {"token": SECRET, "as-uid": "1"}, "users[u].user.as "),
        (None, {"token": SECRET, "as-groups": ["g"]}, "users[u].user.as "),
        (None, {"token": SECRET, "as-user-extra": {"k": ["v"]}}, "users[u].user.as "),
        (None, {"auth-provider": {"name": "oidc"}}, "users[u].user.auth-provider"),
        (None, executing(command=""), "users[u].user.exec.command"),
        (None, executing(apiVersion=""), "users[u].user.exec.apiVersion"),
        (None, executing(apiVersion=V1 + "alpha1"), "users[u].user.exec.apiVersion"),
        (None, executing(interactiveMode=""), "users[u].user.exec.interactiveMode"),
        (None, executing(interactiveMode="Always"), "users[u].user.exec.interactiveMode is Always"),
        (None, executing(interactiveMode=SECRET), "users[u].user.exec.interactiveMode"),
        (None, executing(env=[{"value": SECRET}]), "users[u].user.exec.env"),
        (None, {"token": "t", **executing(command="")}, "users[u].user.exec.command"),
    ],
)
def test_what_cannot_work_is_said(
    write: Write, cluster: dict[str, Any] | None, user: dict[str, Any] | None, field: str
) -> None:
    assert field in refusal(write(cluster, user))


def test_context_that_is_not_there_names_those_that_are(write: Write) -> None:
    assert "contexts[z] does not exist: choose one with --context (the file has x)" in refusal(
        write(), "z"
    )
    assert "contexts[z]" in refusal(write(**{"current-context": "z"}))
    assert "current-context is not set" in refusal(write(**{"current-context": ""}))


def test_context_names_what_is_not_there(write: Write) -> None:
    assert "contexts[x].context.cluster is 'c'" in refusal(write(clusters=[]))
    assert "contexts[x].context.user is 'u'" in refusal(write(users=None))


@pytest.mark.parametrize("place", ["contexts", "clusters", "users"])
def test_a_name_that_is_there_twice(write: Write, place: str) -> None:
    assert f"{place}[n] stands there twice" in refusal(write(**{place: [{"name": "n"}] * 2}))


@pytest.mark.parametrize(("kind", "version"), [("Pod", "v1"), ("Config", "v2")])
def test_other_kinds(write: Write, kind: str, version: str) -> None:
    assert "is not a kubeconfig" in refusal(write(kind=kind, apiVersion=version))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "current-context is not set"),
        ("[]", "the document"),
        (f"users:\n- user: {{token: *{SECRET}}}\n", "not valid YAML (line 2, column 17)"),
        (f"users:\n- user: {{token: !{SECRET} x}}\n", "not valid YAML (line 2"),
        (f"users: [{SECRET}", "not valid YAML (line 1"),
        ("a: \x00", "not valid YAML"),
    ],
)
def test_text_that_is_no_kubeconfig(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    assert sentence in refusal(file)


def test_a_file_that_cannot_be_read_is_named_with_its_field(write: Write, tmp_path: Path) -> None:
    token_file = read(write(user={"tokenFile": "k"})).token_file  # as the kubeconfig's name begins
    assert token_file is not None
    with pytest.raises(ConfigurationError) as caught:
        token_file.read()
    assert f"users[u].user.tokenFile: {tmp_path / 'k'} can't be read" in str(caught.value)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    assert "can't be read (No such file or directory)" in refusal(tmp_path / "none")


def test_context_without_a_kubeconfig() -> None:
    with pytest.raises(ConfigurationError, match="--context x chooses from a kubeconfig"):
        find_access(None, "x", {})


@pytest.mark.parametrize(
    ("host", "url"),
    [("10.0.0.1", "https://10.0.0.1:443"), ("fd00::1", "https://[fd00::1]:443")],
)
def test_in_cluster(tmp_path: Path, host: str, url: str) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "443"}
    access = find_access("", "", environ, tmp_path)
    assert (access.server.host, access.server.port, access.server.url) == (host, 443, url)
    assert access.server.tls_name == host
    assert access.token_file is not None
    assert access.token_file.path == tmp_path / "token"
    assert access.authority is not None
    assert access.authority.path == tmp_path / "ca.crt"


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "is not a pod"),
        ({"KUBERNETES_SERVICE_HOST": "h"}, "is not a pod"),
        (
            {"KUBERNETES_SERVICE_HOST": "h", "KUBERNETES_SERVICE_PORT": "tcp://h:1"},
            "KUBERNETES_SERVICE_PORT is 'tcp://h:1'",
        ),
    ],
)
def test_not_in_a_cluster(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        find_access(None, None, environ)
