"""The certificate that koproxy shows its clients, and the TLS it speaks with them.

Given by flags, or self-signed and kept in a folder as kube-apiserver does. Names and meanings of
the flags are kube-apiserver's (k8s.io/apiserver, SecureServingOptions); what Go can and OpenSSL
can't is said. Nothing in here listens.
"""

import contextlib
import fcntl
import ipaddress
import os
import socket
import ssl
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from twisted.logger import Logger

from koproxy import pem
from koproxy.ciphers import openssl_ciphers
from koproxy.errors import ConfigurationError
from koproxy.files import read_named

log = Logger()

PAIR_NAME = "kube-oidc-proxy"
"""The name, without its ending, of the pair in ``--cert-dir``."""
_VALID = timedelta(days=365)

VERSIONS = {
    "VersionTLS10": ssl.TLSVersion.TLSv1,
    "VersionTLS11": ssl.TLSVersion.TLSv1_1,
    "VersionTLS12": ssl.TLSVersion.TLSv1_2,
    "VersionTLS13": ssl.TLSVersion.TLSv1_3,
}


Pair = tuple[bytes, bytes]
"""A certificate with those between it and its authority, and its key, in PEM."""


class ServingCertificate:
    """A server's TLS for HTTP/1.1 from the serving flags; ``context`` is used for connections.

    Without ``cert_file`` and ``key_file`` the pair in ``cert_dir`` is shown, and made first where
    there is none, for this machine's name, localhost and ``bind_address``.
    """

    def __init__(
        self,
        cert_file: str,
        key_file: str,
        cert_dir: str,
        bind_address: str,
        min_version: str = "VersionTLS12",
        cipher_suites: Sequence[str] = (),
    ) -> None:
        """Take the flags; nothing is shown before a pair has been taken up.

        Raises:
            ConfigurationError: a flag, or the folder, that can't work.
        """
        self.context = server_context(min_version, cipher_suites)
        if bool(cert_file) != bool(key_file):
            given, missing = "--tls-cert-file", "--tls-private-key-file"
            if key_file:
                given, missing = missing, given
            raise ConfigurationError(f"{given} is given without {missing}: give both, or neither")
        if cert_file and key_file:
            self._files = Path(cert_file), Path(key_file)
            flags = "--tls-cert-file", "--tls-private-key-file"
        elif not cert_dir:
            raise ConfigurationError(
                "--cert-dir is empty and --tls-cert-file is not given: give a folder for a "
                "self-signed certificate, or --tls-cert-file and --tls-private-key-file"
            )
        else:
            self._files = self_signed_pair(Path(cert_dir), bind_address)
            flags = "--cert-dir", "--cert-dir"
        certificate, key = zip(flags, self._files, strict=True)
        self._where, self._key_where = " ".join(map(str, certificate)), " ".join(map(str, key))

    @property
    def name(self) -> str:
        """Say which flags are given with which files."""
        return f"{self._where}, {self._key_where}"

    def read(self) -> Pair:
        """Read the two files; raises ConfigurationError."""
        certificate, key = self._files
        return read_named(self._where, certificate), read_named(self._key_where, key)

    def take(self, pair: Pair) -> str:
        """Show this pair from the next connection on; gives a clause for the log.

        Raises:
            ConfigurationError: it is not PEM, or does not fit together; nothing has changed then.
        """
        certificate, key = pair
        leaf = pem.identify(self.context, certificate, key, self._where, self._key_where)
        end = leaf.not_valid_after_utc
        if end < datetime.now(UTC):
            log.warn(
                "The serving certificate ended at {end}: clients will refuse it; renew it",
                end=end.isoformat(),
            )
        return f"new connections are shown a certificate that ends at {end.isoformat()}"


def self_signed_pair(folder: Path, bind_address: str) -> tuple[Path, Path]:
    """The certificate's and the key's file in ``folder``, made where there are none.

    A self-signed one that has ended is made again; a pair that somebody else put there is left as
    it is. Processes that start at once on one folder come to the same pair.

    Raises:
        ConfigurationError: the folder can't be used, or holds one of the two alone.
    """
    certificate, key = folder / f"{PAIR_NAME}.crt", folder / f"{PAIR_NAME}.key"
    with _locked(folder):
        if certificate.exists() != key.exists():
            there, gone = (certificate, key) if certificate.exists() else (key, certificate)
            raise ConfigurationError(
                f"--cert-dir {folder} holds {there.name} without {gone.name}: put the other there, "
                "or take this one away to have both made"
            )
        if certificate.exists() and not _ended(certificate):
            return certificate, key
        hosts = (socket.gethostname(), "localhost", "127.0.0.1", "::1", bind_address)
        made, made_key = self_signed(hosts, datetime.now(UTC))
        try:
            _write(key, made_key, 0o600)
            _write(certificate, made, 0o644)
        except OSError as error:
            raise _unusable(folder, error) from None
    log.warn(
        "No --tls-cert-file is given: clients are shown a self-signed certificate, {file}; they "
        "must be given it as their certificate-authority",
        file=str(certificate),
    )
    return certificate, key


def self_signed(hosts: Sequence[str], now: datetime) -> tuple[bytes, bytes]:
    """A certificate for ``hosts`` (names and IP addresses) and its key, in PEM, valid for a year.

    Unspecified addresses (0.0.0.0 and ::) name nothing and are left out.
    """
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    names: list[x509.GeneralName] = []
    for host in dict.fromkeys(hosts):
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            names.append(x509.DNSName(host))
        else:
            if not address.is_unspecified:
                names.append(x509.IPAddress(address))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def server_context(min_version: str, cipher_suites: Sequence[str]) -> ssl.SSLContext:
    """Make the TLS that flags describe, without a certificate; raises ConfigurationError."""
    if min_version not in VERSIONS:
        raise ConfigurationError(
            f"--tls-min-version {min_version} is unknown: give one of {', '.join(VERSIONS)}"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    version = VERSIONS[min_version]
    chosen = openssl_ciphers(cipher_suites)
    if cipher_suites and not chosen:
        version = ssl.TLSVersion.TLSv1_3  # only names of TLS 1.3: as in Go, nothing else is left
    if version < ssl.TLSVersion.TLSv1_2:
        log.warn(
            "--tls-min-version {version} allows TLS that is broken since years: take VersionTLS12",
            version=min_version,
        )
        # OpenSSL leaves these versions out of every security level but the lowest.
        context.set_ciphers(f"{chosen or 'DEFAULT'}:@SECLEVEL=0")
    elif chosen:
        context.set_ciphers(chosen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # said above, in our words
        context.minimum_version = version
    return context


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Only one process at a time looks into ``folder``, which is made where there is none."""
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _unusable(folder, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _ended(certificate: Path) -> bool:
    """Whether it is a self-signed certificate whose time is over."""
    try:
        leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError):
        return False  # whoever shows it finds the words
    return leaf.issuer == leaf.subject and leaf.not_valid_after_utc < datetime.now(UTC)


def _write(file: Path, content: bytes, mode: int) -> None:
    temporary = file.with_name(f".{file.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
    temporary.replace(file)


def _unusable(folder: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"--cert-dir {folder} can't hold a self-signed certificate ({error.strerror}): give a "
        "folder that koproxy may write to, or --tls-cert-file and --tls-private-key-file"
    )
