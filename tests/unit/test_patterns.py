"""Regular expressions that mean the same to every Python that koproxy runs on.

Python before 3.11.5 goes on at the wrong place where a possessive quantifier stands behind a group,
and where a group is atomic (python/cpython gh-106052). Behind a set alone it is right.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import koproxy

_SETS = (codes.IN, codes.ANY, codes.LITERAL, codes.NOT_LITERAL)


def patterns() -> Iterator[Any]:
    """Every expression that a module of koproxy has at hand, with its name."""
    for found in pkgutil.walk_packages(koproxy.__path__, "koproxy."):
        if found.name == "koproxy.__main__":
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield pytest.param(value, id=f"{found.name}.{name}")


def at_risk(tree: Any) -> bool:
    """Whether a parsed expression has what goes wrong."""
    for code, arguments in tree:
        if code is codes.ATOMIC_GROUP:
            return True
        if code is codes.POSSESSIVE_REPEAT:
            repeated = arguments[2]
            if len(repeated) != 1 or repeated[0][0] not in _SETS:
                return True
        if any(at_risk(below) for below in _below(arguments)):
            return True
    return False


def _below(arguments: Any) -> Iterator[Any]:
    if isinstance(arguments, parser.SubPattern):
        yield arguments
    elif isinstance(arguments, tuple | list):
        for each in arguments:
            yield from _below(each)


@pytest.mark.parametrize("pattern", list(patterns()))
def test_no_group_is_possessive(pattern: re.Pattern[Any]) -> None:
    assert not at_risk(parser.parse(pattern.pattern, pattern.flags))


@pytest.mark.parametrize(
    "text", ["(?:ab)*+", "(?:ab|c)?+", "(?>a)", "x(?:(?:ab?)++|c)", "(?=(?:ab)++)"]
)
def test_the_risk_is_seen(text: str) -> None:
    assert at_risk(parser.parse(text))
    assert not at_risk(parser.parse("(?:[a-z]++:.*+)*x?+"))
