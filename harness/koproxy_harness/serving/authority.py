"""The certificate authority of one server, and the files that it writes for a test."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import trustme
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from koproxy_harness.errors import HarnessError
from koproxy_harness.serving import client_certificates

CERTIFICATES = ("good", "expired", "not-yet-valid", "wrong-host", "untrusted")

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its key, as PEM and as files; the files go away with the server."""

    cert_pem: str
    key_pem: str
    cert_file: Path
    key_file: Path


@implementer(IOpenSSLServerConnectionCreator)
class Tls:
    """Gives each connection the TLS context that its server has at the time."""

    def __init__(self, context: SSL.Context) -> None:
        self.context = context

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        return SSL.Connection(self.context, None)


class Authority:
    """A certificate authority that nobody else has."""

    def __init__(self) -> None:
        self._ca = trustme.CA()
        self._folder: Path | None = None
        self._numbers = count(1)

    @property
    def pem(self) -> str:
        """The certificate to trust."""
        return self._ca.cert_pem.bytes().decode()

    def client_certificate(self, name: str, groups: Iterable[str] = ()) -> Certificate:
        """Issue a client certificate with this common name and these organisations."""
        return self._filed(*client_certificates.issue(self._ca, name, groups))

    def server_certificate(self, *names: str) -> Certificate:
        """Issue a server certificate for these host names and addresses."""
        leaf = self._ca.issue_cert(*names)
        return self._filed(
            leaf.cert_chain_pems[0].bytes().decode(), leaf.private_key_pem.bytes().decode()
        )

    def _filed(self, cert: str, key: str) -> Certificate:
        stem = f"certificate-{next(self._numbers)}"
        return Certificate(
            cert, key, self.file(f"{stem}.pem", cert), self.file(f"{stem}-key.pem", key)
        )

    def file(self, name: str, text: str) -> Path:
        """Give a file of this name and content, in a folder that only its owner reads."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="koproxy-harness-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        path = self._folder / name
        if not path.exists():
            path.write_text(text)
        return path

    def close(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def context(self, names: tuple[str, ...], client_certificates: str, kind: str) -> SSL.Context:
        """Give what serves TLS under these names, with a certificate of this kind.

        Clients bring a certificate as `Server` says it. The kinds are `CERTIFICATES`; raises
        `HarnessError` for another.
        """
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_session_id(b"koproxy-harness")
        self._serving(names, kind).configure_cert(context)
        if client_certificates != "refused":
            self._ca.configure_trust(context)
            demand = SSL.VERIFY_FAIL_IF_NO_PEER_CERT if client_certificates == "required" else 0
            context.set_verify(SSL.VERIFY_PEER | demand, lambda *given: bool(given[-1]))
        return context

    def _serving(self, names: tuple[str, ...], kind: str) -> trustme.LeafCert:
        now = datetime.now(UTC)
        match kind:
            case "good":
                return self._ca.issue_cert(*names)
            case "expired":
                return self._ca.issue_cert(*names, not_before=now - 2 * _DAY, not_after=now - _DAY)
            case "not-yet-valid":
                return self._ca.issue_cert(*names, not_before=now + _DAY, not_after=now + 2 * _DAY)
            case "wrong-host":
                return self._ca.issue_cert("somebody-else.invalid")
            case "untrusted":
                return trustme.CA().issue_cert(*names)
        known = ", ".join(CERTIFICATES)
        raise HarnessError(f"no kind of certificate is called {kind!r}; there are {known}")
