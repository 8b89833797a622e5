"""The cluster's own certificate authority and the keys that sign ServiceAccount tokens.

Everything is made anew at each start and trusted by nobody outside the cluster's folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass(frozen=True)
class Pair:
    """PEM files of a certificate (with its chain) and of its private key."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority whose certificate is `ca.pem` in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._authority = trustme.CA()
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.certificate = directory / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.certificate))

    def server(self, name: str) -> Pair:
        """A server certificate for 127.0.0.1 and localhost, in NAME.pem and NAME-key.pem."""
        issued = self._authority.issue_cert("127.0.0.1", "localhost", common_name=name)
        pair = Pair(self._directory / f"{name}.pem", self._directory / f"{name}-key.pem")
        _write_secret(pair.key, issued.private_key_pem.bytes())
        pair.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        return pair


def write_signing_key(path: Path) -> Path:
    """An RSA key for ServiceAccount tokens; kube-apiserver reads both halves from the one file."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    _write_secret(path, pem)
    return path


def _write_secret(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
