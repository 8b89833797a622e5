"""An Authentication kept in step with the file that ``--authentication-config`` names.

A good change holds from the next request on. A bad one is refused whole: what was good goes on, and
a log line and ``problem`` say why. Nothing is decided here.
"""

from collections.abc import Callable

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from koproxy.authentication import Authentication
from koproxy.configuration.checking import Compiler
from koproxy.configuration.file import Configured, configured
from koproxy.errors import ConfigurationError
from koproxy.sources.fetch import Fetcher

log = Logger()

FLAG = "--authentication-config"
SECONDS = 2.0
"""Between two looks at the file."""

Trusting = Callable[[str, str], Fetcher]
"""Makes a fetcher that trusts authorities (PEM), whose place the second text names."""


class AuthenticationFile(Service):
    """Looks at the file, and has an Authentication use what it says."""

    def __init__(self, file: str, compiler: Compiler, trusting: Trusting) -> None:
        """Read the file for the first time; raises ConfigurationError.

        ``problem`` says for people why the file can't be taken up now, and is None if it is.
        """
        self.problem: str | None = None
        self._file = file
        self._compiler = compiler
        self._trusting = trusting
        self._fetchers: dict[tuple[str, str], Fetcher] = {}
        self._content = self._read()
        self._configured = configured(self._content, file, compiler)
        self._authentication: Authentication | None = None
        self._looking = LoopingCall(self._look)

    def keep(self, authentication: Authentication, clock: IReactorTime) -> None:
        """Keep this one in step, once the service runs."""
        self._authentication = authentication
        self._looking.clock = clock
        self._use(self._configured)

    def startService(self) -> None:
        """Look at the file from now on."""
        super().startService()
        self._looking.start(SECONDS, now=False)

    def stopService(self) -> None:
        """Leave everything as it is."""
        super().stopService()
        self._looking.stop()

    def _look(self) -> None:
        try:
            content = self._read()
            if content == self._content:
                self._settled()
                return
            found = configured(content, self._file, self._compiler)
            self._use(found)
        except ConfigurationError as problem:
            if self.problem != str(problem):
                self.problem = str(problem)
                log.warn("{problem}; going on with what it said before", problem=problem)
            return
        self._content = content
        self._settled()
        log.info(
            "{flag} {file} has changed: {count} issuers",
            flag=FLAG,
            file=self._file,
            count=len(found.issuers),
        )

    def _settled(self) -> None:
        if self.problem is not None:
            self.problem = None
            log.info("{flag} {file} is good again", flag=FLAG, file=self._file)

    def _read(self) -> bytes:
        try:
            with open(self._file, "rb") as file:
                return file.read()
        except OSError as problem:
            raise ConfigurationError(
                f"{FLAG} {self._file} can't be read: {problem.strerror}; give a file that koproxy"
                " may read"
            ) from None

    def _use(self, found: Configured) -> None:
        """Have it used; of an issuer whose authorities are as before, the fetcher is the same."""
        fetchers = {
            (url, text): self._fetchers.get((url, text))
            or self._trusting(text, f"{FLAG} {self._file}: the certificateAuthority of {url}")
            for url, text in found.authorities.items()
        }
        self._fetchers = fetchers
        if self._authentication is not None:
            by_url = {url: fetcher for (url, _), fetcher in fetchers.items()}
            self._authentication.use(found.issuers, by_url)
