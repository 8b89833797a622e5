"""The benchmark refuses figures that mean nothing, and compares only what ran side by side."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from bench import options, paths
from bench.builds import cache_folder, fingerprint
from bench.caller import forged
from bench.contestants import Contestant, Ring, Running
from bench.errors import NoFigure
from bench.figures import Blank, Figure, Sample
from bench.load import Load, read_figures
from bench.processes import Programs
from bench.programme import watch_counts
from bench.rounds import interleaved
from bench.stage import Stage

COUNTED = (
    '{"requests": 40000, "duration": 2000000, "p50": 1500, "p99": 9250, '
    '"connect": 0, "read": 0, "write": 0, "status": 0, "timeout": 0}'
)


def printed(counted: str) -> str:
    return f"Running 2s test @ https://127.0.0.1:1/\n  1 threads\n\nfigures: {counted}\n"


def test_what_wrk_counted_is_read_in_seconds_and_milliseconds() -> None:
    load = read_figures(printed(COUNTED))
    assert load == Load(requests=40000, seconds=2.0, p50=1.5, p99=9.25)
    assert load.rate == 20000


@pytest.mark.parametrize("error", ["connect", "read", "write", "status", "timeout"])
def test_a_run_with_a_single_error_has_no_figures(error: str) -> None:
    with pytest.raises(NoFigure, match="the load met 1 "):
        read_figures(printed(COUNTED.replace(f'"{error}": 0', f'"{error}": 1')))


def test_a_run_without_answers_has_no_figures() -> None:
    with pytest.raises(NoFigure, match="not one answer"):
        read_figures(printed(COUNTED.replace("40000", "0")))


def test_what_wrk_says_instead_of_figures_is_passed_on() -> None:
    with pytest.raises(NoFigure, match=r"unable to connect to 127\.0\.0\.1:1"):
        read_figures("unable to connect to 127.0.0.1:1 Connection refused\n")


@dataclass
class Named:
    """A contestant that is never started."""

    name: str
    verifies: bool = True
    everywhere: bool = True

    def start(self, ring: Ring) -> Running:
        raise NotImplementedError


@dataclass
class Recorded:
    """A case that only notes who is measured."""

    name: str = "recorded"
    rounds: int | None = None
    leaves_out: Mapping[str, str] = field(default_factory=dict)
    fails: str = ""
    order: str = ""

    def measure(self, stage: Stage, contestant: Contestant, number: int) -> Mapping[Figure, float]:
        self.order += contestant.name
        if contestant.name == self.fails:
            raise NoFigure("it fell over")
        return {Figure("asked"): 1.0}


def results(*cases: Recorded) -> list[Sample | Blank]:
    contestants = [Named(name) for name in "abc"]
    return list(interleaved(cast(Stage, None), contestants, cases, rounds=3))


def test_contestants_take_turns_and_every_other_round_is_backwards() -> None:
    case = Recorded()
    samples = results(case)
    assert case.order == "abccbaabc"
    assert [each.round for each in samples if isinstance(each, Sample)] == [0] * 3 + [1] * 3 + [
        2
    ] * 3


def test_who_fails_is_not_asked_again_in_that_case_and_the_others_go_on() -> None:
    case, other = Recorded(fails="b"), Recorded("other")
    blanks = [each for each in results(case, other) if isinstance(each, Blank)]
    assert blanks == [Blank("recorded", "b", "in round 1, it fell over", failed=True)]
    assert case.order == "abccaac"
    assert other.order == "abccbaabc"


def test_who_takes_part_where_requests_are_counted_is_in_no_other_case() -> None:
    case = Recorded()
    contestants = [Named("a"), Named("b", everywhere=False)]
    assert list(interleaved(cast(Stage, None), contestants, [case], rounds=1))
    assert case.order == "a"


def test_who_is_left_out_is_never_asked_and_has_not_failed() -> None:
    case = Recorded(leaves_out={"a": "it can't"})
    blanks = [each for each in results(case) if isinstance(each, Blank)]
    assert blanks == [Blank("recorded", "a", "it can't", failed=False)]
    assert case.order == "bccbbc"


def test_a_case_is_measured_in_no_more_rounds_than_it_says() -> None:
    case = Recorded(rounds=1)
    results(case)
    assert case.order == "abc"


@pytest.mark.parametrize("compiler", ["/usr/bin/cc", None])
def test_all_is_measured_unless_something_is_chosen(
    monkeypatch: pytest.MonkeyPatch, compiler: str | None
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: compiler)
    chosen = options.read(None, [])
    assert chosen.cases == options.CASES
    left_out = set(options.CONTESTANTS) - set(chosen.contestants)
    assert left_out == (set() if compiler else {options.COMPILED})
    chosen = options.read(None, ["--only", "watches", "requests", "--contestants", "nginx"])
    assert (chosen.cases, chosen.contestants) == (("requests", "watches"), ("nginx",))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--only", "everything"], "invalid choice: 'everything'"),
        (["--rounds", "0"], "'0' is not a whole number of 1 or more"),
    ],
)
def test_what_cannot_be_asked_for_is_said(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        options.read(None, arguments)
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "open_files", "counts"),
    [
        ([], 24_000, (1000, 10_000)),
        ([], 20_000, (1000, 9800)),
        ([], 1024, (312,)),
        (["--quick"], 24_000, (1000,)),
    ],
)
def test_there_are_as_many_watches_as_open_files_allow(
    arguments: list[str], open_files: int, counts: tuple[int, ...]
) -> None:
    assert watch_counts(options.read(None, arguments), open_files) == counts


def test_a_forged_token_differs_in_its_signature_alone() -> None:
    good = f"e30.e30.{'A' * 342}"
    bad = forged(good)
    assert bad.startswith("e30.e30.")
    assert len(bad) == len(good)
    assert bad != forged(good)


def test_programs_are_built_anew_when_a_source_changes(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module m\n")
    (tmp_path / "main.go").write_text("package main\n")
    first = fingerprint(tmp_path.iterdir())
    assert fingerprint(tmp_path.iterdir()) == first
    (tmp_path / "main.go").write_text("package main \n")
    second = fingerprint(tmp_path.iterdir())
    (tmp_path / "go.sum").write_text("")
    assert len({first, second, fingerprint(tmp_path.iterdir())}) == 3


def test_the_cache_is_where_the_environment_says() -> None:
    assert cache_folder({"KOPROXY_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert cache_folder({"XDG_CACHE_HOME": "/b"}) == Path("/b/koproxy")
    assert cache_folder({}) == Path.home() / ".cache/koproxy"


def test_both_upstreams_know_the_same_paths() -> None:
    source = Path(options.__file__).with_name("peer") / "upstream.go"
    text = source.read_text()
    assert all(f'"{path}"' in text for path in (paths.UPLOAD, paths.WATCH, paths.TUNNEL))
    assert f'"{paths.REVIEW}"' in text


def test_the_kernel_is_asked_for_every_process_of_a_program(tmp_path: Path) -> None:
    with Programs(tmp_path) as programs:
        program = programs.start(
            "shell", ["sh", "-c", 'sleep 60 & trap "kill $!" TERM; echo up; wait'], 0
        )
        program.until(lambda: program.log.read_text() or None, "it was up")
        before = program.cpu()
        assert len(before) == 2
        assert program.process.pid in before
        assert program.memory() > 0
