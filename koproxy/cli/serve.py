"""``koproxy serve``: the proxy itself, in the foreground."""

from typing import Any, cast

import click

from koproxy import __version__
from koproxy.cli.options import flags
from koproxy.settings import Settings


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@flags
@click.version_option(__version__, prog_name="koproxy")
def serve(**given: Any) -> int:
    """Stand before an API server, verify who asks, and forward what they ask."""
    # Twisted's reactor is chosen at its import: not before a command needs it.
    from twisted.internet import reactor  # noqa: PLC0415

    from koproxy.daemon import Reactor, make_service  # noqa: PLC0415
    from koproxy.observe import logs  # noqa: PLC0415

    settings = Settings(**given)
    service = make_service(cast(Reactor, reactor), settings)
    logs.begin(settings.v)  # not before: what can't work is said in one sentence alone
    service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()
    return 0
