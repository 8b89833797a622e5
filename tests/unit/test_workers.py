"""The flags that a worker is started with say what its supervisor was told."""

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koproxy.cli import attempt
from koproxy.cli.serve import serve
from koproxy.settings import Settings, Whole
from koproxy.workers import arguments

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
WORD = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters=","), min_size=1
)
PAIR = st.tuples(WORD.filter(lambda key: "=" not in key), WORD)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    bool: st.booleans(),
    int: st.integers(-99, 99999),
    float: st.integers(0, 10**6).map(lambda thousandths: thousandths / 1000),
    timedelta: st.integers(0, 10**8).map(lambda ms: timedelta(milliseconds=ms)),
    tuple[str, ...]: st.lists(WORD, max_size=3).map(tuple),
    tuple[Whole, ...]: st.lists(TEXT, max_size=3).map(tuple),
    tuple[tuple[str, str], ...]: st.lists(PAIR, max_size=3).map(tuple),
}
SETTINGS = st.fixed_dictionaries(
    {}, optional={each.name: VALUES[each.type] for each in fields(Settings)}
).map(lambda given: Settings(**given))


@given(SETTINGS)
def test_a_worker_reads_the_same_settings(settings: Settings) -> None:
    context = serve.make_context("serve", arguments(settings))
    assert Settings(**context.params) == settings


def test_what_was_not_given_is_not_told() -> None:
    assert arguments(Settings()) == []


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--workers=0", "--workers 0 would serve nobody"),
        ("--workers=-1", "--workers -1 would serve nobody"),
        ("--workers=two", "'two' is not a whole number"),
        ("--workers=1.5", "'1.5' is not a whole number"),
        ("--max-connections=-1", "--max-connections -1 is too small: give 0 or more"),
        ("--max-header-bytes=0", "--max-header-bytes 0 is too small: give 4096 or more"),
        ("--read-header-timeout=0", "--read-header-timeout 0 would let anybody hold"),
        ("--idle-timeout=3", "'3' is not a duration such as 30s or 1m30s"),
    ],
)
def test_a_number_that_can_not_work(
    capsys: pytest.CaptureFixture[str], flag: str, words: str
) -> None:
    with pytest.raises(SystemExit) as end:
        attempt(lambda: serve.main([flag], standalone_mode=False), "koproxy serve")
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("koproxy: ")
    assert words in said
    assert said.count("\n") == 1
