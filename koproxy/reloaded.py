"""What is made of files, made anew when they change: without a restart, or not at all.

The files are read every few seconds and compared by content: a volume of Kubernetes' changes by a
link to another folder, which every way of being notified sees differently. What is wrong with a
change is said once; what was good goes on. Nothing is decided here.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from koproxy.errors import ConfigurationError

log = Logger()

SECONDS = 2.0
"""Between two looks at the files."""

Content = TypeVar("Content")


class Reloaded(Service, Generic[Content]):
    """Looks at files while it runs, and has their content taken up when it has changed."""

    def __init__(
        self,
        files: str,
        read: Callable[[], Content],
        take: Callable[[Content], str],
        clock: IReactorTime,
    ) -> None:
        """Have the files read and taken up for the first time.

        ``files`` are the flags and files, for people. ``take`` gives a clause for the log, about
        what is there now. ``problem`` says for people why the files can't be taken up now, and is
        None if they are. ``taken_up`` and ``refused`` count the changes since, and ``taken_up_at``
        is when what holds was taken up, in seconds since the epoch. Raises ConfigurationError, as
        the two do.
        """
        self.problem: str | None = None
        self.taken_up = self.refused = 0
        self.files = files
        self._read = read
        self._take = take
        self._clock = clock
        self._content = read()
        take(self._content)
        self.taken_up_at = clock.seconds()
        self._looking = LoopingCall(self.look)
        self._looking.clock = clock

    def startService(self) -> None:
        """Look at the files from now on."""
        super().startService()
        self._looking.start(SECONDS, now=False)

    def stopService(self) -> None:
        """Leave everything as it is."""
        super().stopService()
        self._looking.stop()

    def look(self) -> None:
        """Look at the files now."""
        try:
            content = self._read()
            if content == self._content:
                if self.problem is not None:
                    log.info("{name}: as before, and good again", name=self.files)
                self.problem = None
                return
            found = self._take(content)
        except ConfigurationError as problem:
            if self.problem != str(problem):
                self.problem = str(problem)
                self.refused += 1
                log.warn("{problem}; going on with what it said before", problem=problem)
            return
        except Exception as problem:  # noqa: BLE001 (a file must not end the looking at it)
            said = f"{self.files}: it can't be taken up ({type(problem).__name__})"
            if self.problem != said:
                self.problem = said
                self.refused += 1
                log.failure("{problem}; going on with what it said before", problem=said)
            return
        self._content = content
        self.problem = None
        self.taken_up += 1
        self.taken_up_at = self._clock.seconds()
        log.info("{name} has changed: {found}", name=self.files, found=found)
