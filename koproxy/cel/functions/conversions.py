"""From one type to another: ``int("1")``, ``string(1.5)``, ``type(x)``. Pure.

What Go's ``strconv`` reads and writes is read and written here.
https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions
"""

import math
import re
from decimal import Decimal
from typing import Any, NoReturn

from koproxy.cel.functions.operators import (
    INT_OVERFLOW,
    UINT_OVERFLOW,
    int_of,
    timestamp_of,
    uint_of,
)
from koproxy.cel.functions.times import (
    duration_text,
    read_duration,
    read_timestamp,
    timestamp_text,
)
from koproxy.cel.overloads import Overload
from koproxy.cel.values import CelError, Duration, Optional, Timestamp, TypeValue, UInt

_WHOLE = re.compile("[+-]?[0-9]+")
_UNSIGNED = re.compile("[0-9]+")
_MOST_DIGITS = 400  # of a whole number: more could only be zeros in front, and cost time
_READ_IN_A_STEP = 5  # characters of a duration
# No two parts of these can take the same characters, so that they are linear.
_DECIMAL = re.compile(r"[+-]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?")
_HEXADECIMAL = re.compile(
    r"[+-]?0[xX]_?(?:[0-9a-fA-F][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?|\.[0-9a-fA-F][0-9a-fA-F_]*)"
    r"[pP][+-]?[0-9_]+"
)
_NO_NUMBER = re.compile("[+-]?inf(?:inity)?|nan", re.IGNORECASE | re.ASCII)
_LONE = re.compile("(?<![0-9])_|_(?![0-9])")
_LONE_HEXADECIMAL = re.compile("(?<![0-9a-fA-FxX])_|_(?![0-9a-fA-F])")
_TRUE = frozenset(["1", "t", "T", "true", "TRUE", "True"])
_FALSE = frozenset(["0", "f", "F", "false", "FALSE", "False"])
_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (UInt, "uint"),
    (int, "int"),
    (float, "double"),
    (str, "string"),
    (bytes, "bytes"),
    (list, "list"),
    (dict, "map"),
    (Duration, "google.protobuf.Duration"),
    (Timestamp, "google.protobuf.Timestamp"),
    (Optional, "optional_type"),
    (TypeValue, "type"),
    (type(None), "null_type"),
)
TYPES = frozenset([name for _, name in _TYPES] + ["net.IP", "net.CIDR"])
"""The types that an expression can name."""


def type_name(value: Any) -> str:
    """Give the name of a value's type, as errors and ``type(value)`` have it."""
    for type_, name in _TYPES:
        if isinstance(value, type_):
            return name
    return str(value.type_name)


def double_text(value: float) -> str:
    """Write a double as Go's ``%g`` does: the fewest digits that give it back."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    if not isinstance(exponent, int):
        raise TypeError("a finite number has an exponent")
    minus, figures = "-" if sign else "", "".join(map(str, digits))
    leading = exponent + len(figures) - 1
    if value == 0:
        return f"{minus}0"
    if leading < -4 or leading > 5:
        point = "." if len(figures) > 1 else ""
        return f"{minus}{figures[0]}{point}{figures[1:]}e{leading:+03d}"
    return f"{minus}{Decimal(repr(abs(value))).normalize():f}"


def _wrong(from_: str, to: str) -> NoReturn:
    raise CelError(f"type conversion error from '{from_}' to '{to}'")


def _read_int(text: str) -> int:
    if _WHOLE.fullmatch(text) is None or len(text) > _MOST_DIGITS:
        _wrong("string", "int")
    number = int(text)
    if not -(1 << 63) <= number < 1 << 63:
        _wrong("string", "int")
    return number


def _read_uint(text: str) -> UInt:
    if _UNSIGNED.fullmatch(text) is None or len(text) > _MOST_DIGITS or int(text) >= 1 << 64:
        _wrong("string", "uint")
    return UInt(text)


def _read_double(text: str) -> float:
    if _NO_NUMBER.fullmatch(text):
        return float(text)
    try:
        if _DECIMAL.fullmatch(text) and not _LONE.search(text):
            number = float(text.replace("_", ""))
        elif _HEXADECIMAL.fullmatch(text) and not _LONE_HEXADECIMAL.search(text):
            number = float.fromhex(text.replace("_", ""))
        else:
            _wrong("string", "double")
    except (OverflowError, ValueError):
        _wrong("string", "double")
    if math.isinf(number):
        _wrong("string", "double")
    return number


def _read_bool(text: str) -> bool:
    if text not in _TRUE and text not in _FALSE:
        _wrong("string", "bool")
    return text in _TRUE


def _whole(number: float) -> int:
    if not -(2.0**63) < number < 2.0**63:
        raise CelError(INT_OVERFLOW)
    return int(number)


def _unsigned(number: float) -> UInt:
    if not 0 <= number < 2.0**64:
        raise CelError(UINT_OVERFLOW)
    return UInt(number)


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise CelError("invalid UTF-8 in bytes, cannot convert to string") from None


def _encoded(text: str) -> bytes:
    return text.encode()


def _no_duration(number: int) -> NoReturn:
    """The checker takes a number; cel-go has no conversion for it."""
    _wrong(type_name(number), "google.protobuf.Duration")


def _same(value: Any) -> Any:
    return value


OVERLOADS = (
    Overload("dyn(A) -> dyn", _same, known=True),
    Overload("type(A) -> type<A>", lambda value: TypeValue(type_name(value)), known=True),
    Overload("bool(bool) -> bool", _same, known=True),
    Overload("bool(string) -> bool", _read_bool, known=True),
    Overload("bytes(bytes) -> bytes", _same, known=True),
    Overload("bytes(string) -> bytes", _encoded, known=True),
    Overload("double(double) -> double", _same, known=True),
    Overload("double(int) -> double", float, known=True),
    Overload("double(string) -> double", _read_double, known=True),
    Overload("double(uint) -> double", float, known=True),
    Overload("duration(duration) -> duration", _same, known=True),
    Overload("duration(int) -> duration", _no_duration, known=True),
    Overload(
        "duration(string) -> duration",
        read_duration,
        known=True,
        cost=lambda text: len(text) // _READ_IN_A_STEP,
    ),
    Overload("int(int) -> int", _same, known=True),
    Overload("int(double) -> int", _whole, known=True),
    Overload("int(duration) -> int", lambda value: value.nanoseconds, known=True),
    Overload("int(string) -> int", _read_int, known=True),
    Overload("int(timestamp) -> int", lambda value: value.nanoseconds // 10**9, known=True),
    Overload("int(uint) -> int", lambda value: int_of(int(value)), known=True),
    Overload("string(string) -> string", _same, known=True),
    Overload("string(bool) -> string", lambda value: str(value).lower(), known=True),
    Overload("string(bytes) -> string", _decoded, known=True),
    Overload("string(double) -> string", double_text, known=True),
    Overload("string(duration) -> string", duration_text, known=True),
    Overload("string(int) -> string", str, known=True),
    Overload("string(timestamp) -> string", timestamp_text, known=True),
    Overload("string(uint) -> string", lambda value: str(int(value)), known=True),
    Overload("timestamp(timestamp) -> timestamp", _same, known=True),
    Overload("timestamp(int) -> timestamp", lambda value: timestamp_of(value * 10**9), known=True),
    Overload("timestamp(string) -> timestamp", read_timestamp, known=True),
    Overload("uint(uint) -> uint", _same, known=True),
    Overload("uint(double) -> uint", _unsigned, known=True),
    Overload("uint(int) -> uint", uint_of, known=True),
    Overload("uint(string) -> uint", _read_uint, known=True),
)
