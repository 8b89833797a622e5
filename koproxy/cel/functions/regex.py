"""Regular expressions over strings, by RE2, which takes time linear in what it looks at. Pure.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library
"""

from functools import lru_cache
from typing import Any

import re2

from koproxy.cel.overloads import Overload
from koproxy.cel.values import CelError, GoStrings

_MOST_GIVEN = 1000  # characters of an expression that isn't written out where it is used
_MEMORY = 1 << 18  # bytes that such a one may take, compiled
_KEPT = 64  # of them; a token can bring its own, and pushes out older ones
_TRYING, _TRYING_A_CHARACTER = 500, 10  # steps of compiling such a one
_LOOKED_AT_IN_A_STEP = 20  # characters
_TRIED_IN_A_STEP = 150  # parts of a compiled expression, each for one character: RE2's worst
_FOUND_IN_A_STEP = 2
_LOOKED_AT_AGAIN_IN_A_STEP = 20_000  # characters, when each match looks at all that comes

_WRITTEN: dict[str, Any] = {}
"""The expressions that administrators have written out: these alone may be large."""
_GIVEN: dict[str, Any] = {}
"""Others, the latest one last; an error for what is none."""


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """Compile a regular expression of RE2's that is no claim's, with its groups.

    Raises ``CelError``.
    """
    return _compiled(pattern, re2.Options())


def written(pattern: str) -> None:
    """Compile a regular expression that is written out where it is used; raises ``CelError``."""
    if pattern not in _WRITTEN:
        _WRITTEN[pattern] = _compiled(pattern, _without_groups())


def _without_groups() -> Any:
    """What is in brackets isn't asked for here, and finding it takes far longer."""
    options = re2.Options()
    options.never_capture = True
    return options


def _compiled(pattern: str, options: Any) -> Any:
    options.log_errors = False
    if _has_any_byte(pattern):
        raise CelError("error parsing regexp: invalid escape sequence: `\\C`")
    try:
        return re2.compile(pattern, options)
    except re2.error as wrong:
        text = wrong.args[0] if wrong.args else ""
        text = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
        raise CelError(f"error parsing regexp: {text}") from None


def _given(pattern: str) -> Any:
    """Give a compiled expression that may be a claim's, or the error that it is none."""
    if pattern not in _GIVEN:
        while len(_GIVEN) >= _KEPT:
            del _GIVEN[next(iter(_GIVEN))]
        options = _without_groups()
        options.max_mem = _MEMORY
        try:
            if len(pattern) > _MOST_GIVEN:
                raise CelError("error parsing regexp: expression too large")
            _GIVEN[pattern] = _compiled(pattern, options)
        except CelError as wrong:
            _GIVEN[pattern] = wrong
    return _GIVEN[pattern]


def _found(pattern: str) -> Any:
    found = _WRITTEN.get(pattern) or _given(pattern)
    if isinstance(found, CelError):
        raise CelError(str(found))
    return found


def _has_any_byte(pattern: str) -> bool:
    """Whether there is a ``\\C``, which cuts characters into bytes, and which Go doesn't have."""
    at = pattern.find("\\")
    while at != -1:
        if pattern[at + 1 : at + 2] == "C":
            return True
        at = pattern.find("\\", at + 2)
    return False


def _matches(text: str, pattern: str) -> bool:
    return _found(pattern).search(text) is not None


def _find(text: str, pattern: str) -> str:
    found = _found(pattern).search(text)
    return "" if found is None else str(found.group())


def _find_all(text: str, pattern: str, most: int = -1) -> GoStrings:
    """Go leaves out an empty match right behind another one."""
    found, end = GoStrings(), -1
    for match in _found(pattern).finditer(text):
        if 0 <= most <= len(found):
            break
        if match.end() > match.start() or match.start() != end:
            found.append(match.group())
        end = match.end()
    return found


def _looking(text: str, pattern: str) -> int:
    """The steps of looking for one match."""
    steps = len(text) // _LOOKED_AT_IN_A_STEP
    if pattern in _WRITTEN:
        return steps
    if pattern not in _GIVEN:
        steps += _TRYING + _TRYING_A_CHARACTER * min(len(pattern), _MOST_GIVEN)
    return steps + len(text) * _size(pattern) // _TRIED_IN_A_STEP


def _looking_for_all(text: str, pattern: str, _: int = -1) -> int:
    """The steps of looking for all matches, each of which may look at all that comes."""
    again = len(text) * len(text) // _LOOKED_AT_AGAIN_IN_A_STEP
    if pattern in _WRITTEN:
        return len(text) // _FOUND_IN_A_STEP + again
    once = _looking(text, pattern)
    return once + len(text) // _FOUND_IN_A_STEP + again * _size(pattern)


def _size(pattern: str) -> int:
    found = _given(pattern)
    return 0 if isinstance(found, CelError) else int(found.programsize)


OVERLOADS = (
    Overload("matches(string, string) -> bool", _matches, known=True, cost=_looking),
    Overload("string.matches(string) -> bool", _matches, known=True, cost=_looking),
    Overload("string.find(string) -> string", _find, cost=_looking),
    Overload("string.findAll(string) -> list<string>", _find_all, cost=_looking_for_all),
    Overload("string.findAll(string, int) -> list<string>", _find_all, cost=_looking_for_all),
)
