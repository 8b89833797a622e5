"""The audit backends that the flags ask for, as kube-apiserver has them.

What can be known to be wrong is said before the first event. Whether there is a policy by which
events are made is somebody else's question.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from twisted.internet.interfaces import IReactorThreads, IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.web.client import Agent

from koproxy.audit.appending import STANDARD_OUTPUT, AppendedFile, Appending, NotWritten
from koproxy.audit.backend import Backend
from koproxy.audit.backups import Backups
from koproxy.audit.log import BatchedLog, BlockingLog
from koproxy.audit.webhook import Webhook
from koproxy.audit.webhook_server import WebhookServer
from koproxy.errors import ConfigurationError
from koproxy.settings import Settings

log = Logger()

_VERSION = "audit.k8s.io/v1"
_MODES = ("blocking", "blocking-strict", "batch")
_MEGABYTE = 1024 * 1024


def make_backends(
    settings: Settings, reactor: IReactorTime, threads: IReactorThreads
) -> tuple[Backend, ...]:
    """The backends, each a service that is still to be started; none if no flag asks for one.

    ``threads`` is the reactor again: the library has no one type for both.

    Raises:
        ConfigurationError: a flag says what can't be, or a file can't be read or written.
    """
    check_flags(settings)
    found: list[Backend] = []
    if settings.audit_log_path:
        found.append(_log(settings, reactor, threads))
    if settings.audit_webhook_config_file:
        found.append(_webhook(settings, reactor))
    return tuple(found)


def check_flags(settings: Settings) -> None:
    """See that the flags of the backends that there will be can work; nothing is opened.

    Raises ConfigurationError.
    """
    if settings.audit_log_path:
        _check_log(settings)
    if settings.audit_webhook_config_file:
        _check_webhook(settings)


def _check_log(settings: Settings) -> None:
    mode = settings.audit_log_mode
    if settings.audit_log_format != "json":
        raise ConfigurationError(
            f"--audit-log-format is {settings.audit_log_format!r}, and koproxy writes events as "
            "JSON only: leave it out, or give json"
        )
    _check_version("log", settings.audit_log_version)
    if mode not in _MODES:
        raise ConfigurationError(f"--audit-log-mode is {mode!r}: give one of {', '.join(_MODES)}")
    for flag, number in (
        ("maxsize", settings.audit_log_maxsize),
        ("maxbackup", settings.audit_log_maxbackup),
        ("maxage", settings.audit_log_maxage),
    ):
        if number < 0:
            raise ConfigurationError(
                f"--audit-log-{flag} is {number}: give a number from 1 on, or 0 for no limit"
            )
    if mode == "batch":
        _check_batches(
            "log", settings.audit_log_batch_buffer_size, settings.audit_log_batch_max_size
        )


def _check_webhook(settings: Settings) -> None:
    mode = settings.audit_webhook_mode
    if mode in ("blocking", "blocking-strict"):
        raise ConfigurationError(
            f"--audit-webhook-mode is {mode!r}, and koproxy lets no request wait for a webhook: "
            "leave it out, or give batch; --audit-log-path has that mode"
        )
    if mode != "batch":
        raise ConfigurationError(f"--audit-webhook-mode is {mode!r}: leave it out, or give batch")
    _check_version("webhook", settings.audit_webhook_version)
    _check_batches(
        "webhook",
        settings.audit_webhook_batch_buffer_size,
        settings.audit_webhook_batch_max_size,
    )


def _log(settings: Settings, reactor: IReactorTime, threads: IReactorThreads) -> Backend:
    mode = settings.audit_log_mode
    name = f"--audit-log-path {settings.audit_log_path}"
    file = _file(settings, threads, name)
    if mode != "batch":
        return BlockingLog(name, file, reactor, strict=mode == "blocking-strict")
    return BatchedLog(
        name,
        file,
        reactor,
        lambda work: deferToThreadPool(threads, threads.getThreadPool(), work),
        room=settings.audit_log_batch_buffer_size,
        most=settings.audit_log_batch_max_size,
        wait=settings.audit_log_batch_max_wait.total_seconds(),
    )


def _webhook(settings: Settings, reactor: IReactorTime) -> Backend:
    server = WebhookServer(settings.audit_webhook_config_file)
    return Webhook(
        server,
        Agent(reactor, server),
        reactor,
        room=settings.audit_webhook_batch_buffer_size,
        most=settings.audit_webhook_batch_max_size,
        wait=settings.audit_webhook_batch_max_wait.total_seconds(),
        pause=settings.audit_webhook_initial_backoff.total_seconds(),
    )


def _file(settings: Settings, threads: IReactorThreads, name: str) -> Appending:
    """What the log is written to, which is tried once."""
    if settings.audit_log_path == "-":
        return STANDARD_OUTPUT
    path = Path(settings.audit_log_path).absolute()
    backups = Backups(
        path,
        number=settings.audit_log_maxbackup,
        days=settings.audit_log_maxage,
        compress=settings.audit_log_compress,
    )
    tidying = _Tidying(name, backups, threads)
    file = AppendedFile(
        path,
        settings.audit_log_maxsize * _MEGABYTE,
        lambda: backups.free(datetime.now(UTC)),
        tidying.was_put_aside,
    )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.append(b"")
    except (OSError, NotWritten) as problem:
        why = problem.strerror if isinstance(problem, OSError) else problem
        raise ConfigurationError(
            f"{name} can't be written ({why}): give a file in a folder that koproxy may write to"
        ) from None
    tidying.was_put_aside(None)  # what was left by the last run
    return file


class _Tidying:
    """Has the files that were put aside tidied, off the way of a request."""

    def __init__(self, name: str, backups: Backups, threads: IReactorThreads) -> None:
        self._name = name
        self._backups = backups
        self._threads = threads
        self._problem: str | None = None

    def was_put_aside(self, problem: str | None) -> None:
        """Be told of it, by whichever thread."""
        if problem is None:
            in_thread: Callable[..., object] = self._threads.callInThread
            self._threads.callFromThread(in_thread, self._tidy)
        elif problem != self._problem:
            log.error(
                "{name} is full and can't be put aside ({problem}): it grows; give koproxy its "
                "folder to write to",
                name=self._name,
                problem=problem,
            )
        self._problem = problem

    def _tidy(self) -> None:
        try:
            self._backups.tidy(datetime.now(UTC))
        except OSError as problem:
            log.error(
                "{name}: old files can't be removed or compressed ({problem}): give koproxy "
                "their folder to write to",
                name=self._name,
                problem=problem.strerror,
            )


def _check_version(backend: str, version: str) -> None:
    if version != _VERSION:
        raise ConfigurationError(
            f"--audit-{backend}-version is {version!r}: leave it out, or give {_VERSION}"
        )


def _check_batches(backend: str, room: int, most: int) -> None:
    for flag, number in (("buffer-size", room), ("max-size", most)):
        if number <= 0:
            raise ConfigurationError(
                f"--audit-{backend}-batch-{flag} is {number}: give a number from 1 on"
            )
