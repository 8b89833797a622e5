"""``--client-ca-file``: the authorities whose certificates clients may come with.

The file, taken up by both who need it: the handshake that asks for a certificate, and who decides
whom one names (:mod:`koproxy.identity.certificate`).
"""

from koproxy import pem
from koproxy.files import read_named
from koproxy.identity.certificate import Certificates
from koproxy.serving.contexts import Contexts


class ClientAuthorities:
    """The file, for :class:`koproxy.reloaded.Reloaded`."""

    def __init__(self, contexts: Contexts, certificates: Certificates, file: str) -> None:
        """Take who asks clients, who decides, and the file with PEM certificates."""
        self._contexts = contexts
        self._certificates = certificates
        self._file = file
        self.name = f"--client-ca-file {file}"

    def read(self) -> bytes:
        """Read the file; raises ConfigurationError."""
        return read_named(self.name, self._file)

    def look(self) -> str:
        """Read and take up the file, once; raises ConfigurationError."""
        return self.take(self.read())

    def take(self, authorities: bytes) -> str:
        """Go by these authorities from the next request on; gives a clause for the log.

        Raises:
            ConfigurationError: it holds none, or one that can't be read; nothing has changed then.
        """
        found = pem.certificates(authorities, self.name)
        self._contexts.ask(authorities, self.name)
        self._certificates.use_authorities(found)
        return f"clients' certificates are held against {len(found)}"
