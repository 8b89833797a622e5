"""Trees evaluated: members, forms that don't look at everything, comprehensions, the budget."""

from typing import Any

import pytest

from koproxy.cel.claims import claims_root, user_root
from koproxy.cel.evaluation import Evaluation
from koproxy.cel.overloads import Functions, Overload
from koproxy.cel.tree import (
    Call,
    Comprehension,
    Constant,
    Entry,
    Identifier,
    ListLiteral,
    MapLiteral,
    Node,
    Select,
)
from koproxy.cel.values import NONE, CelError, Optional, TypeValue

CLAIMS = claims_root(
    {
        "sub": "jane",
        "n": 1.0,
        "list": ["a", {"k-1": "v"}],
        "map": {"x.y": {"z": 1.0}, "plain": None},
        "many": ["x"] * 2000,
    },
    lambda value: value,
)
FUNCTIONS = Functions(
    [
        Overload("_+_(string, string) -> string", lambda one, other: one + other),
        Overload("_+_(list<A>, list<A>) -> list<A>", lambda one, other: [*one, *other]),
        Overload("_==_(A, A) -> bool", lambda one, other: one == other),
        Overload("size(list<A>) -> int", len),
        Overload("optional.of(A) -> optional_type<A>", lambda value: Optional(True, value)),
        Overload("optional.none() -> optional_type<A>", lambda: NONE),
    ]
)
claims = Identifier(0, "claims")
TRUE, FALSE, FAILS = Constant(0, True), Constant(0, False), Select(0, claims, "nothing")


def text(value: str) -> Constant:
    return Constant(0, value)


def call(function: str, *arguments: Node, target: Node | None = None) -> Call:
    return Call(0, function, target, arguments)


def select(*fields: str, test_only: bool = False) -> Node:
    node: Node = claims
    for field in fields[:-1]:
        node = Select(0, node, field)
    return Select(0, node, fields[-1], test_only)


def value(node: Node, budget: int = 1000, **variables: Any) -> Any:
    return Evaluation(FUNCTIONS, {}, budget).value(node, {"claims": CLAIMS, **variables})


def error(node: Node, budget: int = 1000) -> str:
    with pytest.raises(CelError) as failed:
        value(node, budget)
    return str(failed.value)


def every(through: Node, condition: Node, step: Node, result: Node, initial: Node = TRUE) -> Node:
    return Comprehension(0, "i", "", through, "@result", initial, condition, step, result)


def test_members_are_found_by_their_names_and_their_escaped_ones() -> None:
    assert value(select("sub")) == "jane"
    assert value(select("map", "x__dot__y", "z")) == 1.0
    assert value(select("map", "x__dot__y", test_only=True)) is True
    assert value(select("map", "nope", test_only=True)) is False
    assert value(select("plain", test_only=True)) is False
    assert value(call("_[_]", select("map"), text("x.y"))) == {"z": 1.0}
    assert value(call("_[_]", select("map"), text("x__dot__y"))) == {"z": 1.0}
    assert value(call("_[_]", select("list"), Constant(0, 0))) == "a"
    assert value(Select(0, call("_[_]", select("list"), Constant(0, 1.0)), "k__dash__1")) == "v"
    assert error(FAILS) == "no such key: nothing"
    assert error(call("_[_]", select("list"), Constant(0, 9))) == "index out of bounds: 9"
    assert error(select("sub", "x")) == "no such key: x"
    assert value(select("sub", "x", test_only=True)) is False
    assert error(select("list", "x")) == "unsupported index type 'string' in list"


def test_what_may_not_be_there_is_an_optional() -> None:
    assert value(call("_?._", claims, text("sub"))) == Optional(True, "jane")
    assert value(call("_?._", claims, text("nope"))) == NONE
    deep = call("_[?_]", call("_?._", claims, text("map")), text("x.y"))
    assert value(Select(0, deep, "z")) == Optional(True, 1.0)
    none = call("_?._", claims, text("nope"))
    assert value(call("orValue", text("x"), target=none)) == "x"
    assert value(call("orValue", FAILS, target=call("optional.of", text("y")))) == "y"
    assert value(call("or", call("optional.of", text("z")), target=none)) == Optional(True, "z")
    assert value(call("orValue", text("x"), target=text("y"))) == "y"


@pytest.mark.parametrize(
    ("node", "result"),
    [
        (call("_&&_", FALSE, FAILS), False),
        (call("_&&_", FAILS, FALSE), False),
        (call("_||_", FAILS, TRUE), True),
        (call("_||_", FALSE, FALSE), False),
        (call("_&&_", TRUE, TRUE), True),
        (call("_?_:_", TRUE, text("a"), FAILS), "a"),
        (call("_?_:_", FALSE, FAILS, text("b")), "b"),
        (call("@not_strictly_false", FAILS), True),
        (call("@not_strictly_false", FALSE), False),
    ],
)
def test_not_everything_is_looked_at(node: Node, result: Any) -> None:
    assert value(node) is result or value(node) == result


