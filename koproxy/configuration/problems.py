"""What is wrong with a configuration: where, and in the words that Kubernetes has for it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from koproxy.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: ``path`` is a field's, such as ``jwt[0].issuer.url``.

    ``line`` is that of the file, from 1; 0 where there is none.
    """

    path: str
    text: str
    line: int = 0

    def __str__(self) -> str:
        """Say it as Kubernetes does."""
        return f"{self.path}: {self.text}" if self.path else self.text


def with_line(problem: Problem, lines: Mapping[str, int]) -> Problem:
    """Give a problem its line, that of the nearest field around it that is there."""
    path = problem.path
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return replace(problem, line=lines.get(path, 0))


def refusal(where: str, problems: Iterable[Problem]) -> ConfigurationError:
    """Say everything that is wrong with a file; ``where`` is its flag and its name."""
    said = [f"line {each.line}: {each}" if each.line else str(each) for each in problems]
    if len(said) == 1:
        return ConfigurationError(f"{where}: {said[0]}")
    return ConfigurationError("\n  ".join([f"{where}:", *said]))


def required(path: str, why: str = "") -> Problem:
    """A field that has to be there is not."""
    return Problem(path, f"Required value: {why}" if why else "Required value")


def invalid(path: str, value: str, why: str) -> Problem:
    """A field's value can't be."""
    return Problem(path, f"Invalid value: {json.dumps(value, ensure_ascii=False)}: {why}")


def duplicate(path: str, value: str) -> Problem:
    """The same value is there twice."""
    return Problem(path, f"Duplicate value: {json.dumps(value, ensure_ascii=False)}")
