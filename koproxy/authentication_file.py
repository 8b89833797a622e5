"""The file of ``--authentication-config``, read and taken up by an Authentication.

Nothing is decided here, and nothing waited for: when it is read again is another's to say.
"""

from collections.abc import Callable

from koproxy.authentication import Authentication
from koproxy.configuration.checking import Compiler
from koproxy.configuration.file import configured
from koproxy.files import read_named
from koproxy.sources.fetch import Fetcher

FLAG = "--authentication-config"

Trusting = Callable[[str, str], Fetcher]
"""Makes a fetcher that trusts authorities (PEM), whose place the second text names."""


class AuthenticationFile:
    """Reads the file, and has an Authentication use what it says."""

    def __init__(
        self, file: str, compiler: Compiler, trusting: Trusting, authentication: Authentication
    ) -> None:
        """Take the file's path, what compiles expressions, and who is to use it."""
        self._file = file
        self._compiler = compiler
        self._trusting = trusting
        self._authentication = authentication
        self._fetchers: dict[tuple[str, str], Fetcher] = {}

    def read(self) -> bytes:
        """Give what is in the file; raises ConfigurationError."""
        return read_configuration(self._file)

    def take(self, content: bytes) -> str:
        """Have it used, all of it; raises ConfigurationError, and then none of it is.

        Of an issuer whose authorities are as before, the fetcher is the same.
        """
        found = configured(content, self._file, self._compiler)
        self._fetchers = {
            (url, text): self._fetchers.get((url, text))
            or self._trusting(text, f"{FLAG} {self._file}: the certificateAuthority of {url}")
            for url, text in found.authorities.items()
        }
        by_url = {url: fetcher for (url, _), fetcher in self._fetchers.items()}
        self._authentication.use(found.issuers, by_url, found.anonymous)
        return f"{len(found.issuers)} issuer{'' if len(found.issuers) == 1 else 's'}"


def read_configuration(file: str) -> bytes:
    """Give what is in the file that the flag names; raises ConfigurationError."""
    return read_named(f"{FLAG} {file}", file)