def test_a_failure_that_nothing_makes_up_for_is_one() -> None:
    assert error(call("_&&_", TRUE, FAILS)) == "no such key: nothing"
    assert error(call("_||_", FAILS, FALSE)) == "no such key: nothing"
    assert error(call("_||_", text("x"), FALSE)) == "no such overload"
    assert error(call("_?_:_", text("x"), TRUE, FALSE)) == "no such overload"


def test_literals() -> None:
    some, none = call("optional.of", text("a")), call("optional.none")
    assert value(ListLiteral(0, (text("x"), some, none), frozenset({1, 2}))) == ["x", "a"]
    entries = (Entry(0, text("k"), text("v")), Entry(0, text("o"), none, True))
    assert value(MapLiteral(0, entries)) == {"k": "v"}
    twice = (Entry(0, text("k"), TRUE), Entry(0, text("k"), FALSE))
    assert value(MapLiteral(0, twice)) == {"k": False}
    assert error(ListLiteral(0, (text("x"),), frozenset({0}))) == "no such overload"
    assert value(Identifier(0, "int")) == TypeValue("int")


def test_a_comprehension_gathers_and_stops() -> None:
    result = Identifier(0, "@result")
    joined = call("_+_", result, ListLiteral(0, (Identifier(0, "i"),)))
    assert value(every(select("list"), TRUE, joined, result, ListLiteral(0, ()))) == [
        *("a", {"k-1": "v"})
    ]
    first = every(
        select("list"), call("_==_", result, text("")), Identifier(0, "i"), result, text("")
    )
    assert value(first) == "a"
    # Within what it goes through, fields have their own names alone.
    inner = Select(0, Identifier(0, "i"), "k__dash__1", test_only=True)
    last = every(
        ListLiteral(0, (call("_[_]", select("list"), Constant(0, 1)),)), TRUE, inner, result
    )
    assert value(last) is True
    assert value(every(select("list"), TRUE, call("_||_", inner, FALSE), result, FALSE)) is False
    assert error(every(select("sub"), TRUE, TRUE, result)) == "no such overload"


def test_a_later_item_may_decide_though_an_earlier_one_fails() -> None:
    result = Identifier(0, "@result")
    item = call("_==_", Identifier(0, "i"), text("a"))
    found = call("_||_", result, call("_?_:_", item, TRUE, FAILS))
    through = ListLiteral(0, (text("b"), text("a")))
    assert value(every(through, TRUE, found, result, FALSE)) is True
    missing = every(ListLiteral(0, (text("b"),)), TRUE, found, result, FALSE)
    assert error(missing) == "no such key: nothing"


def test_of_two_variables_the_first_is_an_index_or_a_key() -> None:
    both = ListLiteral(0, (Identifier(0, "k"), Identifier(0, "v")))
    joined = call("_+_", Identifier(0, "@result"), both)

    def pairs(through: Node) -> Any:
        result = Identifier(0, "@result")
        return value(
            Comprehension(0, "k", "v", through, "@result", ListLiteral(0, ()), TRUE, joined, result)
        )

    assert pairs(ListLiteral(0, (text("a"), text("b")))) == [0, "a", 1, "b"]
    assert pairs(MapLiteral(0, (Entry(0, text("x"), text("y")),))) == ["x", "y"]


def test_nothing_makes_up_for_a_spent_budget() -> None:
    loop = every(select("many"), TRUE, TRUE, Identifier(0, "@result"))
    assert value(loop, 20_000) is True
    spent = "operation cancelled: actual cost limit exceeded"
    assert error(loop, 1000) == spent
    assert error(call("_||_", loop, TRUE), 1000) == spent
    assert error(call("@not_strictly_false", loop), 1000) == spent


def test_going_through_all_claims_reads_them_all() -> None:
    many = {
        "claims": claims_root({str(number): "x" for number in range(2000)}, lambda value: value)
    }
    first = every(
        claims, call("_==_", Identifier(0, "@result"), text("")), text("y"), TRUE, text("")
    )
    assert Evaluation(FUNCTIONS, {}, 3000).value(first, many) is True
    with pytest.raises(CelError, match="actual cost limit exceeded"):
        Evaluation(FUNCTIONS, {}, 1000).value(first, many)


def test_a_user_s_extra_is_found_by_its_whole_name_too() -> None:
    user = user_root("jane", "", (), {"k": ("v",)})
    node = call("_[_]", Identifier(0, "user.extra"), text("k"))
    assert Evaluation(FUNCTIONS, {}).value(node, {"user": user}) == ["v"]
