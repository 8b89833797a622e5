"""What names an audit webhook is a kubeconfig: without a credential, http will do too."""

import json
from pathlib import Path
from typing import Any

import pytest

from koproxy.errors import ConfigurationError
from koproxy.kubeconfig import Access, find_webhook

SECRET = "s3cr3t-value"


def read(
    folder: Path, server: str, user: dict[str, Any] | None = None, **top: Any
) -> tuple[Path, Access]:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "contexts": [
            {"name": "x", "context": {"cluster": "c", "user": "" if user is None else "u"}}
        ],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [] if user is None else [{"name": "u", "user": user}],
        **top,
    }
    file = folder / "webhook"
    file.write_text(json.dumps(config))
    return file, find_webhook(str(file))


def test_it_may_be_http_without_a_user(tmp_path: Path) -> None:
    _, access = read(tmp_path, "http://events.example/k8s-audit")
    assert access.server.authority == "events.example:80"
    assert access.server.path_prefix == b"/k8s-audit"
    assert not access.server.secure
    assert (access.token, access.certificate, access.basic) == (None, None, None)


def test_it_may_be_https_without_a_credential(tmp_path: Path) -> None:
    _, access = read(tmp_path, "https://events.example", {})
    assert (access.server.secure, access.server.port) == (True, 443)


def test_it_may_have_a_token(tmp_path: Path) -> None:
    _, access = read(tmp_path, "https://events.example", {"token": SECRET})
    assert access.token is not None
    assert access.token.read() == SECRET.encode()


@pytest.mark.parametrize(
    ("server", "user", "top", "sentence"),
    [
        ("http://e.example", {"token": SECRET}, {}, "users[u].user holds a credential, which"),
        ("ftp://e.example", None, {}, "clusters[c].cluster.server is not an https URL"),
        ("https://e.example", None, {"current-context": "y"}, "contexts[y] does not exist: name"),
        ("https://e.example", None, {"kind": "Pod"}, "webhook is not a kubeconfig"),
        ("https://e.example", {"as": "x"}, {}, "users[u].user.as asks to impersonate somebody"),
    ],
)
def test_what_can_not_work_is_said(
    tmp_path: Path, server: str, user: dict[str, Any] | None, top: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, server, user, **top)
    assert str(caught.value).startswith(f"--audit-webhook-config-file {tmp_path / 'webhook'}")
    assert sentence in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "--context" not in str(caught.value)


def test_a_user_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="which is none of the users"):
        read(tmp_path, "https://e.example", {}, users=[])
