"""``'%s'.format([x])``: what a format says, and what it makes of values. Pure.

Numbers look as cel-go has them look: ``1,234.500000``, ``1.234500`` times a power.
https://pkg.go.dev/github.com/google/cel-go/ext#Strings
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from koproxy.cel.functions.conversions import double_text, type_name
from koproxy.cel.functions.strings import quoted
from koproxy.cel.functions.times import duration_text, timestamp_text
from koproxy.cel.overloads import Overload
from koproxy.cel.values import CelError, Duration, Timestamp, TypeValue
from koproxy.cel.weight import weight

MOST_PRECISION = 255

_IN_A_STEP = 10  # characters that are written in a step
_DEFAULT_PRECISION = 6
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NO_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True, slots=True)
class Clause:
    """One place for a value: what is between the percent sign and its letter, and the letter."""

    verb: str
    precision: int | None = None

    @property
    def wanted(self) -> str:
        """Say which values it takes, as cel-go says it."""
        return _WANTED[self.verb]


_WANTED = {
    "s": "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists,"
    " types, durations, and timestamps",
    "d": "decimal clause can only be used on integers",
    "f": "fixed-point clause can only be used on doubles",
    "e": "scientific clause can only be used on doubles",
    "b": "only integers and bools can be formatted as binary",
    "x": "only integers, byte buffers, and strings can be formatted as hex",
    "X": "only integers, byte buffers, and strings can be formatted as hex",
    "o": "octal clause can only be used on integers",
}


def parts(given: str, count: int) -> Iterator[str | Clause]:
    """Take a format for ``count`` values apart; raises ``CelError`` at what is wrong with it."""
    at = used = 0
    while at < len(given):
        percent = given.find("%", at)
        if percent != at:
            end = len(given) if percent == -1 else percent
            yield given[at:end]
            at = end
            continue
        if given[at + 1 : at + 2] == "%":
            yield "%"
            at += 2
            continue
        if used >= count:
            raise CelError(f"index {used} out of range")
        used += 1
        clause, at = _clause(given, at + 1)
        yield clause


def _clause(given: str, at: int) -> tuple[Clause, int]:
    if at >= len(given):
        raise CelError("unexpected end of string")
    precision = None
    where = "could not parse formatting clause"
    if given[at] == ".":
        begin = at = at + 1
        while at < len(given) and given[at] in "0123456789":
            at += 1
        where_precision = f"{where}: error while parsing precision"
        if at >= len(given):
            raise CelError(f"{where_precision}: could not find end of precision specifier")
        digits = given[begin:at]
        if not digits or len(digits) > 9 or int(digits) > MOST_PRECISION:
            raise CelError(
                f"{where_precision}: {digits!r} is no number of digits up to {MOST_PRECISION}"
            )
        precision = int(digits)
    if given[at] not in _WANTED:
        raise CelError(f'{where}: unrecognized formatting clause "{given[at]}"')
    return Clause(given[at], precision), at + 1


def _format(given: str, values: list[Any]) -> str:
    made, rest = [], iter(values)
    for part in parts(given, len(values)):
        made.append(part if isinstance(part, str) else _VERBS[part.verb](part, next(rest)))
    return "".join(made)


def _refused(clause: Clause, value: Any) -> CelError:
    return CelError(f"error during formatting: {clause.wanted}, was given {type_name(value)}")


def _string(clause: Clause, value: Any) -> str:
    match value:
        case str():
            return value
        case float():
            return double_text(value)
    text = _plain(value)
    if text is None:
        raise _refused(clause, value)
    return text


def _plain(value: Any) -> str | None:
    """Write what looks the same by itself and in a list; None for what isn't written."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(int(value))
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                raise CelError("error during formatting: could not convert bytes") from None
        case None:
            return "null"
        case TypeValue():
            return value.name
        case Duration():
            return duration_text(value)
        case Timestamp():
            return timestamp_text(value)
        case list():
            return f"[{', '.join(map(literal, value))}]"
        case dict():
            entries = [(_key(key), literal(each)) for key, each in value.items()]
            entries.sort(key=lambda entry: entry[0].encode())
            return f"{{{', '.join([f'{key}:{each}' for key, each in entries])}}}"
    return None


def literal(value: Any) -> str:
    """Write a value as an expression has it; raises ``CelError`` for what isn't written."""
    match value:
        case str():
            return quoted(value)
        case bytes():
            return f"b{quoted(_plain(value) or '')}"
        case float():
            if not math.isfinite(value):
                return f'"{double_text(value)}"'
            return f"{value:.{_DEFAULT_PRECISION}f}"
        case Duration():
            return f'duration("{duration_text(value)}")'
        case Timestamp():
            return f'timestamp("{timestamp_text(value)}")'
    text = _plain(value)
    if text is None:
        why = f"no formatting function for {type_name(value)}"
        raise CelError(f"error during formatting: {why}")
    return text


def _key(key: Any) -> str:
    return quoted(key) if isinstance(key, str) else _plain(key) or ""


def _decimal(clause: Clause, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refused(clause, value)
    return str(int(value))


def _double(clause: Clause, value: Any) -> float:
    if isinstance(value, str) and value in _NO_NUMBERS:
        return _NO_NUMBERS[value]
    if not isinstance(value, float):
        raise _refused(clause, value)
    return value or 0.0  # a zero has no sign here


def _no_number(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    return "∞" if number > 0 else "-∞"


def _fixed(clause: Clause, value: Any) -> str:
    number = _double(clause, value)
    precision = _DEFAULT_PRECISION if clause.precision is None else clause.precision
    return f"{number:,.{precision}f}" if math.isfinite(number) else _no_number(number)


def _scientific(clause: Clause, value: Any) -> str:
    """What is written as a precision is a width here: cel-go has it so."""
    number = _double(clause, value)
    width = _DEFAULT_PRECISION if clause.precision is None else clause.precision
    if not math.isfinite(number):
        return _no_number(number).rjust(width)
    figures, _, exponent = f"{number:.{_DEFAULT_PRECISION}e}".partition("e")
    power = f"{'-' if exponent.startswith('-') else ''}{exponent[1:]}".translate(_SUPERSCRIPT)
    return f"{figures}\u00d710{power}".rjust(width)


def _binary(clause: Clause, value: Any) -> str:
    if not isinstance(value, int):
        raise _refused(clause, value)
    return f"{int(value):b}"


def _hexadecimal(clause: Clause, value: Any) -> str:
    match value:
        case bool():
            raise _refused(clause, value)
        case int():
            text = f"{int(value):x}"
        case str():
            text = value.encode().hex()
        case bytes():
            text = value.hex()
        case _:
            raise _refused(clause, value)
    return text.upper() if clause.verb == "X" else text


def _octal(clause: Clause, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refused(clause, value)
    return f"{int(value):o}"


_VERBS: dict[str, Callable[[Clause, Any], str]] = {
    "s": _string,
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    "b": _binary,
    "x": _hexadecimal,
    "X": _hexadecimal,
    "o": _octal,
}


OVERLOADS = (
    Overload(
        "string.format(list<dyn>) -> string",
        _format,
        cost=lambda given, values: len(given) // _IN_A_STEP + weight(values, _IN_A_STEP),
    ),
)
