"""The serving flags become a TLS context, or a sentence; a self-signed pair is made and kept."""

import socket
import ssl
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from support.handshake import shake_hands
from twisted.logger import LogEvent, capturedLogs

from koproxy.errors import ConfigurationError
from koproxy.serving import self_signed as self_signing
from koproxy.serving.contexts import Contexts
from koproxy.serving.pair import default_pair
from koproxy.serving.protocol import Protocol
from koproxy.serving.self_signed import self_signed, self_signed_pair

RSA_GCM = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"


@pytest.fixture(scope="module")
def pair() -> tuple[bytes, bytes]:
    """A self-signed certificate and its key: making one takes a while."""
    return self_signed(["localhost", "127.0.0.1"], datetime.now(UTC))


@pytest.fixture
def files(tmp_path: Path, pair: tuple[bytes, bytes]) -> tuple[Path, Path]:
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificate.write_bytes(pair[0])
    key.write_bytes(pair[1])
    return certificate, key


@pytest.fixture
def said() -> Iterator[list[LogEvent]]:
    with capturedLogs() as events:
        yield events  # type: ignore[misc]


def chosen(contexts: Contexts) -> ssl.SSLContext:
    with socket.socket() as connected:
        return contexts.choose(connected)


def serving_context(
    certificate: str, key: str, folder: str, address: str, *protocol: Any
) -> ssl.SSLContext:
    contexts = Contexts(Protocol(*protocol))
    default_pair(contexts, certificate, key, folder, address).look()
    return chosen(contexts)


def serving(
    files: tuple[Path, Path], version: str = "VersionTLS12", suites: tuple[str, ...] = ()
) -> ssl.SSLContext:
    return serving_context(str(files[0]), str(files[1]), "", "0.0.0.0", version, suites)


def client(certificate: Path) -> ssl.SSLContext:
    """A client that trusts ``certificate`` and nothing else, strictly."""
    context = ssl.create_default_context(cafile=str(certificate))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def test_the_given_pair_is_served(files: tuple[Path, Path]) -> None:
    connection, _ = shake_hands(serving(files), client(files[0]), "127.0.0.1")
    assert connection.version() == "TLSv1.3"
    assert connection.selected_alpn_protocol() == "http/1.1"
    assert connection.compression() is None


def test_clients_may_not_renegotiate(files: tuple[Path, Path]) -> None:
    assert serving(files).options & ssl.OP_NO_RENEGOTIATION


def test_a_pair_may_be_shown_anew(files: tuple[Path, Path]) -> None:
    contexts = Contexts(Protocol())
    shown = default_pair(contexts, str(files[0]), str(files[1]), "", "0.0.0.0")
    before = shown.read()
    shown.take(before)
    leaf = trustme.CA().issue_cert("other.example")
    leaf.cert_chain_pems[0].write_to_path(str(files[0]))
    with pytest.raises(ConfigurationError, match="does not fit the certificate"):
        shown.take(shown.read())  # half a renewal: the other file is still the old one
    connection, _ = shake_hands(chosen(contexts), ssl._create_unverified_context())
    assert connection.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(before[0].decode())
    leaf.private_key_pem.write_to_path(str(files[1]))
    shown.take(shown.read())
    connection, _ = shake_hands(chosen(contexts), ssl._create_unverified_context())
    seen = connection.getpeercert(binary_form=True)
    assert seen == ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())


def test_the_chain_is_shown(tmp_path: Path) -> None:
    root = trustme.CA()
    leaf = root.create_child_ca().issue_cert("localhost")
    certificate, key, trusted = tmp_path / "c", tmp_path / "k", tmp_path / "ca"
    certificate.write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(str(key))
    root.cert_pem.write_to_path(str(trusted))
    shake_hands(serving((certificate, key)), client(trusted))


