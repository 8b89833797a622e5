"""Where a webhook is, whom to trust there and who to be, read from a file like a kubeconfig.

Tokens and certificates are taken up again when they change (:class:`koproxy.reloaded.Reloaded`).
"""

from dataclasses import dataclass, field
from typing import Any

from OpenSSL.SSL import VERIFY_NONE, Connection
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import optionsForClientTLS, platformTrust
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from koproxy.errors import ConfigurationError
from koproxy.kubeconfig import Access, find_webhook
from koproxy.kubeconfig.access import bearer
from koproxy.sources.trust import checked_identity, checked_root

FLAG = "--audit-webhook-config-file"


@dataclass(frozen=True, slots=True)
class Material:
    """What the file and those that it names hold; None where something is not given."""

    access: Access
    authority: bytes | None
    certificate: bytes | None
    key: bytes | None = field(repr=False)
    authorization: bytes = field(repr=False)


@implementer(IPolicyForHTTPS)
class WebhookServer:
    """A webhook's address, and the TLS for it: for each connection, what was taken up last.

    ``url`` is where events are sent, ``authorization`` the header's value or ``b""``, ``place`` the
    host and port for people.
    """

    def __init__(self, file: str) -> None:
        """Take the file's path. Nothing can be asked before something has been taken up."""
        self._file = file
        self.url = self.place = ""
        self.authorization = b""
        self._tls_name = ""
        self._verify = True
        self._root: Any = None
        self._own: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """The flag with its file."""
        return f"{FLAG} {self._file}"

    def read(self) -> Material:
        """Read the files; raises ConfigurationError."""
        access = find_webhook(self._file)
        if access.plugin is not None:
            raise ConfigurationError(
                f"{access.plugin.where} names a program, and koproxy runs none for a webhook: use "
                "a token, tokenFile, client-certificate and client-key, or username and password"
            )
        return Material(
            access,
            access.authority.read() if access.authority else None,
            access.certificate.read() if access.certificate else None,
            access.key.read() if access.key else None,
            _authorization(access),
        )

    def take(self, material: Material) -> str:
        """Go by this from the next connection on; raises ConfigurationError, and then doesn't."""
        access = material.access
        root = platformTrust()
        if material.authority is not None:
            root = checked_root(material.authority, str(access.authority))
        own: dict[str, Any] = {}
        if material.certificate is not None and material.key is not None:
            own = checked_identity(
                material.certificate, material.key, str(access.certificate), str(access.key)
            )
        server = access.server
        self.place = server.authority
        path = server.path_prefix.decode("ascii") or "/"
        self.url = f"{'https' if server.secure else 'http'}://{self.place}{path}"
        self.authorization = material.authorization
        self._tls_name, self._verify = server.tls_name, server.verify
        self._root, self._own = root, own
        return "the next events are sent by it"

    def creatorForNetloc(self, hostname: bytes, port: int) -> IOpenSSLClientConnectionCreator:
        """Be asked by the agent for each connection."""
        creator = optionsForClientTLS(
            self._tls_name, trustRoot=self._root, extraCertificateOptions=self._own
        )
        return creator if self._verify else _Unverified(creator)


@implementer(IOpenSSLClientConnectionCreator)
class _Unverified:
    """Connections to whoever is there: ``insecure-skip-tls-verify``."""

    def __init__(self, creator: IOpenSSLClientConnectionCreator) -> None:
        self._creator = creator

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> Connection:
        """Make one."""
        connection = self._creator.clientConnectionForTLS(tlsProtocol)
        # Without another callback OpenSSL would go on calling the one that was there.
        connection.set_verify(VERIFY_NONE, lambda *_: True)
        return connection


def _authorization(access: Access) -> bytes:
    if access.token_file is not None:
        return bearer(access.token_file.read().strip(), str(access.token_file))
    if access.token is not None:
        return bearer(access.token.read(), str(access.token))
    return access.basic or b""
