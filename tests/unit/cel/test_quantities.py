"""Quantities in expressions, as kube-apiserver has been seen to reckon with them."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koproxy.cel.functions.equality import equal
from koproxy.cel.functions.quantities import OVERLOADS
from koproxy.cel.overloads import Functions
from koproxy.cel.values import CelError

FUNCTIONS = Functions(OVERLOADS)
LEAST = -(2**63)
LARGEST = 2**63 - 1
POWERS = {"": 0, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
INTEGERS = st.integers(-(10**6), 10**6) | st.integers(LEAST, LARGEST)
WRITTEN = st.builds("{}{}".format, st.integers(-(10**8), 10**8), st.sampled_from(sorted(POWERS)))
ODD = st.text("0123456789+-.eEinumkKMGTP", max_size=12) | st.text(max_size=5)


def call(name: str, *values: Any) -> Any:
    return FUNCTIONS.find(name, values).function(*values)


def quantity(text: str) -> Any:
    return call("quantity", text)


def nanos(text: str) -> int:
    number = text.rstrip("numkMGTPE")
    return int(int(number) * 10 ** (POWERS[text[len(number) :]] + 9))


@pytest.mark.parametrize(
    ("text", "integer"),
    [
        ("0", 0),
        ("1.5G", 1_500_000_000),
        ("150k", 150_000),
        ("1Mi", 1_048_576),
        ("-3Ki", -3072),
        ("3Gi", 3_221_225_472),
        ("3Ti", 3_298_534_883_328),
        ("3k", 3_000),
        ("3M", 3_000_000),
        ("3T", 3_000_000_000_000),
        ("3P", 3_000_000_000_000_000),
        ("3E", 3_000_000_000_000_000_000),
        ("9e18", 9 * 10**18),
        ("1e00000000000000000000001", 10),
        ("1e4294967297", 10),
        ("+", 0),
        (".", 0),
        ("Ki", 0),
        ("5.", 5),
    ],
)
def test_which_are_integers(text: str, integer: int) -> None:
    assert call("isQuantity", text) is True
    assert call("isInteger", quantity(text)) is True
    assert call("asInteger", quantity(text)) == integer


@pytest.mark.parametrize(
    "text", ["1000m", "1.0", "1.5Gi", "7Ei", "10e18", "1e999999999", "9223372036854775807"]
)
def test_which_are_none_as_they_are_kept(text: str) -> None:
    assert call("isInteger", quantity(text)) is False
    with pytest.raises(CelError, match=r"^cannot convert value to integer$"):
        call("asInteger", quantity(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must match the regular expression"),
        ("1,3G", "must match the regular expression"),
        ("1 ", "must match the regular expression"),
        ("1.2.3", "must match the regular expression"),
        ("1Kib", "must match the regular expression"),
        ("\u0661", "must match the regular expression"),
        ("1\n", "must match the regular expression"),
        ("0" * 100_000 + "x", "must match the regular expression"),
        ("9" * 100_000, "must match the regular expression"),
        ("200K", "^unable to parse quantity's suffix$"),
        ("--1", "^unable to parse quantity's suffix$"),
        ("1kk", "^unable to parse quantity's suffix$"),
        ("1e", "^unable to parse quantity's suffix$"),
        ("1e9223372036854775808", "^unable to parse quantity's suffix$"),
        ("1234567890123456789e999999999", "^unable to parse numeric part of quantity$"),
    ],
)
def test_what_is_no_quantity(text: str, said: str) -> None:
    assert call("isQuantity", text) is False
    with pytest.raises(CelError, match=said):
        quantity(text)


@pytest.mark.parametrize(
    ("text", "double"),
    [
        (".5", 0.5),
        ("-250m", -0.25),
        ("1.5Gi", 1_610_612_736.0),
        ("3Pi", 3_377_699_720_527_872.0),
        ("3Ei", 3_458_764_513_820_540_928.0),
        ("3u", 3e-06),
        ("0.1n", 1e-09),
        ("-0.1n", -1e-09),
        ("1e-30", 1e-09),
        ("1e-999999999", 1e-09),
        ("99Ei", 9.223372036854776e18),
        ("-99Ei", -9.223372036854776e18),
        ("7e33", 7e33),
        ("1e59", 1.0000000000000001e59),
        ("68946024858794148602e281", math.inf),
        ("-50975944839347857049e290", -math.inf),
        ("1e999999999", math.inf),
    ],
)
def test_them_as_doubles(text: str, double: float) -> None:
    assert call("asApproximateFloat", quantity(text)) == double


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [
        ("200M", "0.2G", 0),
        ("50M", "50Mi", -1),
        ("1Gi", "1024Mi", 0),
        ("0", "-0m", 0),
        ("0.1n", "1n", 0),
        ("-1k", "1m", -1),
        ("-1k", "-1M", 1),
        ("1e999999999", "9e999999998", 1),
        ("1e999999999", "-1", 1),
        ("-1e999999999", "-1", -1),
    ],
)
def test_their_order(one: str, other: str, order: int) -> None:
    assert call("compareTo", quantity(one), quantity(other)) == order
    assert call("compareTo", quantity(other), quantity(one)) == -order
    assert call("isLessThan", quantity(one), quantity(other)) is (order < 0)
    assert call("isGreaterThan", quantity(one), quantity(other)) is (order > 0)
    assert equal(quantity(one), quantity(other)) is (order == 0)


@pytest.mark.parametrize(("text", "sign"), [("-0.1n", -1), ("0Gi", 0), ("3m", 1)])
def test_their_signs(text: str, sign: int) -> None:
    assert call("sign", quantity(text)) == sign


def test_sums() -> None:
    added = call("sub", call("add", quantity("50k"), 20), quantity("100k"))
    assert call("asInteger", call("sub", added, -50000)) == 20
    assert call("isInteger", call("add", quantity("0.5"), quantity("0.5"))) is False
    assert call("asApproximateFloat", call("add", quantity("1"), quantity("0.5"))) == 1.5
    huge = call("add", quantity("9e18"), quantity("9e18"))
    assert call("isInteger", huge) is False
    assert call("asApproximateFloat", huge) == 1.8e19


def test_that_the_least_integer_has_no_opposite() -> None:
    assert call("asInteger", call("sub", quantity("1"), LEAST)) == LEAST + 1
    assert call("asInteger", call("sub", quantity("0"), LEAST)) == LEAST
    assert call("asInteger", call("add", quantity("0"), LEAST)) == LEAST
    exact = call("sub", quantity("-1"), LEAST)
    assert call("isInteger", exact) is False
    assert call("compareTo", exact, quantity("9223372036854775807")) == 0


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("0", 2), ("2", 0)])
def test_that_nothing_is_the_same_as_a_sum(text: str, number: int) -> None:
    added = call("add", quantity(text), number)
    assert equal(added, quantity("2")) is True
    with pytest.raises(CelError, match=r"^no such overload$"):
        equal(quantity("2"), added)


def test_a_sum_of_more_digits_than_python_writes() -> None:
    added = quantity("1e5000")
    for power in (4000, 3000, 2000, 1000, 0):
        added = call("add", added, quantity(f"1e{power}"))
    assert call("compareTo", added, quantity("1e5000")) == 1
    assert call("compareTo", added, quantity("1e5001")) == -1
    assert call("asApproximateFloat", added) == math.inf


def test_that_a_sum_of_too_many_digits_fails() -> None:
    with pytest.raises(CelError, match="differ by too much"):
        call("add", quantity("1e999999999"), 1)


@given(ODD)
def test_any_text_is_a_quantity_or_none(text: str) -> None:
    try:
        found = quantity(text)
    except CelError:
        assert call("isQuantity", text) is False
        return
    assert call("isQuantity", text) is True
    assert call("compareTo", found, found) == 0
    assert isinstance(call("asApproximateFloat", found), float)
    if call("isInteger", found):
        assert LEAST <= call("asInteger", found) <= LARGEST


@given(WRITTEN, WRITTEN)
def test_they_are_as_much_as_is_written(one: str, other: str) -> None:
    first, second = nanos(one), nanos(other)
    order = (first > second) - (first < second)
    assert call("compareTo", quantity(one), quantity(other)) == order
    assert call("sign", quantity(one)) == (first > 0) - (first < 0)
    added = call("add", quantity(one), quantity(other))
    assert call("compareTo", added, quantity(f"{first + second}n")) == 0
    assert call("compareTo", call("sub", added, quantity(other)), quantity(one)) == 0


@given(WRITTEN, INTEGERS.filter(lambda number: number != LEAST))
def test_integers_are_added_and_taken_away(text: str, number: int) -> None:
    added = call("add", quantity(text), number)
    assert call("compareTo", call("sub", added, number), quantity(text)) == 0
    assert call("compareTo", added, call("add", quantity(text), quantity(str(number)))) == 0
