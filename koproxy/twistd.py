"""``twistd koproxy FLAGS``: the same daemon with the same flags, run by twistd.

twistd asks for an ``Options`` class and a ``makeService`` function; the flags themselves are
those of ``koproxy serve``, read by the same reader.
"""

from collections.abc import Sequence
from typing import Any, cast

import click
from twisted.application.service import IService

from koproxy import __version__
from koproxy.cli import attempt, read
from koproxy.cli.options import flags
from koproxy.daemon import Reactor, make_service
from koproxy.errors import ConfigurationError
from koproxy.settings import Settings


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@flags
@click.version_option(__version__, prog_name="koproxy")
def _settings(**given: Any) -> Settings:
    """Stand before an API server, verify who asks, and forward what they ask."""
    return Settings(**given)


class Options:
    """What twistd has its arguments read by."""

    parent: object = None

    def parseOptions(self, arguments: Sequence[str]) -> None:
        """Read the flags; ends the process with a sentence if they can't work."""
        name = "twistd koproxy"
        self.settings: Settings = attempt(lambda: read(_settings, name, arguments), name)


def makeService(options: Options) -> IService:
    """Build the daemon; ends the process with a sentence if it can't work."""
    from twisted.internet import reactor  # noqa: PLC0415 - twistd has chosen it by now

    def make() -> IService:
        settings = options.settings
        if settings.workers > 1:
            raise ConfigurationError(
                f"--workers {settings.workers} is not for twistd, which runs one process: "
                "leave it out, or run koproxy serve"
            )
        return make_service(cast(Reactor, reactor), settings, {})

    return attempt(make, "twistd koproxy")
