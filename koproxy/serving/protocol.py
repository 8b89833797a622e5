"""Which TLS is spoken with clients: ``--tls-min-version`` and ``--tls-cipher-suites``.

Names and meanings are kube-apiserver's (k8s.io/apiserver, SecureServingOptions); what Go can and
OpenSSL can't is said. It knows no certificate.
"""

import ssl
import warnings
from collections.abc import Sequence

from twisted.logger import Logger

from koproxy.ciphers import openssl_ciphers
from koproxy.errors import ConfigurationError

log = Logger()

VERSIONS = {
    "VersionTLS10": ssl.TLSVersion.TLSv1,
    "VersionTLS11": ssl.TLSVersion.TLSv1_1,
    "VersionTLS12": ssl.TLSVersion.TLSv1_2,
    "VersionTLS13": ssl.TLSVersion.TLSv1_3,
}


class Protocol:
    """A server's TLS for HTTP/1.1, without a certificate."""

    def __init__(
        self, min_version: str = "VersionTLS12", cipher_suites: Sequence[str] = ()
    ) -> None:
        """Take the flags, and warn of what they allow; raises ConfigurationError."""
        if min_version not in VERSIONS:
            raise ConfigurationError(
                f"--tls-min-version {min_version} is unknown: give one of {', '.join(VERSIONS)}"
            )
        self._version = VERSIONS[min_version]
        self._ciphers = openssl_ciphers(cipher_suites)
        if cipher_suites and not self._ciphers:
            # Only names of TLS 1.3: as in Go, nothing else is left.
            self._version = ssl.TLSVersion.TLSv1_3
        if self._version < ssl.TLSVersion.TLSv1_2:
            log.warn(
                "--tls-min-version {version} allows TLS that is broken since years: take "
                "VersionTLS12",
                version=min_version,
            )
            # OpenSSL leaves these versions out of every security level but the lowest.
            self._ciphers = f"{self._ciphers or 'DEFAULT'}:@SECLEVEL=0"

    def context(self) -> ssl.SSLContext:
        """Make a context that has no certificate yet."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        if self._ciphers:
            context.set_ciphers(self._ciphers)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # said above, in our words
            context.minimum_version = self._version
        return context
