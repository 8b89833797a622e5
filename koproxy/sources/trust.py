"""Whom to trust when an issuer is asked, and how to say who asks: TLS for outgoing HTTP.

Made of the files that the flags name, and of others when they change; nothing is opened here but
those files.
"""

import ssl as stdlib_ssl
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL.crypto import X509
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import (
    Certificate,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from koproxy import pem
from koproxy.errors import ConfigurationError
from koproxy.files import read_named

_CA = "--oidc-ca-file"
_CERTIFICATE = "--oidc-tls-client-cert-file"
_KEY = "--oidc-tls-client-key-file"


@dataclass(frozen=True, slots=True)
class TrustFiles:
    """What is in the files; None where one is not given."""

    authorities: bytes | None
    certificate: bytes | None
    key: bytes | None = field(repr=False)


@implementer(IPolicyForHTTPS)
class IssuerTrust:
    """Whom to trust, and who to be: for each connection, what was taken up last."""

    def __init__(self, ca_file: str, certificate_file: str, key_file: str) -> None:
        """Take the paths of PEM files, of which an empty one is not given.

        Nothing can be asked before something has been taken up.
        """
        self._paths = ca_file, certificate_file, key_file
        self._root: Any = None
        self._own: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """Say which flags are given with which files; empty if none is."""
        flags = zip((_CA, _CERTIFICATE, _KEY), self._paths, strict=True)
        return ", ".join([f"{flag} {path}" for flag, path in flags if path])

    def read(self) -> TrustFiles:
        """Read the files; raises ConfigurationError."""
        ca_file, certificate_file, key_file = self._paths
        if bool(certificate_file) != bool(key_file):
            missing = _KEY if certificate_file else _CERTIFICATE
            raise ConfigurationError(
                f"{_CERTIFICATE} and {_KEY} go together, and {missing} is missing: give both or"
                " none"
            )
        return TrustFiles(
            read_named(f"{_CA} {ca_file}", ca_file) if ca_file else None,
            read_named(f"{_CERTIFICATE} {certificate_file}", certificate_file)
            if certificate_file
            else None,
            read_named(f"{_KEY} {key_file}", key_file) if key_file else None,
        )

    def take(self, files: TrustFiles) -> str:
        """Go by these from the next connection on; raises ConfigurationError, and then doesn't."""
        ca_file, certificate_file, key_file = self._paths
        root = platformTrust()
        if files.authorities is not None:
            root = checked_root(files.authorities, f"{_CA} {ca_file}")
        own: dict[str, Any] = {}
        if files.certificate is not None and files.key is not None:
            where, key_where = f"{_CERTIFICATE} {certificate_file}", f"{_KEY} {key_file}"
            own = checked_identity(files.certificate, files.key, where, key_where)
        self._root, self._own = root, own
        return "the next connection to an issuer goes by it"

    def creatorForNetloc(self, hostname: bytes, port: int) -> IOpenSSLClientConnectionCreator:
        """Be asked by the agent for each connection."""
        return self.connection_to(hostname, self._root)

    def connection_to(self, hostname: bytes, root: Any) -> IOpenSSLClientConnectionCreator:
        """Make a connection to a host whose certificate comes from a root of trust."""
        return optionsForClientTLS(
            hostname.decode("ascii"), trustRoot=root, extraCertificateOptions=self._own
        )


@implementer(IPolicyForHTTPS)
class OtherAuthorities:
    """Other authorities for one issuer; who to be is the same."""

    def __init__(self, trust: IssuerTrust, authorities: str, where: str) -> None:
        """Trust these (PEM) instead; ``where`` names their place. Raises ConfigurationError."""
        self._trust = trust
        self._root = _root(authorities.encode(), where)

    def creatorForNetloc(self, hostname: bytes, port: int) -> IOpenSSLClientConnectionCreator:
        """Be asked by the agent for each connection."""
        return self._trust.connection_to(hostname, self._root)


def checked_root(authorities: bytes, where: str) -> Any:
    """A root of trust of certificates (PEM); raises ConfigurationError, which names ``where``."""
    pem.trust(_scratch(), authorities, where)
    return _root(authorities, where)


def checked_identity(certificate: bytes, key: bytes, where: str, key_where: str) -> dict[str, Any]:
    """Who to be, as arguments for CertificateOptions; raises ConfigurationError."""
    pem.identify(_scratch(), certificate, key, where, key_where)
    leaf, *chain = _certificates(certificate, where)
    return {
        "certificate": leaf,
        "extraCertChain": chain,
        "privateKey": load_pem_private_key(key, None),
    }


def _scratch() -> stdlib_ssl.SSLContext:
    """Something that says what is wrong with PEM."""
    return stdlib_ssl.SSLContext(stdlib_ssl.PROTOCOL_TLS_CLIENT)


def _root(authorities: bytes, where: str) -> Any:
    return trustRootFromCertificates(
        Certificate(X509.from_cryptography(each)) for each in _certificates(authorities, where)
    )


def _certificates(text: bytes, where: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text)
    except ValueError:
        raise ConfigurationError(
            f"{where} holds a PEM certificate that can't be read: give the whole file again"
        ) from None
