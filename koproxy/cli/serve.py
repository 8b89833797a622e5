"""``koproxy serve``: the proxy itself, in the foreground."""

import os
import socket
from collections.abc import Mapping
from typing import Any, cast

import click

from koproxy import __version__
from koproxy.cli.options import Command, flags
from koproxy.errors import ConfigurationError
from koproxy.listening import SUPERVISOR, handed_over
from koproxy.settings import Settings


@click.command(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@flags
@click.version_option(__version__, prog_name="koproxy")
def serve(**given: Any) -> int:
    """Stand before an API server, verify who asks, and forward what they ask."""
    settings = Settings(**given)
    handed = handed_over(os.environ)
    if settings.workers == 1:
        return _serve(settings, handed)
    if handed:
        raise ConfigurationError(
            f"--workers {settings.workers} can't share the sockets that are handed over "
            "(LISTEN_FDS): leave out the one or the other"
        )
    return _supervise(settings)


# Twisted's reactor is chosen at its import: not before a command needs it.


def _serve(settings: Settings, handed: Mapping[str, socket.socket]) -> int:
    from twisted.internet import reactor  # noqa: PLC0415

    from koproxy.daemon import Reactor, make_service  # noqa: PLC0415
    from koproxy.observe import logs  # noqa: PLC0415
    from koproxy.observe.board import handed_over_board  # noqa: PLC0415

    board = handed_over_board(os.environ)
    service = make_service(cast(Reactor, reactor), settings, handed, board)
    # Not before: what can't work is said in one sentence alone.
    logs.begin(settings.v, worker=SUPERVISOR in handed)
    service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()
    return 0


def _supervise(settings: Settings) -> int:
    from twisted.internet import reactor  # noqa: PLC0415

    from koproxy.observe import logs  # noqa: PLC0415
    from koproxy.workers import SupervisorReactor, make_supervisor  # noqa: PLC0415

    supervisor = make_supervisor(cast(SupervisorReactor, reactor), settings)
    logs.begin(settings.v)
    return supervisor.run()
