"""What expressions make of claims: the conversions, the order, and reasons without claims."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from koproxy.cel.claims import ABSENT, Root
from koproxy.cel.values import CelError, GoStrings, Optional, TypeValue
from koproxy.identity.expressions import Rule, plain
from koproxy.identity.gojson import loads
from koproxy.identity.issuer import Issuer
from koproxy.identity.typed import Refused

RULES = Issuer("https://issuer", frozenset({"app"}))


class Program:
    """An expression that a function stands for."""

    text = "expression"

    def __init__(self, function: Callable[[Root], Any]) -> None:
        self._function = function

    def evaluate(self, root: Root) -> Any:
        return self._function(root)


def gives(value: Any) -> Program:
    return Program(lambda _: value)


def claim(name: str) -> Program:
    def find(root: Root) -> Any:
        value = root.find(name)
        if value is ABSENT:
            raise CelError(f"no such key: {name}")
        return value

    return Program(find)


def claims(text: bytes) -> dict[str, Any]:
    found: dict[str, Any] = loads(text).last()
    return found


JANE = claims(b'{"sub":"jane","teams":["a","b"],"n":1,"big":1e999,"secret":"hush"}')


def test_every_part_of_an_identity_comes_from_its_expression() -> None:
    rules = replace(
        RULES,
        username=claim("sub"),
        groups=claim("teams"),
        uid=gives("7"),
        extra=(("example.com/a", gives("x")), ("example.com/b", gives(["", "y"]))),
    )
    identity = rules.identity(JANE)
    assert (identity.username, identity.uid, identity.groups) == ("jane", "7", ("a", "b"))
    assert identity.extra == (("example.com/a", ("x",)), ("example.com/b", ("y",)))


@pytest.mark.parametrize(
    ("value", "names"),
    [
        *(("a", ("a",)), ("", ()), (None, ()), ([], ()), (["a", "", "b"], ("a", "b"))),
        *(([Optional(True, "a"), TypeValue("int")], ("a", "int")),),
    ],
)
def test_what_gives_names(value: Any, names: tuple[str, ...]) -> None:
    assert replace(RULES, groups=gives(value)).identity(JANE).groups == names
    extra = replace(RULES, extra=(("a.b/c", gives(value)),)).identity(JANE).extra
    assert extra == ((("a.b/c", names),) if names else ())


@pytest.mark.parametrize(
    "value", [1, 1.0, True, {}, [1], [None], GoStrings(["a"]), Optional(False)]
)
def test_what_gives_no_names(value: Any) -> None:
    for rules in (
        replace(RULES, groups=gives(value)),
        replace(RULES, extra=(("a.b/c", gives(value)),)),
    ):
        with pytest.raises(Refused, match="gives neither a string nor a list of strings"):
            rules.identity(JANE)


@pytest.mark.parametrize("value", [None, 1, ["a"], Optional(True, "a")])
def test_a_name_is_a_string(value: Any) -> None:
    for rules in (replace(RULES, username=gives(value)), replace(RULES, uid=gives(value))):
        with pytest.raises(Refused, match="gives no string"):
            rules.identity(JANE)


def test_a_user_name_is_not_empty_but_a_uid_may_be() -> None:
    assert replace(RULES, uid=gives("")).identity(JANE).uid == ""
    with pytest.raises(Refused, match="the expression for the user name gives an empty one"):
        replace(RULES, username=gives("")).identity(JANE)


def test_rules_have_to_be_true() -> None:
    rules = replace(RULES, claim_rules=(Rule(gives(True)), Rule(claim("ok"), "ask for more")))
    with pytest.raises(Refused, match="the expression for claims fails"):
        rules.identity(JANE)
    with pytest.raises(Refused, match="ask for more"):
        replace(RULES, claim_rules=(Rule(gives(False), "ask for more"),)).identity(JANE)
    for value in (False, None, 1, "true"):
        with pytest.raises(Refused, match="a rule about claims is not met"):
            replace(RULES, claim_rules=(Rule(gives(value)),)).identity(JANE)


def test_rules_about_the_user_see_who_it_has_become() -> None:
    seen: dict[str, Any] = {}

    def look(root: Root) -> bool:
        seen.update({name: root.find(name) for name in ("username", "uid", "groups", "extra")})
        return True

    rules = replace(
        RULES,
        username_prefix="oidc:",
        groups_claim="teams",
        extra=(("example.com/a", gives("x")),),
        user_rules=(Rule(Program(look)),),
    )
    rules.identity(JANE)
    assert seen == {
        "username": "oidc:jane",
        "uid": "",
        "groups": ["a", "b"],
        "extra": {"example.com/a": ["x"]},
    }


def test_a_claim_for_the_uid_has_to_be_there() -> None:
    assert replace(RULES, uid_claim="sub").identity(JANE).uid == "jane"
    with pytest.raises(Refused, match="it has no id claim"):
        replace(RULES, uid_claim="id").identity(JANE)


def test_a_number_is_a_double_and_one_that_is_none_fails_when_it_is_touched() -> None:
    assert plain(JANE["n"]) == 1.0
    assert isinstance(plain(JANE["n"]), float)
    assert replace(RULES, uid=gives("x")).identity(JANE).uid == "x"
    with pytest.raises(Refused, match="the expression for the uid fails"):
        replace(RULES, uid=claim("big")).identity(JANE)


def test_no_reason_repeats_a_claim() -> None:
    def fail(root: Root) -> Any:
        raise CelError(f"quantity {root.find('secret')} is none")

    for rules in (
        replace(RULES, username=Program(fail)),
        replace(RULES, groups=Program(fail)),
        replace(RULES, claim_rules=(Rule(Program(fail)),)),
    ):
        with pytest.raises(Refused) as refused:
            rules.identity(JANE)
        assert "hush" not in str(refused.value)


def test_what_lies_too_deep_is_no_value() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ValueError, match="too deep"):
        plain(deep)
