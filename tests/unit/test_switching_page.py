"""What the page about other proxies says of flags is so."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from koproxy.cli import koproxy
from koproxy.cli.elsewhere import NEEDLESS, REFUSED
from koproxy.settings import options

PAGE = (Path(__file__).parents[2] / "docs" / "switching.md").read_text()


def named(title: str) -> set[str]:
    """The flags in the first column of the table below a title."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `-")]
    return {flag.lstrip("-") for row in rows for flag in re.findall(r"`(-[-a-z0-9P]+)`", row)}


def test_what_is_the_same_is_there() -> None:
    ours = {*options(), "P"}
    assert len(named("The same flags, meaning the same")) > 40
    assert named("The same flags, meaning the same") <= ours


def test_what_changes_nothing_and_what_is_refused_are_all_named() -> None:
    assert named("Flags that change nothing here") == set(NEEDLESS)
    assert named("Flags that are refused") == set(REFUSED)
    assert not (NEEDLESS.keys() | REFUSED.keys()) & options().keys()


@pytest.mark.parametrize("how", ["--{}=10", "--{}"])
@pytest.mark.parametrize("flag", NEEDLESS)
def test_what_changes_nothing_is_taken(flag: str, how: str) -> None:
    given = how.format(flag)
    outcome = CliRunner().invoke(koproxy.commands["serve"], [given, "--v=1"])
    assert f"--{flag} changes nothing here: " in outcome.output
    assert "No such option" not in outcome.output


@pytest.mark.parametrize("flag", REFUSED)
def test_what_is_refused_says_what_to_do(flag: str) -> None:
    outcome = CliRunner().invoke(koproxy.commands["serve"], [f"--{flag}=x"])
    assert outcome.exit_code == 2
    assert f"--{flag} is no flag of koproxy's: " in outcome.output
