"""The JSONPaths of a definition's columns: how they are read, and what they find. Pure.

What can't be found is no error: a cell is empty then, as is one whose path makes no sense.
https://kubernetes.io/docs/reference/kubectl/jsonpath/
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

Step = Callable[[Any], Iterator[Any]]

_STEP = re.compile(
    r"""\.?(?:
        \.(?P<name>(?:\\.|[^.\[\]\\])+)
        | \['(?P<quoted>[^']*)'\]
        | \[(?P<every>\*)\]
        | \[(?P<slice>(?!\])(?:-?\d+)?(?::(?:-?\d+)?)?(?::0*[1-9]\d*|:)?)\]
        | \[\?\(\s*@(?P<left>[^=!<>]*?)\s*(?:(?P<sign>[=!]=|[<>]=?)\s*(?P<right>[^)]*?)\s*)?\)\]
    )""",
    re.VERBOSE | re.DOTALL,
)
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def found(made: Any, path: str) -> list[Any]:
    """Give what a path leads to, in order."""
    values = [made]
    for step in _steps(path):
        values = [each for value in values for each in step(value)]
    return values


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[Step, ...]:
    steps, at = [], 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            return (_nothing,)
        steps.append(_step(match))
        at = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    name, quoted = match["name"], match["quoted"]
    if quoted is not None:  # it is read as if it had no quotes: a point in it is one between names
        return lambda value: iter(found(value, f".{quoted}"))
    if match["every"] or name == "*":
        return _every
    if name is not None:
        return _named(re.sub(r"(?s)\\(.)", r"\1", name))
    if match["slice"] is not None:
        return _sliced(match["slice"])
    return _filtered(match["left"], match["sign"], match["right"])


def _nothing(value: Any) -> Iterator[Any]:
    return iter(())


def _every(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _named(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _sliced(text: str) -> Step:
    given = [int(number) if number else None for number in text.split(":")]
    first = given[0] or 0

    def step(value: Any) -> Iterator[Any]:
        if not isinstance(value, list):
            return
        if len(given) > 1:
            yield from value[slice(*given)]
        elif -len(value) <= first < len(value):
            yield value[first]

    return step


def _filtered(left: str, sign: str | None, right: str | None) -> Step:
    wanted = _literal(right or "")

    def passes(value: Any) -> bool:
        has = found(value, left)
        if sign is None:
            return bool(has)
        try:
            return len(has) == 1 and _SIGNS[sign](has[0], wanted)
        except TypeError:  # there is no order between these two
            return False

    def step(value: Any) -> Iterator[Any]:
        return filter(passes, value) if isinstance(value, list) else iter(())

    return step


def _literal(text: str) -> Any:
    if text[:1] in ("'", '"'):
        return text[1:-1]
    try:
        return json.loads(text)
    except ValueError:
        return text
