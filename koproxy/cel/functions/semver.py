"""Semantic versions: ``semver('1.2.3')``, and with true leniently written ones. Pure.

https://semver.org/spec/v2.0.0.html,
https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-semver-library
"""

from dataclasses import dataclass
from typing import ClassVar

from koproxy.cel.functions.strings import quoted
from koproxy.cel.overloads import Overload
from koproxy.cel.values import CelError

_LARGEST = (1 << 64) - 1
_MOST_DIGITS = 20
_MOST_TEXT = 1000  # characters; a longer one is nobody's version
_MOST_SHOWN = 100  # characters of what is wrong

Part = tuple[int, int, str]
"""One of what comes before a release: numbers come before words."""


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A version; what was built of it is no part of it."""

    type_name: ClassVar[str] = "kubernetes.Semver"

    core: tuple[int, int, int]
    before: tuple[Part, ...]

    def compare(self, other: "Version") -> int:
        """Say which comes first: -1, 0 or 1."""
        if self.core != other.core:
            return 1 if self.core > other.core else -1
        if not self.before or not other.before:  # a release comes after what came before it
            return (not self.before) - (not other.before)
        return (self.before > other.before) - (self.before < other.before)

    def __eq__(self, other: object) -> bool:
        """Say whether neither comes first."""
        return isinstance(other, Version) and self.compare(other) == 0

    __hash__ = None  # type: ignore[assignment]


def read_version(text: str, lenient: bool = False) -> Version:
    """Read a version; leniently without all of its numbers, with a v and with zeros before them.

    Raises ``CelError``.
    """
    if len(text) > _MOST_TEXT:
        raise CelError("Version string too long")
    if lenient:
        text = _normalized(text)
    if not text:
        raise CelError("Version string empty")
    parts = text.split(".", 2)
    if len(parts) != 3:
        raise CelError("No Major.Minor.Patch elements found")
    rest, plus, build = parts[2].partition("+")
    patch, minus, before = rest.partition("-")
    numbers = [
        _number(name, part)
        for name, part in zip(("major", "minor", "patch"), (*parts[:2], patch), strict=True)
    ]
    found = tuple(map(_part, before.split("."))) if minus else ()
    for part in build.split(".") if plus else ():
        if not part:
            raise CelError("Build meta data is empty")
        if not _is_word(part):
            raise CelError(f"Invalid character(s) found in build meta data {_shown(part)}")
    return Version((numbers[0], numbers[1], numbers[2]), found)


def _normalized(text: str) -> str:
    parts = text.removeprefix("v").split(".", 2)
    for at, part in enumerate(parts):
        if len(part.encode()) > 1:
            stripped = part.lstrip("0")
            parts[at] = stripped if stripped[:1] in "0123456789" and stripped else f"0{stripped}"
    if len(parts) < 3 and any(character in parts[-1] for character in "+-"):
        raise CelError("short version cannot contain PreRelease/Build meta data")
    return ".".join([*parts, "0", "0"][:3])


def _number(name: str, text: str) -> int:
    if text and not _is_number(text):
        raise CelError(f"Invalid character(s) found in {name} number {_shown(text)}")
    if _begins_with_zero(text):
        raise CelError(f"{name.title()} number must not contain leading zeroes {_shown(text)}")
    return _parsed(text)


def _part(text: str) -> Part:
    if not text:
        raise CelError("Prerelease is empty")
    if not _is_number(text):
        if not _is_word(text):
            raise CelError(f"Invalid character(s) found in prerelease {_shown(text)}")
        return 1, 0, text
    if _begins_with_zero(text):
        shown = _shown(text)
        raise CelError(f"Numeric PreRelease version must not contain leading zeroes {shown}")
    return 0, _parsed(text), ""


def _parsed(text: str) -> int:
    if not text:
        raise CelError('strconv.ParseUint: parsing "": invalid syntax')
    if len(text) > _MOST_DIGITS or int(text) > _LARGEST:
        raise CelError(f"strconv.ParseUint: parsing {_shown(text)}: value out of range")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_word(text: str) -> bool:
    return text.isascii() and text.replace("-", "a").isalnum()


def _begins_with_zero(text: str) -> bool:
    return len(text) > 1 and text.startswith("0")


def _shown(text: str) -> str:
    return quoted(text[:_MOST_SHOWN])


def _signed(number: int) -> int:
    """What Go makes of an unsigned number where it wants a signed one."""
    return number - (1 << 64) if number >> 63 else number


def _is_version(text: str, lenient: bool = False) -> bool:
    try:
        read_version(text, lenient)
    except CelError:
        return False
    return True


_S = "kubernetes.Semver"
OVERLOADS = (
    Overload(f"semver(string) -> {_S}", read_version),
    Overload(f"semver(string, bool) -> {_S}", read_version),
    Overload("isSemver(string) -> bool", _is_version),
    Overload("isSemver(string, bool) -> bool", _is_version),
    Overload(f"{_S}.isGreaterThan({_S}) -> bool", lambda one, other: one.compare(other) > 0),
    Overload(f"{_S}.isLessThan({_S}) -> bool", lambda one, other: one.compare(other) < 0),
    Overload(f"{_S}.compareTo({_S}) -> int", Version.compare),
    Overload(f"{_S}.major() -> int", lambda one: _signed(one.core[0])),
    Overload(f"{_S}.minor() -> int", lambda one: _signed(one.core[1])),
    Overload(f"{_S}.patch() -> int", lambda one: _signed(one.core[2])),
)
