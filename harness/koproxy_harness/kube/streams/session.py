"""What a test's handler of exec or attach gets: one terminal session, whatever carries it.

How its bytes travel is the `Wire`'s business, and nothing of WebSocket or SPDY is known here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import Deferred, DeferredQueue

from koproxy_harness.errors import HarnessError
from koproxy_harness.kube.streams.incoming import Brake, Incoming

_SIZES_KEPT = 100

Output = str | bytes
# What a handler may give: nothing, an exit code, what it prints, or both.
Given = None | int | Output | tuple[Output, int]
SessionHandler = Callable[["Session"], "Given | Awaitable[Given]"]


class Wire(Protocol):
    """Carries what a session says to the client."""

    def send(self, channel: str, data: bytes) -> Deferred[None]:
        """Send bytes of `stdout` or `stderr`; done when the client takes more."""

    def finish(self, status: dict[str, Any]) -> None:
        """Send how it ended, and end everything."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the client asked for."""

    namespace: str
    pod: str
    container: str
    command: tuple[str, ...] = ()
    stdin: bool = False
    stdout: bool = True
    stderr: bool = True
    tty: bool = False


class Session:
    """One exec or attach: who wants what, the client's input, and the answer.

    `stdin` is read by `await session.stdin.read()` (`b""` at its end), `read_all()` or
    `async for`; `sizes.get()` waits for the terminal's next size, as (columns, rows).
    """

    def __init__(self, wanted: Wanted, wire: Wire, brake: Brake) -> None:
        self.namespace = wanted.namespace
        self.pod = wanted.pod
        self.container = wanted.container
        self.command = wanted.command
        self.tty = wanted.tty
        self.stdin = Incoming(brake)
        self.sizes: DeferredQueue[tuple[int, int]] = DeferredQueue()
        self.ended = False
        self._wire = wire
        self._wanted = wanted

    def write(self, data: Output) -> Deferred[None]:
        """Write to stdout; awaited, it waits until the client takes more."""
        return self._send("stdout", data, self._wanted.stdout)

    def write_error(self, data: Output) -> Deferred[None]:
        """Write to stderr, which with a terminal is the same as stdout."""
        if self.tty:
            return self.write(data)
        return self._send("stderr", data, self._wanted.stderr)

    def exit(self, code: int = 0) -> None:
        """End as a command does that exits with this code; the first ending counts."""
        if not code:
            self._finish({"metadata": {}, "status": "Success"})
            return
        said = f"command terminated with exit code {code}"
        cause = {"reason": "ExitCode", "message": str(code)}
        self._finish(_failure(said, "NonZeroExitCode", cause))

    def fail(self, message: str) -> None:
        """End as where no command could be run: with an error of the node's."""
        cause = {"message": message}
        self._finish({**_failure(message, "InternalError", cause), "code": 500})

    def give(self, given: Given) -> None:
        """End with what a handler returned; raises `HarnessError` for what can't be meant."""
        output, code = given if isinstance(given, tuple) else (given, 0)
        if isinstance(given, int):
            output, code = None, given
        if not isinstance(code, int) or not isinstance(output, str | bytes | None):
            raise HarnessError(
                f"a handler gave {given!r}; it may give None, an exit code, str or bytes for "
                f"stdout, or (stdout, exit code)"
            )
        if output and not self.ended:
            self.write(output).addErrback(lambda _: None)
        self.exit(code)

    # For the transport

    def resized(self, columns: int, rows: int) -> None:
        """The client's terminal has this size now."""
        if len(self.sizes.pending) < _SIZES_KEPT:
            self.sizes.put((columns, rows))

    def _send(self, channel: str, data: Output, wanted: bool) -> Deferred[None]:
        if self.ended:
            raise HarnessError(f"the session in pod {self.pod} has ended: nothing can be written")
        raw = data.encode() if isinstance(data, str) else data
        return self._wire.send(channel, raw if wanted else b"")

    def _finish(self, status: dict[str, Any]) -> None:
        if not self.ended:
            self.ended = True
            self.stdin.discard()
            self._wire.finish(status)


def _failure(message: str, reason: str, cause: dict[str, str]) -> dict[str, Any]:
    return {
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": {"causes": [cause]},
    }
