"""``--workers``: several processes on one port, and the small one that starts and watches them.

The supervisor holds the listening sockets and nothing else: it accepts no connection, speaks no
TLS and sees no token. A worker is a ``koproxy serve`` of its own that has its sockets handed over.
"""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import (
    IDelayedCall,
    IProcessTransport,
    IReactorCore,
    IReactorProcess,
    IReactorSocket,
    IReactorThreads,
    IReactorTime,
)
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from koproxy import durations
from koproxy.errors import ConfigurationError
from koproxy.lifeline import FromWorker, hold
from koproxy.listening import (
    FIRST_DESCRIPTOR,
    HEALTH,
    HTTPS,
    SUPERVISOR,
    bind_health,
    bind_https_together,
    check_addresses,
    where,
)
from koproxy.notify import notify
from koproxy.observe.board import VARIABLE as BOARD
from koproxy.observe.board import make_board
from koproxy.settings import Settings, Whole, options

AGAIN_SECONDS = 1.0
_SAID_WHY = (1, 2)  # the exit statuses of a koproxy that could not start

# LISTEN_PID says whom the sockets are for: only the process itself knows that in time.
_HAND_OVER = (
    "import os, sys;os.environ['LISTEN_PID'] = str(os.getpid());os.execv(sys.argv[1], sys.argv[1:])"
)

log = Logger()


def check_workers(settings: Settings) -> None:
    """See that somebody serves; raises ConfigurationError."""
    if settings.workers < 1:
        raise ConfigurationError(
            f"--workers {settings.workers} would serve nobody: give the number of cores to use"
        )


def arguments(settings: Settings) -> list[str]:
    """The flags of ``koproxy serve`` that give these settings."""
    flags: list[str] = []
    for name, option in options().items():
        value = getattr(settings, option["field"])
        if value == option["default"]:
            continue
        if option["type"] == tuple[tuple[str, str], ...]:
            flags += [f"--{name}={key}={wanted}" for key, wanted in value]
        elif option["type"] == tuple[Whole, ...]:
            flags += [f"--{name}={each}" for each in value]
        elif option["type"] == tuple[str, ...]:
            flags.append(f"--{name}={','.join(value)}")
        elif option["type"] is timedelta:
            flags.append(f"--{name}={durations.write(value)}")
        else:
            flags.append(f"--{name}={value}")
    return flags


class SupervisorReactor(
    IReactorCore, IReactorProcess, IReactorSocket, IReactorThreads, IReactorTime
):
    """What the supervisor needs of a reactor."""


class Supervisor:
    """Starts a worker for each of the sockets, and another one for each that ends.

    One worker comes first: what can't work is said by that one alone.
    """

    def __init__(
        self,
        reactor: SupervisorReactor,
        settings: Settings,
        https: Sequence[socket.socket],
        health: socket.socket,
    ) -> None:
        """Take the listening sockets: one for each worker, and one that they have in common."""
        self._reactor = reactor
        self._sockets = [health, *https]
        board = make_board(len(https))
        self._status = 0
        self._announced = False
        flags = arguments(replace(settings, workers=1))
        command = [sys.executable, "-P", "-m", "koproxy", "serve", *flags]
        self._workers = [
            _Worker(self, reactor, number, command, each, health, board)
            for number, each in enumerate(https, 1)
        ]

    def run(self) -> int:
        """Run until SIGTERM or SIGINT; gives the exit status. SIGHUP goes to every worker."""
        signal.signal(
            signal.SIGHUP, lambda *_: self._reactor.callFromThread(self._pass_on, signal.SIGHUP)
        )
        self._reactor.callWhenRunning(self._workers[0].start)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._stop)
        self._reactor.run()
        return self._status

    def serves(self, worker: "_Worker") -> None:
        """A worker is up."""
        if not self._announced:
            self._announced = True
            notify("READY=1")
            health, https = self._sockets[:2]
            log.info("health on {where}", where=where(health))
            log.info("serving https on {where}", where=where(https))
            for other in self._workers[1:]:
                other.start()
        log.info("worker {number} serves (pid {pid})", number=worker.number, pid=worker.pid)

    def could_not_start(self, worker: "_Worker", status: int, how: str) -> None:
        """A worker ended before it was ever up: so would others."""
        if status not in _SAID_WHY:
            log.error("worker {number} {how} before it served", number=worker.number, how=how)
            status = 1
        if not self._status:
            self._status = status
            self._reactor.stop()

    def _pass_on(self, number: signal.Signals) -> None:
        for worker in self._workers:
            if worker.up:
                worker.send(number)

    def _stop(self) -> Deferred[Any]:
        notify("STOPPING=1")
        for each in self._sockets:
            each.close()  # from now on nobody is kept waiting
        return DeferredList([worker.stop() for worker in self._workers])


