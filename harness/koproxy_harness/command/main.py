"""The command line: what is asked for, where the servers listen, and when they end."""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from koproxy_harness import __version__
from koproxy_harness.command.configuration import Configuration, configuration
from koproxy_harness.command.fields import ConfigurationError
from koproxy_harness.command.servers import Places, running
from koproxy_harness.errors import HarnessError
from koproxy_harness.serving.place import Place

_HIGHEST_PORT = 65535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give its exit status: 2 for wrong usage or configuration, 1 else."""
    options = _parser().parse_intermixed_args(arguments)
    wait = _until_told_to_end(options.until_stdin_closes)
    try:
        read = configuration(options.configuration) if options.configuration else Configuration()
        with running(read, _places(options)) as told:
            print(json.dumps(told), flush=True)  # noqa: T201 - what the command is for
            wait()
    except ConfigurationError as error:
        return _say(str(error), 2)
    except HarnessError as error:
        return _say(str(error), 1)
    except Exception as error:  # noqa: BLE001 - whoever reads stderr wants a sentence
        return _say(f"it ended with a mistake of its own: {error!r}", 1)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="koproxy-harness",
        description="A fake OIDC issuer and a mock Kubernetes API server for tests. Prints one "
        "line of JSON: URLs, the authorities to trust, tokens, a kubeconfig and the URL of the "
        "control. Runs until SIGTERM or Ctrl-C.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("servers", choices=("issuer", "kube-api", "both"), help="what to run")
    parser.add_argument(
        "configuration",
        nargs="?",
        type=Path,
        metavar="CONFIG.yaml",
        help="users, clients, objects and options of the servers",
    )
    for server in ("issuer", "kube-api", "control"):
        parser.add_argument(
            f"--{server}-port",
            type=_port,
            default=0,
            metavar="PORT",
            help=f"of the {server}; a free one by default",
        )
    parser.add_argument("--address", default="127.0.0.1", help="to listen on, %(default)s")
    parser.add_argument("--host", default="", help="in the URLs and certificates")
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end with whoever holds the other end of the standard input",
    )
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= _HIGHEST_PORT:
        raise ValueError(text)
    return port


def _places(options: argparse.Namespace) -> Places:
    def place(port: int) -> Place:
        return Place(options.address, port, options.host)

    wanted = options.servers
    return Places(
        issuer=place(options.issuer_port) if wanted != "kube-api" else None,
        kube_api=place(options.kube_api_port) if wanted != "issuer" else None,
        control=place(options.control_port),
    )


def _until_told_to_end(until_stdin_closes: bool) -> Callable[[], None]:
    """From now on a signal ends nothing by itself; give what waits for one, or for stdin's end."""
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    watched = [woken, *([sys.stdin.fileno()] if until_stdin_closes else [])]

    def wait() -> None:
        while True:
            ready, _, _ = select.select(watched, [], [])
            if woken in ready or not os.read(sys.stdin.fileno(), 1 << 16):
                return

    return wait


def _say(text: str, status: int) -> int:
    print(f"koproxy-harness: {text}", file=sys.stderr)  # noqa: T201 - the command's own words
    return status
