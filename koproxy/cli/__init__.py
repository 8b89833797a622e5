"""What a person types. Each command has a module of its own; here they come together.

What goes wrong at start-up is one sentence on standard error, with exit status 2 for a usage or
configuration that can't work and 1 for anything else.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

import click

from koproxy import __version__
from koproxy.cli.check import check
from koproxy.cli.demo import demo
from koproxy.cli.explain import explain
from koproxy.cli.output import say_no_more
from koproxy.cli.serve import serve
from koproxy.errors import ConfigurationError

T = TypeVar("T")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="koproxy")
def koproxy() -> None:
    """OIDC log-in for any Kubernetes API server."""


koproxy.add_command(serve)
koproxy.add_command(check)
koproxy.add_command(explain)
koproxy.add_command(demo)


def attempt(action: Callable[[], T], name: str) -> T:
    """Do ``action``; end the process with a sentence if what was given can't work."""
    try:
        return action()
    except click.exceptions.NoArgsIsHelpError as problem:
        fail(f"a command is missing.\n\n{problem.format_message()}", 2)
    except click.UsageError as problem:
        command = problem.ctx.command_path if problem.ctx is not None else name
        fail(f"{problem.format_message()} See '{command} --help'.", 2)
    except ConfigurationError as problem:
        fail(str(problem), 2)
    except OSError as problem:
        say_no_more()
        fail(str(problem), 1)
    except click.ClickException as problem:
        fail(str(problem), 1)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


def read(command: click.Command, name: str, arguments: Sequence[str] | None = None) -> Any:
    """Run a click command; after ``--help`` and the like the process ends."""
    result = command.main(
        args=None if arguments is None else list(arguments), prog_name=name, standalone_mode=False
    )
    if isinstance(result, int):
        sys.exit(result)
    return result


def fail(sentence: str, status: int) -> NoReturn:
    """Say why it ends, and end."""
    print(f"koproxy: {sentence}", file=sys.stderr)  # noqa: T201
    sys.exit(status)


def main() -> None:
    """The console script ``koproxy``."""
    attempt(lambda: read(koproxy, "koproxy"), "koproxy")


def kube_oidc_proxy() -> None:
    """The console script ``kube-oidc-proxy``: ``koproxy serve`` under its other name."""
    attempt(lambda: read(serve, "kube-oidc-proxy"), "kube-oidc-proxy")
