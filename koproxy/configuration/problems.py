"""What is wrong with a configuration: where, and in the words that Kubernetes has for it."""

import json
from dataclasses import dataclass


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


def required(path: str, why: str = "") -> Problem:
    """A field that has to be there is not."""
    return Problem(path, f"Required value: {why}" if why else "Required value")


def invalid(path: str, value: str, why: str) -> Problem:
    """A field's value can't be."""
    return Problem(path, f"Invalid value: {json.dumps(value, ensure_ascii=False)}: {why}")


def duplicate(path: str, value: str) -> Problem:
    """The same value is there twice."""
    return Problem(path, f"Duplicate value: {json.dumps(value, ensure_ascii=False)}")
