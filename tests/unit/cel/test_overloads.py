"""Functions by their signatures."""

from typing import Any

import pytest

from koproxy.cel.overloads import Functions, Overload, Type, read_type
from koproxy.cel.values import CelError, Optional, UInt


def overload(signature: str, known: bool = False) -> Overload:
    return Overload(signature, lambda *values: values, known)


@pytest.mark.parametrize(
    ("signature", "name", "target", "arguments", "result"),
    [
        ("url(string) -> kubernetes.URL", "url", None, ["string"], "kubernetes.URL"),
        ("string.find(string) -> string", "find", "string", ["string"], "string"),
        ("ip.isCanonical(string) -> bool", "ip.isCanonical", None, ["string"], "bool"),
        ("net.CIDR.containsIP(net.IP) -> bool", "containsIP", "net.CIDR", ["net.IP"], "bool"),
        ("list<string>.join() -> string", "join", "list", [], "string"),
        ("list<A>.indexOf(A) -> int", "indexOf", "list", ["A"], "int"),
        (
            "sets.contains(list<T>, list<T>) -> bool",
            "sets.contains",
            None,
            ["list", "list"],
            "bool",
        ),
        ("_[_](map<K, V>, K) -> V", "_[_]", None, ["map", "K"], "V"),
        (
            "kubernetes.URL.getQuery() -> map<string, list<string>>",
            "getQuery",
            "kubernetes.URL",
            [],
            "map",
        ),
    ],
)
def test_a_signature_is_read(
    signature: str, name: str, target: str | None, arguments: list[str], result: str
) -> None:
    read = overload(signature)
    assert read.name == name
    assert (read.target.name if read.target else None) == target
    assert [each.name for each in read.arguments] == arguments
    assert read.result.name == result


@pytest.mark.parametrize("signature", ["", "f", "f(int)", "f(int -> int", "f(1) -> int"])
def test_what_is_no_signature_is_said(signature: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        overload(signature)


def test_parameters_of_types_are_read() -> None:
    assert read_type("map<string, list<A>>") == Type(
        "map", (Type("string"), Type("list", (Type("A"),)))
    )


class Address:
    type_name = "net.IP"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("null_type", None), ("bool", True), ("int", 1), ("uint", UInt(1)), ("double", 1.0)),
        *(("string", ""), ("bytes", b""), ("list<int>", []), ("map<string, dyn>", {})),
        *(("optional_type<int>", Optional(True, 1)), ("net.IP", Address())),
    ],
)
def test_a_value_fits_its_type_and_no_other(name: str, value: Any) -> None:
    assert read_type(name).fits(value)
    assert read_type("dyn").fits(value)
    assert read_type("A").fits(value)
    others = ("bool", "int", "uint", "double", "string", "bytes", "list<int>", "net.CIDR", "type")
    assert not [each for each in others if each != name and read_type(each).fits(value)]


def test_the_overload_that_fits_is_called() -> None:
    functions = Functions(
        [
            Overload("f(int) -> string", lambda value: f"int {value}"),
            Overload("f(string) -> string", lambda value: f"string {value}"),
            Overload("string.f(int) -> string", lambda target, value: f"{target} {value}"),
        ]
    )
    assert functions.find("f", [1]).function(1) == "int 1"
    assert functions.find("f", ["a"]).function("a") == "string a"
    assert functions.find("f", ["a", 1]).function("a", 1) == "a 1"
    for values in ([True], [UInt(1)], [1, "a"], []):
        with pytest.raises(CelError, match="no such overload"):
            functions.find("f", values)
    with pytest.raises(CelError, match="no such overload"):
        functions.find("g", [1])
