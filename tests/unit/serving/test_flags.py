"""The serving flags together: what is read, in which order, and what can't be."""

from pathlib import Path
from typing import Any

import pytest
import trustme
from twisted.internet.task import Clock

from koproxy.errors import ConfigurationError
from koproxy.serving.flags import extra_keys, make_serving
from koproxy.settings import Settings, Whole

AUTHORITY = trustme.CA()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    issued = AUTHORITY.issue_cert("a.example")
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "crt"))
    issued.private_key_pem.write_to_path(str(tmp_path / "key"))
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca"))
    return tmp_path


def settings(folder: Path, **more: Any) -> Settings:
    given: dict[str, Any] = {
        "tls_cert_file": f"{folder}/crt",
        "tls_private_key_file": f"{folder}/key",
    } | more
    return Settings(**given)


def test_each_file_is_looked_at_by_itself(folder: Path) -> None:
    named = f"{folder}/crt,{folder}/key"
    serving = make_serving(
        settings(
            folder,
            tls_sni_cert_key=(Whole(named), Whole(f"{named}:b.example")),
            client_ca_file=f"{folder}/ca",
        )
    )
    files = [each.files for each in serving.reloaded(Clock())]
    assert files == [
        f"--tls-cert-file {folder}/crt, --tls-private-key-file {folder}/key",
        f"--tls-sni-cert-key {folder}/crt, --tls-sni-cert-key {folder}/key",
        f"--tls-sni-cert-key {folder}/crt, --tls-sni-cert-key {folder}/key",
        f"--client-ca-file {folder}/ca",
    ]
    assert serving.certificates is not None
    assert serving.certificates.generation == 1


def test_nobody_is_asked_for_a_certificate_by_default(folder: Path) -> None:
    assert make_serving(settings(folder)).certificates is None
    assert extra_keys(settings(folder)) == ()
    assert extra_keys(settings(folder, client_ca_file="ca")) == (
        "authentication.kubernetes.io/credential-id",
    )


def test_a_certificate_is_made_only_where_it_is_needed(tmp_path: Path) -> None:
    given = Settings(cert_dir=str(tmp_path / "made"))
    assert make_serving(given, self_sign=False).files == ()
    assert not (tmp_path / "made").exists()
    assert len(make_serving(given).files) == 1
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"tls_sni_cert_key": ("c",)}, "--tls-sni-cert-key c is not two files"),
        ({"tls_sni_cert_key": ("/no,/no",)}, "--tls-sni-cert-key /no can't be read"),
        ({"client_ca_file": "/no"}, "--client-ca-file /no can't be read"),
        ({"client_ca_file": "/dev/null"}, "--client-ca-file /dev/null holds no PEM certificate"),
        (
            {"client_ca_file": "/no", "disable_impersonation": True},
            "--client-ca-file and --disable-impersonation are both given",
        ),
    ],
)
def test_what_can_not_work(folder: Path, more: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make_serving(settings(folder, **more)).reloaded(Clock())
    assert sentence in str(caught.value)
