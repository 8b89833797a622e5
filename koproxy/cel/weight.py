"""How much there is in a value, in steps of an evaluation. Pure.

Values share their parts: a list may have the same long list in it a thousand times. So this counts
no further than an evaluation may go.
"""

from typing import Any

from koproxy.cel.values import Optional

BUDGET = 100_000
"""Steps that one evaluation may take: a fifth of a second or so."""

_COMPARED_IN_A_STEP = 5000  # characters of a text, which Python compares many at a time


def weight(value: Any, characters: int = _COMPARED_IN_A_STEP) -> int:
    """Give a step for each value in one, and for so many characters.

    It is exact up to ``BUDGET``; what is more is only known to be more.
    """
    total, left = 0, [value]
    while left and total <= BUDGET:
        each = left.pop()
        total += 1
        match each:
            case str() | bytes():
                total += len(each) // characters
            case list():
                left += each
            case dict():
                left += each
                left += each.values()
            case Optional():
                left.append(each.value)
    return total


def compared(one: Any, other: Any) -> int:
    """Give the steps that it may take to see whether two values are the same."""
    if isinstance(one, list | dict | Optional) and isinstance(other, list | dict | Optional):
        return weight(one)
    return 1


def are_texts(values: list[Any]) -> bool:
    """Say whether a list has nothing but strings: Python can look for those by itself."""
    return set(map(type, values)) <= {str}