@pytest.mark.parametrize(
    ("version", "oldest"),
    [
        ("VersionTLS10", "TLSv1"),
        ("VersionTLS11", "TLSv1.1"),
        ("VersionTLS12", "TLSv1.2"),
        ("VersionTLS13", "TLSv1.3"),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_the_oldest_version(files: tuple[Path, Path], version: str, oldest: str) -> None:
    server = serving(files, version)
    spoken = []
    for spoken_by_client in (
        ssl.TLSVersion.TLSv1,
        ssl.TLSVersion.TLSv1_1,
        ssl.TLSVersion.TLSv1_2,
        ssl.TLSVersion.TLSv1_3,
    ):
        old = client(files[0])
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        old.minimum_version = old.maximum_version = spoken_by_client
        try:
            spoken.append(shake_hands(server, old)[0].version())
        except ssl.SSLError:
            continue
    assert spoken[0] == oldest
    assert spoken[-1] == "TLSv1.3"


def test_an_old_version_is_warned_of(files: tuple[Path, Path], said: list[LogEvent]) -> None:
    serving(files, "VersionTLS12")
    assert not said
    serving(files, "VersionTLS11")
    assert [event["version"] for event in said] == ["VersionTLS11"]


def _ciphers_of_tls12(context: ssl.SSLContext) -> set[str]:
    return {each["name"] for each in context.get_ciphers() if each["protocol"] != "TLSv1.3"}


def test_cipher_suites_by_their_iana_names(files: tuple[Path, Path]) -> None:
    suites = (RSA_GCM, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "TLS_AES_128_GCM_SHA256")
    assert _ciphers_of_tls12(serving(files, suites=suites)) == {
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
    }


def test_suites_of_tls13_alone_leave_tls13_alone(files: tuple[Path, Path]) -> None:
    server = serving(files, suites=("TLS_AES_128_GCM_SHA256",))
    assert shake_hands(server, client(files[0]))[0].version() == "TLSv1.3"
    old = client(files[0])
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        shake_hands(server, old)


def test_every_secure_name_is_known_to_openssl(files: tuple[Path, Path]) -> None:
    # Go's tls.CipherSuites() up to TLS 1.2.
    names = [
        f"TLS_ECDHE_{kind}_WITH_{cipher}"
        for kind in ("RSA", "ECDSA")
        for cipher in (
            "AES_128_CBC_SHA",
            "AES_256_CBC_SHA",
            "AES_128_GCM_SHA256",
            "AES_256_GCM_SHA384",
            "CHACHA20_POLY1305_SHA256",
        )
    ]
    assert len(_ciphers_of_tls12(serving(files, suites=tuple(names)))) == len(names)


def test_an_insecure_suite_is_warned_of(files: tuple[Path, Path], said: list[LogEvent]) -> None:
    name = "TLS_RSA_WITH_AES_128_GCM_SHA256"
    assert _ciphers_of_tls12(serving(files, suites=(name, RSA_GCM))) >= {"AES128-GCM-SHA256"}
    assert [event["name"] for event in said] == [name]


@pytest.mark.parametrize(
    ("version", "suites", "sentence"),
    [
        ("TLS12", (), "--tls-min-version TLS12 is unknown"),
        ("", (), "--tls-min-version"),
        ("VersionTLS12", ("ECDHE-RSA-AES128-GCM-SHA256",), "--tls-cipher-suites: ECDHE-RSA"),
        ("VersionTLS12", (RSA_GCM, ""), "--tls-cipher-suites"),
        ("VersionTLS12", ("TLS_RSA_WITH_RC4_128_SHA",), "RC4_128_SHA is broken"),
    ],
)
def test_flags_that_cannot_work(
    files: tuple[Path, Path], version: str, suites: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        serving(files, version, suites)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("certificate", "key", "sentence"),
    [
        ("c", "", "--tls-cert-file is given without --tls-private-key-file"),
        ("", "k", "--tls-private-key-file is given without --tls-cert-file"),
    ],
)
def test_one_of_the_two_flags(certificate: str, key: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        serving_context(certificate, key, "", "0.0.0.0")


def _encrypted(key: bytes) -> bytes:
    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"passphrase"),
    )


def _openssl_encrypted(key: bytes) -> bytes:
    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(b"passphrase"),
    )


@pytest.mark.parametrize(
    ("name", "spoil", "sentence"),
    [
        ("tls.crt", lambda _: None, "--tls-cert-file {} can't be read (No such file"),
        ("tls.key", lambda _: None, "--tls-private-key-file {} can't be read (No such file"),
        ("tls.crt", lambda _: b"", "--tls-cert-file {} holds no PEM certificate"),
        ("tls.crt", lambda pem: pem.replace(b"MII", b"AAA", 1), "--tls-cert-file {} holds a PEM"),
        ("tls.key", lambda _: b"\x30\x82", "--tls-private-key-file {} holds no PEM private key"),
        ("tls.key", lambda pem: pem.replace(b"MII", b"AAA", 1), "in --tls-private-key-file {} can"),
        ("tls.key", _encrypted, "in --tls-private-key-file {} is encrypted"),
        ("tls.key", _openssl_encrypted, "in --tls-private-key-file {} is encrypted"),
        (
            "tls.key",
            lambda _: trustme.CA().issue_cert("a").private_key_pem.bytes(),
            "the private key in --tls-private-key-file {} does not fit",
        ),
    ],
)
def test_files_that_cannot_work(files: tuple[Path, Path], name: str, spoil, sentence: str) -> None:  # type: ignore[no-untyped-def]
    file = files[0].parent / name
    spoilt = spoil(file.read_bytes())
    if spoilt is None:
        file.unlink()
    else:
        file.write_bytes(spoilt)
    with pytest.raises(ConfigurationError) as caught:
        serving(files)
    assert sentence.format(file) in str(caught.value)


