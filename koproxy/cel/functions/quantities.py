"""Kubernetes' quantities: ``quantity('1.5Gi')``. Pure.

Whether one is an integer depends on how Kubernetes keeps it: as 64 bits and a power of ten if it
was written so that this is enough, else as a decimal of any size, which is never an integer.
https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library
"""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from koproxy.cel.functions.regex import compiled
from koproxy.cel.overloads import Overload
from koproxy.cel.values import CelError

_WRITTEN = r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)"
_EXPONENT = "[eE]([+-]?[0-9]+)"
_FORMAT = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
_DECIMAL = {"": 0, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_NANO = -9
_MOST_DIGITS = 18  # that surely have room in 64 bits
_MOST_BINARY_DIGITS = 14
_LARGEST = (1 << 63) - 1
_LEAST = -(1 << 63)
_MOST_TEXT = 1000  # characters; a larger number is nobody's quantity
_MOST_SCALE = 1000  # powers of ten that are written out as digits


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """``value`` times ten to the power of ``scale``; ``small`` if it is kept in 64 bits.

    What a sum gives is ``by_reference`` in Kubernetes, where nothing can be said to be the same as
    it is.
    """

    type_name: ClassVar[str] = "kubernetes.Quantity"

    value: int
    scale: int
    small: bool
    by_reference: bool = False

    def __eq__(self, other: object) -> bool:
        """Say whether the other one is as much, however it is kept."""
        return isinstance(other, Quantity) and compare(self, other) == 0

    __hash__ = None  # type: ignore[assignment]


def read_quantity(text: str) -> Quantity:
    """Read a quantity as Kubernetes' ParseQuantity does; raises ``CelError``."""
    match = compiled(_WRITTEN).fullmatch(text) if 0 < len(text) <= _MOST_TEXT else None
    if match is None:
        raise CelError(_FORMAT)
    sign, whole, fraction, suffix = match[1], match[2] or "0", match[3] or "", match[4]
    value = int(whole + fraction)
    if sign == "-":
        value = -value
    digits = len(whole) + len(fraction)
    is_there = any(character in "0123456789" for character in text[: match.start(4)])
    if suffix in _BINARY:
        power = _BINARY[suffix]
        made = value << power
        room = _MOST_BINARY_DIGITS - power * 3 // 10
        if not fraction and len(whole) <= room and abs(made) <= _LARGEST:
            return Quantity(made, 0, True)
        found = _rounded(made, -len(fraction), is_there)
        largest = _LARGEST if value > 0 else -_LARGEST
        capped = Quantity(largest, 0, False)
        return capped if compare(_positive(found), _positive(capped)) > 0 else found
    scale = _cut(_scale(suffix) - len(fraction))
    if digits <= _MOST_DIGITS and scale >= _NANO:
        return Quantity(value, scale, True)
    return _rounded(value, scale, is_there)


def _scale(suffix: str) -> int:
    if suffix in _DECIMAL:
        return _DECIMAL[suffix]
    match = compiled(_EXPONENT).fullmatch(suffix)
    if match is None or not _LEAST <= int(match[1]) <= _LARGEST:
        raise CelError("unable to parse quantity's suffix")
    return _cut(int(match[1]))


def _cut(scale: int) -> int:
    """What Go makes of a scale, which has 32 bits there."""
    return ((scale + (1 << 31)) % (1 << 32)) - (1 << 31)


def _rounded(value: int, scale: int, is_there: bool) -> Quantity:
    """Keep nine digits behind the point, away from nothing: what is wanted is never none."""
    if not is_there or (value and scale > _MOST_SCALE):
        raise CelError("unable to parse numeric part of quantity")
    if value == 0:
        return Quantity(0, scale, False)
    if scale >= _NANO:
        return Quantity(value * 10 ** (scale - _NANO), _NANO, False)
    gone = _NANO - scale
    if gone > _length(value):
        return Quantity(1 if value > 0 else -1, _NANO, False)
    kept = -(-abs(value) // 10**gone)
    return Quantity(kept if value > 0 else -kept, _NANO, False)


def _length(value: int) -> int:
    """Count the digits, of which Python writes out no more than some thousands."""
    size = abs(value)
    most = size.bit_length() * 30103 // 100000 + 1
    return most - 1 if size < 10 ** (most - 1) else most


def _positive(quantity: Quantity) -> Quantity:
    return Quantity(abs(quantity.value), quantity.scale, quantity.small)


def compare(one: Quantity, other: Quantity) -> int:
    """Say which of two is less: -1, 0 or 1; large powers of ten are not written out."""
    signs = [(each.value > 0) - (each.value < 0) for each in (one, other)]
    if signs[0] != signs[1]:
        return 1 if signs[0] > signs[1] else -1
    if signs[0] == 0:
        return 0
    lengths = [_length(each.value) + each.scale for each in (one, other)]
    if lengths[0] != lengths[1]:
        return signs[0] if lengths[0] > lengths[1] else -signs[0]
    first, second = _aligned(one, other)
    return (first > second) - (first < second)


def _aligned(one: Quantity, other: Quantity) -> tuple[int, int]:
    """Give the two values for the lesser of the two scales."""
    least = min(one.scale, other.scale)
    return int(one.value * 10 ** (one.scale - least)), int(
        other.value * 10 ** (other.scale - least)
    )


def _added(one: Quantity, other: Quantity) -> Quantity:
    if one.small and other.small and not (one.value and other.value):
        return replace(one if one.value else other if other.value else one, by_reference=True)
    least = min(one.scale, other.scale)
    if max(one.scale, other.scale) - least > _MOST_SCALE:
        raise CelError("the quantities differ by too much to be added")
    first, second = _aligned(one, other)
    fits = all(_LEAST <= each <= _LARGEST for each in (first, second, first + second))
    small = one.small and other.small and fits
    return Quantity(first + second, least, small, by_reference=True)


def _subtracted(one: Quantity, other: Quantity) -> Quantity:
    """The least integer of 64 bits has no opposite there, and Go takes itself for it."""
    if one.small and other.small and other.value == _LEAST:
        found = _added(one, other)
        if found.small:
            return found
    return _added(one, _negative(other))


def _negative(quantity: Quantity) -> Quantity:
    return Quantity(-quantity.value, quantity.scale, quantity.small)


def _integer(quantity: Quantity) -> int | None:
    """The integer that it is; also 1000m or 1.0 is none, as Kubernetes keeps it."""
    if not quantity.small or quantity.scale < 0:
        return None
    if quantity.value and quantity.scale > _MOST_DIGITS:
        return None
    value = quantity.value * 10**quantity.scale if quantity.value else 0
    return value if _LEAST <= value <= _LARGEST else None


def _as_integer(quantity: Quantity) -> int:
    value = _integer(quantity)
    if value is None:
        raise CelError("cannot convert value to integer")
    return value


def _as_double(quantity: Quantity) -> float:
    try:
        base = float(quantity.value)
    except OverflowError:
        base = math.inf if quantity.value > 0 else -math.inf
    return base if quantity.scale == 0 else base * _power(quantity.scale)


def _power(scale: int) -> float:
    """A power of ten as Go's math has it: of two factors, the last bit may differ from 1e33."""
    if scale > 308:
        return math.inf
    if scale < -323:
        return 0.0
    by_32, rest = divmod(abs(scale), 32)
    if scale >= 0:
        return float(f"1e{by_32 * 32}") * float(f"1e{rest}")
    return float(f"1e-{by_32 * 32}") / float(f"1e{rest}")


def _is_quantity(text: str) -> bool:
    try:
        read_quantity(text)
    except CelError:
        return False
    return True


def _int(number: int) -> Quantity:
    return Quantity(number, 0, True)


_Q = "kubernetes.Quantity"
OVERLOADS: tuple[Overload, ...] = (
    Overload(f"quantity(string) -> {_Q}", read_quantity),
    Overload("isQuantity(string) -> bool", _is_quantity),
    Overload(f"sign({_Q}) -> int", lambda one: (one.value > 0) - (one.value < 0)),
    Overload(f"{_Q}.isGreaterThan({_Q}) -> bool", lambda one, other: compare(one, other) > 0),
    Overload(f"{_Q}.isLessThan({_Q}) -> bool", lambda one, other: compare(one, other) < 0),
    Overload(f"{_Q}.compareTo({_Q}) -> int", compare),
    Overload(f"{_Q}.asInteger() -> int", _as_integer),
    Overload(f"{_Q}.isInteger() -> bool", lambda one: _integer(one) is not None),
    Overload(f"{_Q}.asApproximateFloat() -> double", _as_double),
    Overload(f"{_Q}.add({_Q}) -> {_Q}", _added),
    Overload(f"{_Q}.add(int) -> {_Q}", lambda one, number: _added(one, _int(number))),
    Overload(f"{_Q}.sub({_Q}) -> {_Q}", _subtracted),
    Overload(f"{_Q}.sub(int) -> {_Q}", lambda one, number: _subtracted(one, _int(number))),
)
