"""Regular expressions over strings, by RE2, which takes time linear in what it looks at. Pure.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library
"""

from functools import lru_cache
from typing import Any

import re2

from koproxy.cel.overloads import Overload
from koproxy.cel.values import CelError, GoStrings

_KEPT = 256  # compiled expressions; a token can bring its own, and pushes out older ones


@lru_cache(maxsize=_KEPT)
def compiled(pattern: str) -> Any:
    """Compile a regular expression of RE2's; raises ``CelError``."""
    options = re2.Options()
    options.log_errors = False
    if _has_any_byte(pattern):
        raise CelError("error parsing regexp: invalid escape sequence: `\\C`")
    try:
        return re2.compile(pattern, options)
    except re2.error as wrong:
        text = wrong.args[0] if wrong.args else ""
        text = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
        raise CelError(f"error parsing regexp: {text}") from None


def _has_any_byte(pattern: str) -> bool:
    """Whether there is a ``\\C``, which cuts characters into bytes, and which Go doesn't have."""
    at = pattern.find("\\")
    while at != -1:
        if pattern[at + 1 : at + 2] == "C":
            return True
        at = pattern.find("\\", at + 2)
    return False


def _matches(text: str, pattern: str) -> bool:
    return compiled(pattern).search(text) is not None


def _find(text: str, pattern: str) -> str:
    found = compiled(pattern).search(text)
    return "" if found is None else str(found.group())


def _find_all(text: str, pattern: str, most: int = -1) -> GoStrings:
    """Go leaves out an empty match right behind another one."""
    found, end = GoStrings(), -1
    for match in compiled(pattern).finditer(text):
        if 0 <= most <= len(found):
            break
        if match.end() > match.start() or match.start() != end:
            found.append(match.group())
        end = match.end()
    return found


OVERLOADS = (
    Overload("matches(string, string) -> bool", _matches, known=True),
    Overload("string.matches(string) -> bool", _matches, known=True),
    Overload("string.find(string) -> string", _find),
    Overload("string.findAll(string) -> list<string>", _find_all),
    Overload("string.findAll(string, int) -> list<string>", _find_all),
)
