"""``python -m bench``: koproxy and others in turn, tables, and a page in ``bench/results``."""

import os
import shlex
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from koproxy_harness import Issuer

from bench import machine, options, programme
from bench.authority import Authority
from bench.caller import token
from bench.clients import Peer
from bench.errors import Missing, NoFigure
from bench.figures import Blank, Sample
from bench.goals import goals
from bench.load import Wrk
from bench.processes import Programs
from bench.report import Page
from bench.rounds import interleaved
from bench.stage import Stage
from bench.upstream import make_content, start_files, start_streams

RESULTS = Path(__file__).with_name("results")


def main() -> int:
    """Run it; gives the exit status: 1 where a figure is missing, 2 for a missing program."""
    asked = options.read(__doc__)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        tools, cores = machine.find_tools(), machine.share_cores()
        watches = programme.watch_counts(asked, machine.open_files())
        commit = machine.commit()
        description = machine.describe(tools, cores, commit)
        results = _run(asked, tools, cores, watches)
    except Missing as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 2
    except NoFigure as problem:
        print(f"bench: no figures: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    command = shlex.join(["python", "-m", "bench", *sys.argv[1:]])
    text = Page(results, programme.GOS).text(goals(watches), command, description)
    print(text)
    if not asked.quick:
        RESULTS.mkdir(exist_ok=True)
        file = RESULTS / f"{datetime.now(UTC):%Y-%m-%d-%H%M}-{commit}.md"
        file.write_text(text)
        print(f"written to {file.relative_to(RESULTS.parent.parent)}")
    return 1 if any(isinstance(each, Blank) and each.failed for each in results) else 0


def _run(
    asked: options.Options, tools: machine.Tools, cores: machine.Cores, watches: tuple[int, ...]
) -> list[Sample | Blank]:
    os.sched_setaffinity(0, {cores.load})  # with the issuer, which runs in this process
    with (
        tempfile.TemporaryDirectory(prefix="koproxy-bench-") as folder,
        Issuer() as issuer,
        Programs(Path(folder)) as programs,
    ):
        authority, content = Authority(programs.folder), make_content(programs.folder)
        bearer, token_file = token(issuer), programs.folder / "token"
        token_file.write_text(bearer)
        world = programs, cores.upstream, authority, content
        stage = Stage(
            programs=programs,
            authority=authority,
            issuer_url=issuer.url,
            issuer_ca=issuer.ca_file,
            core=cores.contestant,
            token=bearer,
            token_file=token_file,
            content=content,
            files=start_files(tools.nginx, *world),
            streams=start_streams(tools.peer, *world),
        )
        wrk, peer = Wrk(tools.wrk, cores.load, bearer), Peer(tools.peer, cores.load)
        cases = programme.cases(asked, wrk, peer, issuer, programs.folder, watches)
        contestants = programme.contestants(asked, tools)
        results = []
        for result in interleaved(stage, contestants, cases, asked.rounds):
            results.append(result)
            print(_line(result), file=sys.stderr)
        return results


def _line(result: Sample | Blank) -> str:
    """What was just measured."""
    if isinstance(result, Blank):
        return f"{result.case}, {result.contestant}: none: {result.reason}"
    figures = ", ".join(
        f"{figure.name} {value:.{figure.digits}f}" for figure, value in result.values.items()
    )
    return f"round {result.round + 1}, {result.case}, {result.contestant}: {figures}"


if __name__ == "__main__":
    sys.exit(main())
