"""Whatever stands in a kubeconfig, there is an answer or a sentence, and no secret in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from koproxy.errors import ConfigurationError
from koproxy.kubeconfig.access import bearer
from koproxy.kubeconfig.address import parse_server
from koproxy.kubeconfig.rules import choose

FILE = Path("/etc/koproxy/kubeconfig")
SECRET = "hunter2-hunter2"

_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(SECRET),
    st.sampled_from(["", "a", "YQ==", "https://a", "http://a"]),
    st.lists(st.just(SECRET), max_size=2),
    st.dictionaries(st.sampled_from(["name", "value", "command"]), st.just(SECRET), max_size=2),
)

_URL_PIECES = "htps:/a1.-%@?#[]" + " \t\n\xe4"


def _fields(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), _values, max_size=5)


_users = _fields(
    "token",
    "tokenFile",
    "username",
    "password",
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "exec",
    "as",
    "auth-provider",
)
_clusters = _fields(
    "server",
    "certificate-authority",
    "certificate-authority-data",
    "insecure-skip-tls-verify",
    "extensions",
)


def _answer(content: bytes) -> None:
    try:
        access = choose(content, FILE, None)
    except ConfigurationError as error:
        sentence = str(error)
    else:
        assert any(
            (access.token, access.token_file, access.basic, access.certificate, access.plugin)
        )
        # A path and a plugin's command are shown; they are no secrets.
        shown = repr(access).replace(f"{FILE.parent}/{SECRET}", "")
        assert SECRET not in shown.replace(f"command='{SECRET}'", "")
        return
    assert SECRET not in sentence
    assert str(FILE) in sentence


@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"? [a]: b")
@example(b"&a [*a]")
def test_any_bytes(content: bytes) -> None:
    _answer(content)


@given(user=_users, cluster=_clusters, top=_fields("contexts", "clusters", "users", "kind"))
def test_any_fields(user: dict[str, Any], cluster: dict[str, Any], top: dict[str, Any]) -> None:
    config = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://a", **cluster}}],
        "users": [{"name": "u", "user": user}],
        **top,
    }
    _answer(json.dumps(config).encode())


@given(st.one_of(st.text(_URL_PIECES), st.text(_URL_PIECES).map("https://".__add__)))
@example("https://a\x00")
@example("https://a/\u0661")
@example("https://\u212a")
def test_any_url(url: str) -> None:
    try:
        server = parse_server(url, "here")
    except ConfigurationError:
        return
    assert server.host
    assert 0 < server.port < 65536
    prefix = server.path_prefix
    assert prefix == b"" or (prefix.startswith(b"/") and not prefix.endswith(b"/"))
    assert not any(byte <= 0x20 or byte >= 0x7F for byte in prefix + server.authority.encode())


@given(st.binary(max_size=20))
@example(b"a b")
@example(b"a\r\nX-Remote-User: root")
@example(b"")
def test_a_token_is_one_word_or_refused(token: bytes) -> None:
    if token and all(0x21 <= byte <= 0x7E for byte in token):
        assert bearer(token, "here") == b"Bearer " + token
    else:
        with pytest.raises(ConfigurationError, match=r"^here "):
            bearer(token, "here")
