"""Audit events in a file, a JSON line each.

In the blocking modes an event is with the kernel when ``write`` returns; in batch mode a thread
writes it soon after. While the file can't be written, events are lost and counted, but for what
the next try begins with: so it is found out that it can be written again, although nothing happens
that there would be an event of.
"""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from koproxy.audit.appending import Appending, NotWritten
from koproxy.audit.backend import Backend
from koproxy.audit.batches import Batches, Pauses

log = Logger()

RETRY_SECONDS = 1.0
"""Between two tries to write what could not be written."""

STOP_SECONDS = 10.0
"""For what waits when the proxy stops."""

InThread = Callable[[Callable[[], None]], Deferred[None]]
"""Has something done by a thread."""


class _Log(Backend):
    """What both have: the file, and what is said of it."""

    def __init__(self, name: str, file: Appending, *, strict: bool = False) -> None:
        super().__init__(name, strict=strict)
        self._file = file

    def _failed(self, problem: NotWritten) -> None:
        sentence = (
            f"{self.name} can't be written ({problem}): events are lost; make room, or give "
            "koproxy its file and folder back"
        )
        if self.problem != sentence:
            self.problem = sentence
            log.error("{problem}", problem=sentence)

    def _worked(self) -> None:
        if self.problem is not None:
            self.problem = None
            log.info(
                "{name} can be written again; {dropped} events have been lost so far",
                name=self.name,
                dropped=self.dropped,
            )


class BlockingLog(_Log):
    """Writes each event at once."""

    def __init__(self, name: str, file: Appending, clock: IReactorTime, *, strict: bool) -> None:
        """Take the file; ``strict`` lets no request go on whose event can't be written."""
        super().__init__(name, file, strict=strict)
        self._late = b""  # the first event that could not be written
        self._looking = LoopingCall(self.look)
        self._looking.clock = clock

    @property
    def waiting(self) -> int:
        """The one event that is kept while the file can't be written."""
        return 1 if self._late else 0

    def take(self, event: bytes) -> bool:
        """Write an event; False if it can't be."""
        return self._append(event + b"\n")

    def look(self) -> None:
        """Try again what could not be written."""
        if self._late:
            self._append(b"")

    def startService(self) -> None:
        """Try again, every second, what could not be written."""
        super().startService()
        self._looking.start(RETRY_SECONDS, now=False)

    def stopService(self) -> None:
        """Try a last time."""
        super().stopService()
        self._looking.stop()
        self.look()
        if self._late:
            self._late = b""
            self.dropped += 1
        self._file.close()

    def _append(self, line: bytes) -> bool:
        lines = self._late + line
        try:
            self._file.append(lines)
        except NotWritten as problem:
            self._failed(problem)
            self.written += lines.count(b"\n", 0, problem.taken)
            late, _, rest = lines[problem.taken :].partition(b"\n")
            self._late = late + b"\n"
            self.dropped += rest.count(b"\n")
            return False
        self._late = b""
        self.written += lines.count(b"\n")
        self._worked()
        return True


class BatchedLog(_Log):
    """Has events written by a thread."""

    def __init__(
        self,
        name: str,
        file: Appending,
        clock: IReactorTime,
        in_thread: InThread,
        *,
        room: int,
        most: int,
        wait: float,
    ) -> None:
        """Take the file, and the limits.

        There is ``room`` for so many events; they are written when there are ``most`` of them or
        one has waited ``wait`` seconds, at most ``most`` at a time.
        """
        super().__init__(name, file)
        self._in_thread = in_thread
        self._most = most
        self._pauses = Pauses(clock)
        self._stopping = self._writing = False
        # Each way to a thread takes all that waits: it costs more than the writing.
        self._batches = Batches(
            clock,
            name,
            self._send,
            self.lose,
            room=room,
            due=most,
            wait=wait,
            largest=room,
            at_once=1,
        )

    @property
    def waiting(self) -> int:
        """Events that are neither written nor lost yet."""
        return self._batches.waiting

    def take(self, event: bytes) -> bool:
        """Have an event written."""
        self._batches.put(event + b"\n")
        return True

    def look(self) -> None:
        """Try again now what could not be written."""
        self._pauses.end()

    def stopService(self) -> Deferred[None]:
        """Write what waits."""
        super().stopService()
        self._stopping = True
        finished = self._batches.finish(STOP_SECONDS)
        self._pauses.end()
        return finished.addCallback(self._finished)

    def _finished(self, _result: None) -> None:
        if not self._writing:  # or else a thread still has it, for whom time has run out
            self._file.close()

    async def _send(self, events: list[bytes]) -> int:
        for first in range(0, len(events), self._most):
            lines = b"".join(events[first : first + self._most])
            while lines:
                lines = await self._written(lines)
                if lines and self._stopping:
                    return lines.count(b"\n") + len(events[first + self._most :])
                if lines:
                    await self._pauses.pause(RETRY_SECONDS)
        return 0

    async def _written(self, lines: bytes) -> bytes:
        """Write lines, and give those that could not be."""
        outcome: list[NotWritten] = []

        def append() -> None:
            try:
                self._file.append(lines)
            except NotWritten as problem:
                outcome.append(problem)

        self._writing = True
        await self._in_thread(append)
        self._writing = False
        taken = outcome[0].taken if outcome else len(lines)
        self.written += lines.count(b"\n", 0, taken)
        if outcome:
            self._failed(outcome[0])
        else:
            self._worked()
        return lines[taken:]