def test_an_ec_key_after_its_parameters(tmp_path: Path) -> None:
    leaf = trustme.CA().issue_cert("localhost")
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    certificate, key_file = tmp_path / "c", tmp_path / "k"
    leaf.cert_chain_pems[0].write_to_path(str(certificate))
    # As `openssl ecparam -genkey` writes them.
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    key_file.write_bytes(
        parameters
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    serving((certificate, key_file))


def test_an_ended_certificate_is_served_with_a_warning(
    files: tuple[Path, Path], said: list[LogEvent]
) -> None:
    certificate, key = self_signed(["localhost"], datetime.now(UTC) - timedelta(days=400))
    files[0].write_bytes(certificate)
    files[1].write_bytes(key)
    serving(files)
    assert len(said) == 1


def test_a_self_signed_pair_is_made_and_kept(tmp_path: Path, said: list[LogEvent]) -> None:
    folder = tmp_path / "not" / "there"
    server = serving_context("", "", str(folder), "127.0.0.2")
    certificate, key = folder / "kube-oidc-proxy.crt", folder / "kube-oidc-proxy.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(said) == 1
    for name in ("localhost", "127.0.0.1", "::1", "127.0.0.2"):
        shake_hands(server, client(certificate), name)
    made = (certificate.read_bytes(), key.read_bytes())
    serving_context("", "", str(folder), "127.0.0.1")
    assert (certificate.read_bytes(), key.read_bytes()) == made
    assert {each.name for each in folder.iterdir()} == {certificate.name, key.name}


def test_unspecified_addresses_name_nothing() -> None:
    certificate, _ = self_signed(["a.example", "0.0.0.0", "::", "::1", "::1"], datetime.now(UTC))
    leaf = x509.load_pem_x509_certificate(certificate)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each.value) for each in names] == ["a.example", "::1"]


def _put_into(folder: Path, certificate: bytes | None, key: bytes | None) -> None:
    for ending, content in (("crt", certificate), ("key", key)):
        if content is not None:
            (folder / f"kube-oidc-proxy.{ending}").write_bytes(content)


def test_an_ended_self_signed_pair_is_made_again(tmp_path: Path) -> None:
    _put_into(tmp_path, *self_signed(["localhost"], datetime.now(UTC) - timedelta(days=366)))
    server = serving_context("", "", str(tmp_path), "0.0.0.0")
    shake_hands(server, client(tmp_path / "kube-oidc-proxy.crt"))


def test_a_pair_of_somebody_else_is_left_as_it_is(tmp_path: Path) -> None:
    leaf = trustme.CA().issue_cert("localhost", not_after=datetime.now(UTC) - timedelta(days=1))
    certificate = leaf.cert_chain_pems[0].bytes()
    _put_into(tmp_path, certificate, leaf.private_key_pem.bytes())
    serving_context("", "", str(tmp_path), "0.0.0.0")
    assert (tmp_path / "kube-oidc-proxy.crt").read_bytes() == certificate


@pytest.mark.parametrize(("certificate", "key"), [(b"c", None), (None, b"k")])
def test_half_a_pair_in_the_folder(
    tmp_path: Path, certificate: bytes | None, key: bytes | None
) -> None:
    _put_into(tmp_path, certificate, key)
    with pytest.raises(ConfigurationError, match=r"--cert-dir .* holds kube-oidc-proxy"):
        serving_context("", "", str(tmp_path), "0.0.0.0")


def test_rubbish_in_the_folder(tmp_path: Path) -> None:
    _put_into(tmp_path, b"c", b"k")
    with pytest.raises(ConfigurationError, match=r"--cert-dir .*\.crt holds no PEM certificate"):
        serving_context("", "", str(tmp_path), "0.0.0.0")


def test_no_folder_at_all() -> None:
    with pytest.raises(ConfigurationError, match="--cert-dir is empty"):
        serving_context("", "", "", "0.0.0.0")


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "under"):
        with pytest.raises(ConfigurationError, match=r"--cert-dir .* can't hold"):
            serving_context("", "", str(folder), "0.0.0.0")


def test_those_who_start_at_once_come_to_one_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def make(hosts: list[str], now: datetime) -> tuple[bytes, bytes]:
        made.append(hosts)
        return self_signed(hosts, now)

    monkeypatch.setattr(self_signing, "self_signed", make)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: self_signed_pair(tmp_path, "0.0.0.0"), range(4)))
    assert len(made) == 1
