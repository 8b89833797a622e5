"""A certificate that koproxy signs for itself, made once and kept in a folder, as kube-apiserver's.

It is ``--cert-dir``'s, for when nobody gave one. Nothing in here shows it to anybody.
"""

import contextlib
import fcntl
import ipaddress
import os
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from twisted.logger import Logger

from koproxy.errors import ConfigurationError

log = Logger()

PAIR_NAME = "kube-oidc-proxy"
"""The name, without its ending, of the pair in ``--cert-dir``."""
_VALID = timedelta(days=365)


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
