"""Semantic versions in expressions, as kube-apiserver has been seen to read them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koproxy.cel.functions.equality import equal
from koproxy.cel.functions.semver import OVERLOADS
from koproxy.cel.overloads import Functions
from koproxy.cel.values import CelError

FUNCTIONS = Functions(OVERLOADS)
ORDERED = (
    "0.0.0-0",
    "0.0.0",
    "0.9.10",
    "1.0.0-1",
    "1.0.0-2",
    "1.0.0-10",
    "1.0.0--",
    "1.0.0-A",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.1.0",
    "1.0.0-alpha.beta",
    "1.0.0-alpha-1",
    "1.0.0-beta",
    "1.0.0",
    "1.0.1",
    "1.10.0",
    "2.0.0",
    "18446744073709551615.0.0",
)
ODD = st.text("0123456789.-+vab", max_size=12) | st.text(max_size=6)
NUMBERS = st.integers(0, 2**64 - 1)


def call(name: str, *values: Any) -> Any:
    return FUNCTIONS.find(name, values).function(*values)


def semver(text: str) -> Any:
    return call("semver", text)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1.2.3", (1, 2, 3)),
        ("0.0.0", (0, 0, 0)),
        ("1.2.3-rc.1+b.005", (1, 2, 3)),
        ("1.2.3+b-a", (1, 2, 3)),
        ("18446744073709551615.9223372036854775808.9223372036854775807", (-1, -(2**63), 2**63 - 1)),
    ],
)
def test_what_is_a_version(text: str, numbers: tuple[int, int, int]) -> None:
    assert call("isSemver", text) is call("isSemver", text, False) is True
    assert tuple([call(name, semver(text)) for name in ("major", "minor", "patch")]) == numbers


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Version string empty"),
        ("1.2", "No Major.Minor.Patch elements found"),
        ("v1.2.3", 'Invalid character(s) found in major number "v1"'),
        ("\u0661.2.3", 'Invalid character(s) found in major number "\u0661"'),
        ("01.2.3", 'Major number must not contain leading zeroes "01"'),
        ("1.02.3", 'Minor number must not contain leading zeroes "02"'),
        ("1..3", 'strconv.ParseUint: parsing "": invalid syntax'),
        ("1.2.3.4", 'Invalid character(s) found in patch number "3.4"'),
        ("1.2.3\n", 'Invalid character(s) found in patch number "3\\n"'),
        (
            "18446744073709551616.0.0",
            'strconv.ParseUint: parsing "18446744073709551616": value out of range',
        ),
        ("1.2.3-", "Prerelease is empty"),
        ("1.2.3-a..b", "Prerelease is empty"),
        ("1.2.3-01", 'Numeric PreRelease version must not contain leading zeroes "01"'),
        ("1.2.3-a_b", 'Invalid character(s) found in prerelease "a_b"'),
        ("1.2.3+", "Build meta data is empty"),
        ("1.2.3+a_b", 'Invalid character(s) found in build meta data "a_b"'),
        ("1.2.3-01+a_b", 'Numeric PreRelease version must not contain leading zeroes "01"'),
    ],
)
def test_what_is_none(text: str, said: str) -> None:
    assert call("isSemver", text) is call("isSemver", text, False) is False
    for values in ((text,), (text, False)):
        with pytest.raises(CelError) as failure:
            call("semver", *values)
        assert str(failure.value) == said


@pytest.mark.parametrize(
    ("text", "strict"),
    [
        ("v1.2.3", "1.2.3"),
        ("1.2", "1.2.0"),
        ("v1", "1.0.0"),
        ("v01.2", "1.2.0"),
        ("0001", "1.0.0"),
        ("v00.0", "0.0.0"),
        ("1.2.003-rc", "1.2.3-rc"),
        ("1.2.3-rc+5", "1.2.3-rc"),
    ],
)
def test_what_is_one_leniently(text: str, strict: str) -> None:
    assert call("isSemver", text, True) is True
    assert equal(call("semver", text, True), semver(strict)) is True


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "^strconv.ParseUint: parsing"),
        ("v", "^strconv.ParseUint: parsing"),
        ("1.2-rc", "^short version cannot contain PreRelease/Build meta data$"),
        (" 1.2.3", 'major number "0 1"$'),
        ("vv1.2.3", 'major number "0v1"$'),
        ("1.2.\u0661", 'patch number "0\u0661"$'),
        ("1.2.3-01", 'leading zeroes "01"$'),
    ],
)
def test_what_is_none_even_leniently(text: str, said: str) -> None:
    assert call("isSemver", text, True) is False
    with pytest.raises(CelError, match=said):
        call("semver", text, True)


@pytest.mark.parametrize("text", ["1" * 100_000, "1.2.3-" + "9" * 100_000, "0." * 50_000])
def test_long_ones_are_refused(text: str) -> None:
    assert call("isSemver", text) is call("isSemver", text, True) is False
    with pytest.raises(CelError) as failure:
        semver(text)
    assert len(str(failure.value)) < 200


def test_their_order() -> None:
    for at, one in enumerate(ORDERED):
        for other_at, other in enumerate(ORDERED):
            first, second = semver(one), semver(other)
            assert call("compareTo", first, second) == (at > other_at) - (at < other_at)
            assert call("isLessThan", first, second) is (at < other_at)
            assert call("isGreaterThan", first, second) is (at > other_at)
            assert equal(first, second) is (at == other_at)


def test_that_builds_do_not_tell_versions_apart() -> None:
    assert equal(semver("1.2.3+a"), semver("1.2.3+b")) is True
    assert equal(semver("1.2.3+a"), semver("1.2.3")) is True
    assert equal(semver("1.2.3-0"), semver("1.2.3")) is False


@given(ODD, st.booleans())
def test_any_text_is_a_version_or_none(text: str, lenient: bool) -> None:
    try:
        found = call("semver", text, lenient)
    except CelError:
        assert call("isSemver", text, lenient) is False
        return
    assert call("isSemver", text, lenient) is True
    assert call("compareTo", found, found) == 0
    if not lenient:
        assert equal(call("semver", text, True), found) is True


@given(NUMBERS, NUMBERS, NUMBERS, st.integers(0, 5))
def test_zeros_before_numbers_count_leniently_alone(
    major: int, minor: int, patch: int, zeros: int
) -> None:
    strict = semver(f"{major}.{minor}.{patch}")
    written = "v" + ".".join(["0" * zeros + str(number) for number in (major, minor, patch)])
    assert equal(call("semver", written, True), strict) is True
    assert call("isSemver", written[1:]) is (zeros == 0)
