"""``python -m bench``: koproxy and nginx in turn, a table, and a page in ``bench/results``."""

import argparse
import shlex
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from koproxy_harness import Issuer

from bench import machine
from bench.authority import Authority
from bench.caller import token
from bench.contestants import Contestant, Koproxy, Nginx, Ring
from bench.errors import Missing, NoFigure
from bench.load import Wrk
from bench.measure import Sample, SmallAnswers, check_answer, interleaved
from bench.processes import Programs
from bench.report import page
from bench.upstream import start_upstream

RESULTS = Path(__file__).with_name("results")
CONNECTIONS = (1, 32)


def main() -> int:
    """Run it; gives the exit status: 1 where there is no figure, 2 for what is missing."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        tools, cores = machine.find_tools(), machine.share_cores()
        commit = machine.commit()
        description = machine.describe(tools, cores, commit)
        samples = _run(tools, cores, options.rounds, options.seconds)
    except Missing as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 2
    except NoFigure as problem:
        print(f"bench: no figures: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    command = shlex.join(["python", "-m", "bench", *sys.argv[1:]])
    text = page(samples, Nginx.name, command, description)
    print(text)
    if not options.quick:
        RESULTS.mkdir(exist_ok=True)
        file = RESULTS / f"{datetime.now(UTC):%Y-%m-%d-%H%M}-{commit}.md"
        file.write_text(text)
        print(f"written to {file.relative_to(RESULTS.parent.parent)}")
    return 0


def _run(tools: machine.Tools, cores: machine.Cores, rounds: int, seconds: int) -> list[Sample]:
    contestants: tuple[Contestant, ...] = (Koproxy(tools.koproxy), Nginx(tools.nginx))
    with (
        tempfile.TemporaryDirectory(prefix="koproxy-bench-") as folder,
        Issuer() as issuer,
        Programs(Path(folder)) as programs,
    ):
        authority = Authority(programs.folder)
        bearer = token(issuer)
        upstream = start_upstream(tools.nginx, programs, cores.upstream, authority)
        ring = Ring(programs, upstream, authority, issuer.url, issuer.ca_file, cores.contestant)
        running = {}
        for contestant in contestants:
            running[contestant.name] = contestant.start(ring)
            check_answer(running[contestant.name], authority.file, bearer, upstream.body)
        wrk = Wrk(tools.wrk, cores.load, bearer)
        cases = [SmallAnswers(wrk, connections, seconds) for connections in CONNECTIONS]
        samples = []
        for sample in interleaved(running, cases, rounds):
            samples.append(sample)
            figures = ", ".join(
                f"{figure.name} {value:.{figure.digits}f}"
                for figure, value in sample.values.items()
            )
            print(
                f"round {sample.round + 1} of {rounds}, {sample.case}, "
                f"{sample.contestant}: {figures}",
                file=sys.stderr,
            )
        return samples


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=_positive, metavar="N", help="rounds (10)")
    parser.add_argument(
        "--seconds", type=_positive, metavar="N", help="seconds of each measurement (2)"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="2 rounds of 1 second, to see that it works; nothing is written",
    )
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 10)
    options.seconds = options.seconds or (1 if options.quick else 2)
    return options


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