def make_supervisor(reactor: SupervisorReactor, settings: Settings) -> Supervisor:
    """The supervisor for these settings, its sockets bound.

    Raises:
        ConfigurationError: the settings can't work, as far as can be seen without a worker.
        OSError: a port can't be had.
    """
    check_workers(settings)
    check_addresses(settings)
    health = bind_health(settings)
    return Supervisor(reactor, settings, bind_https_together(settings), health)


class _Worker(ProcessProtocol):
    """One place among the workers, and the process that has it now."""

    def __init__(
        self,
        supervisor: Supervisor,
        reactor: SupervisorReactor,
        number: int,
        command: Sequence[str],
        https: socket.socket,
        health: socket.socket,
        board: int,
    ) -> None:
        self.number = number
        self.pid: int | None = None
        self.up = False
        self._supervisor = supervisor
        self._reactor = reactor
        self._command = command
        self._https = https
        self._health = health
        self._board = board
        self._process: IProcessTransport | None = None
        self._was_up = False
        self._again: IDelayedCall | None = None
        self._gone: Deferred[None] | None = None

    def start(self) -> None:
        """Start a process; :meth:`Supervisor.serves` is called when it is up."""
        self._again = None
        ours, theirs = socket.socketpair()
        handed = {HTTPS: self._https, HEALTH: self._health, SUPERVISOR: theirs}
        descriptors = {number: number for number in range(FIRST_DESCRIPTOR)}
        descriptors |= {
            number: each.fileno() for number, each in enumerate(handed.values(), FIRST_DESCRIPTOR)
        }
        board = FIRST_DESCRIPTOR + len(handed)
        descriptors[board] = self._board
        told = {
            "LISTEN_FDS": str(len(handed)),
            "LISTEN_FDNAMES": ":".join(handed),
            BOARD: f"{board}:{self.number}",
        }
        self._process = self._reactor.spawnProcess(
            self,
            sys.executable,
            [sys.executable, "-I", "-S", "-c", _HAND_OVER, *self._command],
            env=os.environ | told,
            childFDs=descriptors,
        )
        self.pid = self._process.pid
        theirs.close()
        hold(self._reactor, ours, FromWorker(self.is_up))

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        if self._process is not None:
            # If it has ended meanwhile, processEnded is about to say so.
            with contextlib.suppress(ProcessExitedAlready):
                self._process.signalProcess(number)

    def stop(self) -> Deferred[None]:
        """End the process in good order; fires when it has ended."""
        gone: Deferred[None] = Deferred()
        if self._again is not None:
            self._again.cancel()
        if self._process is None:
            gone.callback(None)
        else:
            self._gone = gone
            self.send(signal.SIGTERM)
        return gone

    def is_up(self) -> None:
        """The process said so."""
        self.up = self._was_up = True
        if self._gone is None:
            self._supervisor.serves(self)

    def processEnded(self, reason: Failure) -> None:
        """Start another one, if this one was wanted and ever worked."""
        self._process = None
        self.up = False
        ended = cast(ProcessTerminated, reason.value)  # or ProcessDone, its like
        status, by = ended.exitCode, ended.signal
        how = f"was ended by {signal.Signals(by).name}" if by else f"ended with status {status}"
        if self._gone is not None:
            self._gone.callback(None)
        elif not self._was_up:
            self._supervisor.could_not_start(self, status, how)
        else:
            log.error(
                "worker {number} (pid {pid}) {how}: another one takes its place in {seconds:g} s",
                number=self.number,
                pid=self.pid,
                how=how,
                seconds=AGAIN_SECONDS,
            )
            self._again = self._reactor.callLater(AGAIN_SECONDS, self.start)
