"""The one certificate authority of a run, so that every TLS connection costs all the same.

Keys are ECDSA P-256, and every certificate is for 127.0.0.1 and localhost.
"""

from dataclasses import dataclass
from pathlib import Path

import trustme

ADDRESS = "127.0.0.1"
NAME = "localhost"
"""For clients that know certificates by names alone."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files (PEM) of a server's certificate and key."""

    certificate: Path
    key: Path


class Authority:
    """Issues certificates into a folder."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self._folder = folder
        self.file = folder / "authority.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def certificate(self, name: str) -> Certificate:
        """Issue a certificate for a server on ADDRESS; its files are called after ``name``."""
        issued = self._ca.issue_cert(ADDRESS, NAME, key_type=trustme.KeyType.ECDSA)
        files = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}-key.pem")
        issued.cert_chain_pems[0].write_to_path(files.certificate)
        issued.private_key_pem.write_to_path(files.key)
        return files
