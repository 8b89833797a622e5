"""Whom the proxy believes to be the API server, and what it shows to it: client-go's rules."""

import base64
import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.handshake import shake_hands

from koproxy import pem
from koproxy.errors import ConfigurationError
from koproxy.kubeconfig import find_access
from koproxy.serving.self_signed import self_signed
from koproxy.sources.credential import Upstream
from koproxy.sources.without_credential import WithoutCredential

Reach = Callable[..., Upstream]


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture
def reach(tmp_path: Path) -> Reach:
    """The proxy's side, by a kubeconfig with these fields in cluster and user."""

    def reach(cluster: dict[str, Any], user: dict[str, Any] | None = None) -> Upstream:
        file = tmp_path / "kubeconfig"
        file.write_text(
            json.dumps(
                {
                    "current-context": "x",
                    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                    "clusters": [{"name": "c", "cluster": {"server": "https://api.x", **cluster}}],
                    "users": [{"name": "u", "user": user or {"token": "t"}}],
                }
            )
        )
        return Upstream(partial(find_access, str(file), None))

    return reach


def serve(leaf: trustme.LeafCert) -> ssl.SSLContext:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(server)
    server.set_alpn_protocols(["h2", "http/1.1"])
    return server


def connect(server: ssl.SSLContext, upstream: Upstream) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    return shake_hands(server, upstream.tls, upstream.server_name)


@pytest.mark.parametrize("url", ["https://api.x", "https://10.1.2.3:6443", "https://[fd00::1]"])
def test_the_clusters_authority_is_believed(reach: Reach, url: str) -> None:
    ca = trustme.CA()
    trusted = {"certificate-authority-data": encoded(ca.cert_pem.bytes()), "server": url}
    server = serve(ca.issue_cert("api.x", "10.1.2.3", "fd00::1"))
    ours, _ = connect(server, reach(trusted))
    assert ours.selected_alpn_protocol() == "http/1.1"


def test_another_authority_is_not_believed(reach: Reach) -> None:
    trusted = {"certificate-authority-data": encoded(trustme.CA().cert_pem.bytes())}
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(serve(trustme.CA().issue_cert("api.x")), reach(trusted))


def test_the_systems_authorities_where_none_is_given(reach: Reach) -> None:
    upstream = reach({})
    assert upstream.tls.verify_mode is ssl.CERT_REQUIRED
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(serve(trustme.CA().issue_cert("api.x")), upstream)


def test_another_name_is_not_believed(reach: Reach) -> None:
    ca = trustme.CA()
    trusted = {"certificate-authority-data": encoded(ca.cert_pem.bytes())}
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        connect(serve(ca.issue_cert("other.x")), reach(trusted))


def test_a_common_name_is_no_name(reach: Reach) -> None:
    # Go looks at the subject alternative names alone.
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.x")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem.identify(server, certificate, private, "certificate", "key")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        connect(server, reach({"certificate-authority-data": encoded(certificate)}))


def test_tls_server_name_is_what_counts(reach: Reach) -> None:
    ca = trustme.CA()
    trusted = {
        "certificate-authority-data": encoded(ca.cert_pem.bytes()),
        "tls-server-name": "kubernetes",
    }
    upstream = reach(trusted)
    assert (upstream.host, upstream.server_name) == ("api.x", "kubernetes")
    connect(serve(ca.issue_cert("kubernetes")), upstream)
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(serve(ca.issue_cert("api.x")), upstream)


def test_an_intermediate_may_be_the_anchor(reach: Reach) -> None:
    # As with Go, whatever is in the bundle is trusted, root or not.
    intermediate = trustme.CA().create_child_ca()
    trusted = {"certificate-authority-data": encoded(intermediate.cert_pem.bytes())}
    connect(serve(intermediate.issue_cert("api.x")), reach(trusted))


