"""Credential plugins, run: as a process with a bounded time and output, and again in time.

Follows client-go's plugin/pkg/client/auth/exec, but for one thing: the plugin is run shortly before
its credential ends, so that no request waits for it. What a plugin prints on standard output is
never shown; what it says on standard error is shown in one line, cut short.
"""

import os
import shutil
import unicodedata
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall, IProcessTransport, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from koproxy.errors import ConfigurationError
from koproxy.kubeconfig import ExecPlugin
from koproxy.sources.execcredential import Grant, PluginError, decode_grant, exec_info

log = Logger()

SECONDS = 60.0
"""How long a run may take."""
STDOUT_BYTES = 128 * 1024
STDERR_BYTES = 2048
_EARLY = 30.0
"""How long before its end a credential is renewed, in seconds."""
_APART = 5.0
"""The least time between two runs, in seconds, whoever asks."""
_PAUSES = (10.0, 60.0)
"""The first and the longest time after a failure, in seconds; it doubles between them."""

RunPlugin = Callable[[ExecPlugin, bytes], Awaitable[Grant]]


class Plugin:
    """A credential plugin and the last credential that it gave.

    Raises:
        ConfigurationError: there is no such program.
    """

    def __init__(
        self, spec: ExecPlugin, clock: IReactorTime, run: RunPlugin, grant: Grant | None = None
    ) -> None:
        find_plugin(spec)
        self.spec = spec
        self.grant = grant
        self._clock = clock
        self._run = run
        self._failure: str | None = None
        self._pause = _PAUSES[0]
        self._due = float("-inf")
        self._ended = float("-inf")

    @property
    def due(self) -> bool:
        """Whether the credential ends soon, or the time after a failure is over."""
        return self._clock.seconds() >= self._due

    @property
    def problem(self) -> str | None:
        """Why there is no usable credential now.

        One whose time is over is still sent while the plugin gives no newer one and does not fail,
        as client-go does: the API server, whose clock counts, decides.
        """
        where = f"{self.spec.where}: the plugin {self.spec.command}"
        if self.grant is None:
            return self._failure or f"{where} has not answered yet"
        expires = self.grant.expires
        if self._failure is None or expires is None or expires > self._clock.seconds():
            return None
        ended = datetime.fromtimestamp(expires, UTC).isoformat(timespec="seconds")
        return f"the credential ended at {ended}, and {self._failure}"

    async def ask(self, authority: bytes) -> None:
        """Run it, unless it was run a moment ago, and keep what it gives.

        A failure leaves the credential that there is; it is said once in the log.
        """
        if self._clock.seconds() < self._ended + _APART:
            return
        try:
            self.grant = await self._run(self.spec, authority)
        except PluginError as error:
            self._ended = self._clock.seconds()
            self._due = self._ended + self._pause
            self._pause = min(self._pause * 2, _PAUSES[1])
            if str(error) != self._failure:
                self._failure = str(error)
                log.error("{problem}", problem=self._failure)
            return
        self._ended = self._clock.seconds()
        if self._failure is not None:
            log.info("{where}: the plugin works again", where=self.spec.where)
        self._failure, self._pause = None, _PAUSES[0]
        expires = self.grant.expires
        self._due = (
            float("inf") if expires is None else max(expires - _EARLY, self._ended + self._pause)
        )


def find_plugin(plugin: ExecPlugin) -> str:
    """The path of the plugin's program: its own, or that of its name on PATH.

    Raises:
        ConfigurationError: there is no such program, or it may not be run.
    """
    path = shutil.which(plugin.command)
    # A relative answer comes from a relative entry of PATH: what runs would depend on the folder.
    if path and os.path.isabs(path):
        return path
    hint = _printable(plugin.install_hint)
    raise ConfigurationError(
        f"{plugin.where}.command: there is no program {plugin.command} that koproxy may run: "
        f"install it or mend its path{f'. {hint}' if hint else ''}"
    )


async def run_plugin(plugin: ExecPlugin, authority: bytes, reactor: Any) -> Grant:
    """Run the plugin once, its standard input closed, and read the credential that it prints.

    ``authority`` is the cluster's CA in PEM (empty for the system's), told to a plugin that asks
    for ``provideClusterInfo``. ``reactor`` gives processes and time.

    Raises:
        PluginError: not found, too slow, too much, a failure, or no ExecCredential.
    """
    try:
        path = find_plugin(plugin)
    except ConfigurationError as error:
        raise PluginError(str(error)) from None
    environment = {**os.environ, **dict(plugin.env)}
    environment["KUBERNETES_EXEC_INFO"] = exec_info(plugin, authority)
    who = f"{plugin.where}: the plugin {plugin.command}"
    run = _Run(who, reactor)
    try:
        reactor.spawnProcess(run, path, [plugin.command, *plugin.args], environment)
    except OSError as error:
        raise PluginError(f"{who} can't be started: {error.strerror}") from None
    except ValueError:
        raise PluginError(
            f"{who} can't be started: an argument or a variable has a character that no process "
            "can be given"
        ) from None
    return decode_grant(await run.ended, plugin)


class _Run(ProcessProtocol):
    """One run, ended by the plugin's own end, by too much output, by the time or by a cancel."""

    transport: IProcessTransport

    def __init__(self, who: str, clock: IReactorTime) -> None:
        self.ended: Deferred[bytes] = Deferred(lambda _: self._stop("was stopped"))
        self._who = who
        self._clock = clock
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._problem: str | None = None
        self._deadline: IDelayedCall | None = None

    def connectionMade(self) -> None:
        self.transport.closeStdin()
        self._deadline = self._clock.callLater(
            SECONDS, self._stop, f"gave no answer within {SECONDS:.0f} seconds"
        )

    def outReceived(self, data: bytes) -> None:
        self._stdout += data
        if len(self._stdout) > STDOUT_BYTES:
            self._stdout.clear()
            self._stop(f"printed more than {STDOUT_BYTES} bytes")

    def errReceived(self, data: bytes) -> None:
        self._stderr += data[: STDERR_BYTES - len(self._stderr)]

    def _stop(self, problem: str) -> None:
        if self._problem is not None:
            return
        self._problem = problem
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")
        # A child of the plugin may hold the pipes open: its end is not waited for.
        self.transport.loseConnection()

    def processEnded(self, reason: Failure) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        problem = self._problem
        if problem is None and reason.check(ProcessDone) is None:
            status = getattr(reason.value, "exitCode", None)
            problem = "was killed" if status is None else f"failed with exit status {status}"
        if problem is None:
            self.ended.callback(bytes(self._stdout))
            return
        said = _printable(self._stderr.decode("utf-8", "replace"))
        self.ended.errback(
            PluginError(f"{self._who} {problem}{f'; it says: {said}' if said else ''}")
        )


def _printable(text: str) -> str:
    """``text`` in one line, without what could steer a terminal."""
    kept = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return " ".join(kept.split())
