"""A configuration is taken and refused by koproxy and kube-apiserver alike.

Kubernetes' own code judges, without a server around it; what koproxy refuses besides, and why, is
in docs/decisions.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.configuration_cases import BOTH, OURS
from localcluster.authenticator import Authenticator

from koproxy.cel.compiling import Compiler
from koproxy.configuration.file import configured
from koproxy.errors import ConfigurationError

COMPILER = Compiler()


@pytest.fixture(scope="module")
def judge(directory: Path) -> Iterator[Authenticator]:
    judge = Authenticator(directory / "configurations.log")
    yield judge
    judge.close()


def refused(content: bytes) -> str:
    """What koproxy finds wrong with a configuration; empty if nothing is."""
    try:
        configured(content, "a.yaml", COMPILER)
    except ConfigurationError as problem:
        return str(problem)
    return ""


@pytest.mark.parametrize("name", BOTH)
def test_both_decide_alike(judge: Authenticator, name: str) -> None:
    judged = judge.ask(BOTH[name].decode())
    ours = refused(BOTH[name])
    assert not judged.panic
    assert bool(ours) is bool(judged.wrong), (ours, judged.wrong)


def test_there_are_many_of_both_kinds() -> None:
    outcomes = [bool(refused(content)) for content in BOTH.values()]
    assert outcomes.count(True) > 50
    assert outcomes.count(False) > 50


@pytest.mark.parametrize("name", OURS)
def test_what_koproxy_alone_refuses(judge: Authenticator, name: str) -> None:
    assert judge.ask(OURS[name].decode()).wrong == ""
    assert refused(OURS[name])
