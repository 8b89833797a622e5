"""What a credential plugin is told, and what of its answers is a credential."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme
from hypothesis import example, given
from hypothesis import strategies as st

from koproxy.kubeconfig import ExecPlugin
from koproxy.sources.execcredential import PluginError, decode_grant, exec_info

V1 = "client.authentication.k8s.io/v1"
SECRET = "s3cr3t-value"

PLUGIN = ExecPlugin(
    where="users[u].user.exec",
    command="/bin/p",
    args=(),
    env=(),
    api_version=V1,
    install_hint="",
    cluster_info=None,
)


def printed(status: Any, **changes: Any) -> bytes:
    credential = {"apiVersion": V1, "kind": "ExecCredential", "status": status, **changes}
    return json.dumps(credential).encode()


def refusal(output: bytes) -> str:
    with pytest.raises(PluginError) as caught:
        decode_grant(output, PLUGIN)
    sentence = str(caught.value)
    assert sentence.startswith("users[u].user.exec: the plugin /bin/p ")
    assert SECRET not in sentence
    return sentence


def test_it_is_told_that_nobody_is_there() -> None:
    assert json.loads(exec_info(PLUGIN, b"ca")) == {
        "apiVersion": V1,
        "kind": "ExecCredential",
        "spec": {"interactive": False},
    }


def test_it_is_told_of_the_cluster_when_it_asks() -> None:
    plugin = ExecPlugin(
        where="w",
        command="p",
        args=(),
        env=(),
        api_version=V1 + "beta1",
        install_hint="",
        cluster_info={"server": "https://a", "config": {"audience": "x"}},
    )
    info = json.loads(exec_info(plugin, b"ca"))
    assert info["apiVersion"] == V1 + "beta1"
    assert info["spec"]["cluster"] == {
        "server": "https://a",
        "config": {"audience": "x"},
        "certificate-authority-data": "Y2E=",
    }
    assert "certificate-authority-data" not in exec_info(plugin, b"")


def test_a_token() -> None:
    grant = decode_grant(printed({"token": "t"}), PLUGIN)
    assert (grant.authorization, grant.certificate, grant.expires) == (b"Bearer t", b"", None)


def test_yaml_is_understood() -> None:
    output = f"apiVersion: {V1}\nkind: ExecCredential\nstatus: {{token: t, later: 1}}\n".encode()
    assert decode_grant(output, PLUGIN).authorization == b"Bearer t"


@pytest.mark.parametrize(
    ("timestamp", "expires"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()),
        ("2026-01-02T05:04:05+02:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()),
        ("2026-01-02T03:04:05.5Z", datetime(2026, 1, 2, 3, 4, 5, 500000, tzinfo=UTC).timestamp()),
        (None, None),
    ],
)
def test_the_end(timestamp: str | None, expires: float | None) -> None:
    status = {"token": "t", "expirationTimestamp": timestamp}
    assert decode_grant(printed(status), PLUGIN).expires == expires


def test_a_client_certificate() -> None:
    leaf = trustme.CA().issue_cert("p.example")
    certificate, key = leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()
    status = {"clientCertificateData": certificate.decode(), "clientKeyData": key.decode()}
    grant = decode_grant(printed(status), PLUGIN)
    assert (grant.authorization, grant.certificate, grant.key) == (b"", certificate, key)
    assert key.decode() not in repr(grant)
    status["clientKeyData"] = trustme.CA().issue_cert("q.example").private_key_pem.bytes().decode()
    assert "does not fit" in refusal(printed(status))


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (b"", "printed no ExecCredential"),
        (SECRET.encode(), "printed no ExecCredential"),
        (b"{" + SECRET.encode(), "neither JSON nor YAML"),
        (printed({"token": SECRET}) + b"{}", "neither JSON nor YAML"),
        (b"*" + SECRET.encode(), "neither JSON nor YAML"),
        (b"\xff", "neither JSON nor YAML"),
        (b"[]", "printed no ExecCredential"),
        (printed({"token": SECRET}, kind="Secret"), "something else"),
        (printed({"token": SECRET}, apiVersion=V1 + "beta1"), "something else"),
        (printed({"token": SECRET}, apiVersion=None), "something else"),
        (printed(None), "returned no status"),
        (printed({}), "neither a token nor a client certificate"),
        (printed({"token": None}), "neither a token nor a client certificate"),
        (printed({"token": 5}), "$.status.token"),
        (printed({"token": f"{SECRET}\n"}), "status.token holds"),
        (printed({"token": SECRET, "clientKeyData": SECRET}), "without the other"),
        (printed({"token": SECRET, "expirationTimestamp": SECRET}), "expirationTimestamp"),
        (printed({"token": SECRET, "expirationTimestamp": "2026-01-02T03:04:05"}), "expiration"),
        (
            printed({"clientCertificateData": SECRET, "clientKeyData": SECRET}),
            "status.clientCertificateData holds no PEM certificate",
        ),
    ],
)
def test_what_is_no_credential(output: bytes, sentence: str) -> None:
    assert sentence in refusal(output)


@given(st.binary(max_size=100))
@example(b"{" * 5000)
@example(b"[" * 500)  # deeper than YAML's reader can go
def test_any_output(output: bytes) -> None:
    with pytest.raises(PluginError):
        decode_grant(output, PLUGIN)
