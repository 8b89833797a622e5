"""What can be asked of a run on the command line."""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

CASES = ("requests", "answers", "uploads", "tunnels", "connections", "tokens", "watches")
COMPILED = "koproxy-compiled"
CONTESTANTS = (
    "koproxy",
    COMPILED,
    "koproxy-access-log",
    "koproxy-audit",
    "nginx",
    "go-2",
    "go-1000",
    "go-http2",
    "twisted.web",
)


@dataclass(frozen=True, slots=True)
class Options:
    """How much of what is measured, of whom; ``seconds`` is for each measurement."""

    rounds: int
    seconds: int
    cases: tuple[str, ...]
    contestants: tuple[str, ...]
    quick: bool


def read(description: str | None, arguments: Sequence[str] | None = None) -> Options:
    """Read them; ends the process where they can't be read."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=description)
    parser.add_argument("--rounds", type=_positive, metavar="N", help="rounds (4)")
    parser.add_argument(
        "--seconds", type=_positive, metavar="N", help="seconds of each measurement (2)"
    )
    parser.add_argument(
        "--only", nargs="+", choices=CASES, default=CASES, metavar="CASE", help=", ".join(CASES)
    )
    parser.add_argument(
        "--contestants",
        nargs="+",
        choices=CONTESTANTS,
        default=[name for name in CONTESTANTS if name != COMPILED or shutil.which("cc")],
        metavar="NAME",
        help=f"{', '.join(CONTESTANTS)}; {COMPILED} only where there is a C compiler",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="1 round of 1 second and few watches, to see that it works; nothing is written",
    )
    given = parser.parse_args(arguments)
    return Options(
        rounds=given.rounds or (1 if given.quick else 4),
        seconds=given.seconds or (1 if given.quick else 2),
        cases=tuple(name for name in CASES if name in given.only),
        contestants=tuple(name for name in CONTESTANTS if name in given.contestants),
        quick=given.quick,
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)