def test_a_self_signed_certificate_may_be_the_anchor(reach: Reach) -> None:
    certificate, key = self_signed(["api.x"], datetime.now(UTC))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pem.identify(server, certificate, key, "certificate", "key")
    connect(server, reach({"certificate-authority-data": encoded(certificate)}))


def test_text_between_the_certificates_of_a_bundle(reach: Reach) -> None:
    one, two = trustme.CA(), trustme.CA()
    bundle = b"# \xc3\xa4\r\n" + one.cert_pem.bytes().replace(b"\n", b"\r\n")
    bundle += trustme.CA().issue_cert("k").private_key_pem.bytes() + two.cert_pem.bytes()
    upstream = reach({"certificate-authority-data": encoded(bundle)})
    for ca in (one, two):
        connect(serve(ca.issue_cert("api.x")), upstream)


def test_insecure_believes_everybody(reach: Reach) -> None:
    upstream = reach({"insecure-skip-tls-verify": True})
    connect(serve(trustme.CA().issue_cert("other.x")), upstream)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_before_1_2_is_not_spoken(reach: Reach) -> None:
    server = serve(trustme.CA().issue_cert("api.x"))
    server.set_ciphers("DEFAULT:@SECLEVEL=0")
    server.minimum_version = ssl.TLSVersion.TLSv1
    server.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        connect(server, reach({"insecure-skip-tls-verify": True}))


@pytest.mark.parametrize("inline", [True, False])
def test_the_client_certificate_is_shown(reach: Reach, tmp_path: Path, inline: bool) -> None:
    people = trustme.CA()
    leaf = people.issue_cert("proxy.x")
    certificate, key = leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()
    (tmp_path / "c.crt").write_bytes(certificate)
    (tmp_path / "c.key").write_bytes(key)
    if inline:
        user = {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}
    else:
        user = {"client-certificate": "c.crt", "client-key": "c.key"}
    server = serve(trustme.CA().issue_cert("api.x"))
    server.verify_mode = ssl.CERT_REQUIRED
    people.configure_trust(server)
    _, theirs = connect(server, reach({"insecure-skip-tls-verify": True}, user))
    shown = theirs.getpeercert(binary_form=True)
    assert shown == ssl.PEM_cert_to_DER_cert(certificate.decode())


def test_without_the_credential_nothing_is_shown_and_the_server_verified_alike(
    reach: Reach,
) -> None:
    people, authority = trustme.CA(), trustme.CA()
    leaf = people.issue_cert("proxy.x")
    user = {
        "client-certificate-data": encoded(leaf.cert_chain_pems[0].bytes()),
        "client-key-data": encoded(leaf.private_key_pem.bytes()),
        "token": "t",
    }
    upstream = reach({"certificate-authority-data": encoded(authority.cert_pem.bytes())}, user)
    bare = WithoutCredential(upstream)
    server = serve(authority.issue_cert("api.x"))
    server.verify_mode = ssl.CERT_OPTIONAL
    people.configure_trust(server)
    _, theirs = shake_hands(server, bare.tls, bare.server_name)
    assert theirs.getpeercert(binary_form=True) is None
    _, theirs = connect(server, upstream)
    assert theirs.getpeercert(binary_form=True) is not None
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(serve(trustme.CA().issue_cert("api.x")), bare.tls, bare.server_name)
    assert (bare.authorization, bare.problem) == (b"", None)
    assert (bare.host, bare.port, bare.path_prefix) == (upstream.host, upstream.port, b"")


GOOD = trustme.CA().cert_pem.bytes()


@pytest.mark.parametrize(
    "bundle",
    [
        b"",
        b"no PEM",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        GOOD + b"-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n",
    ],
)
def test_a_bundle_that_is_none(reach: Reach, tmp_path: Path, bundle: bytes) -> None:
    (tmp_path / "ca").write_bytes(bundle)
    with pytest.raises(ConfigurationError, match=r"clusters\[c\]\.cluster\.certificate-authority"):
        reach({"certificate-authority": "ca"})
