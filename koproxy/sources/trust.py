"""Whom to trust when an issuer is asked, and how to say who asks: TLS for outgoing HTTP.

Made once from the files that the flags name; nothing is opened here but those files.
"""

import ssl as stdlib_ssl
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

_CA = "--oidc-ca-file"
_CERTIFICATE = "--oidc-tls-client-cert-file"
_KEY = "--oidc-tls-client-key-file"


def issuer_trust(ca_file: str, certificate_file: str, key_file: str) -> "IssuerTrust":
    """Trust the authorities in ``ca_file``, or the system's, and show a client certificate if any.

    All are paths of PEM files; an empty one is not given. Raises ConfigurationError.
    """
    checked = stdlib_ssl.SSLContext(stdlib_ssl.PROTOCOL_TLS_CLIENT)
    root = platformTrust()
    if ca_file:
        authorities = _read(_CA, ca_file)
        pem.trust(checked, authorities, f"{_CA} {ca_file}")
        root = _root(authorities, f"{_CA} {ca_file}")
    if bool(certificate_file) != bool(key_file):
        missing = _KEY if certificate_file else _CERTIFICATE
        raise ConfigurationError(
            f"{_CERTIFICATE} and {_KEY} go together, and {missing} is missing: give both or none"
        )
    own: dict[str, Any] = {}
    if certificate_file:
        certificates, key = _read(_CERTIFICATE, certificate_file), _read(_KEY, key_file)
        pem.identify(
            checked, certificates, key, f"{_CERTIFICATE} {certificate_file}", f"{_KEY} {key_file}"
        )
        leaf, *chain = _certificates(certificates, f"{_CERTIFICATE} {certificate_file}")
        own = {
            "certificate": leaf,
            "extraCertChain": chain,
            "privateKey": load_pem_private_key(key, None),
        }
    return IssuerTrust(root, own)


@implementer(IPolicyForHTTPS)
class IssuerTrust:
    """Whom to trust, and who to be."""

    def __init__(self, root: Any, own: dict[str, Any]) -> None:
        """Take Twisted's trust root, and the options that are for one's own certificate."""
        self._root = root
        self._own = own

    def with_authorities(self, authorities: str, where: str) -> "IssuerTrust":
        """Trust these authorities (PEM) instead, and be the same; ``where`` names their place.

        Raises ConfigurationError.
        """
        return IssuerTrust(_root(authorities.encode(), where), self._own)

    def creatorForNetloc(self, hostname: bytes, port: int) -> IOpenSSLClientConnectionCreator:
        """Be asked by the agent for each connection."""
        return optionsForClientTLS(
            hostname.decode("ascii"), trustRoot=self._root, extraCertificateOptions=self._own
        )


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


def _read(flag: str, path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as problem:
        raise ConfigurationError(
            f"{flag} {path} can't be read: {problem.strerror}; give a PEM file that koproxy may"
            " read"
        ) from None
