"""What an attacker's claims may cost: ordinary expressions end, those that grow are stopped."""

from typing import Any

import pytest

from koproxy.cel.claims import claims_root
from koproxy.cel.compiling import Compiler
from koproxy.cel.values import CelError

COMPILER = Compiler()
MANY = [f"group-{number}" for number in range(2000)]
CLAIMS = {
    "groups": MANY,
    "short": ["g"] * 8000,
    "patterns": [f"(a|aa)+${number}" for number in range(2000)],
    "lists": [[number] for number in range(8000)],
    "numbers": list(range(15_000)),
    "map": {f"k{number}": number for number in range(4000)},
    "text": "a" * 40_000,
    "wide": "\N{GRINNING FACE}" * 10_000,
}


def value(expression: str) -> Any:
    return COMPILER.claims(expression).evaluate(claims_root({"a": CLAIMS}, lambda given: given))


@pytest.mark.parametrize(
    "expression",
    [
        "claims.a.groups.filter(g, g.startsWith('group')).map(g, 'oidc:' + g)",
        "claims.a.groups.map(g, 'x' + g).join(',').split(',').map(g, [g, 'b'])",
        "claims.a.groups.filter(g, g.matches('^group-[0-9]+$')).map(g, g.split('-')[1])",
        "claims.a.groups.filter(g, g in ['a', 'b', 'group-1999']) + claims.a.groups.map(g, g)",
        "claims.a.groups.transformMap(i, g, g.size() > 1, g)",
        "claims.a.groups.distinct().sort()",
        "[sets.intersects(claims.a.groups, ['group-1']), claims.a.groups == claims.a.groups]",
        "[claims.a.text.contains('b'), claims.a.text.matches('^a*$')]",
        "claims.a.numbers.sort()",
    ],
)
def test_what_administrators_write_about_thousands_of_groups_ends(expression: str) -> None:
    assert value(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "claims.a.short.map(g, claims.a.short.map(h, g + h))",
        "claims.a.short.map(g, claims.a.short).flatten()",
        "claims.a.short.map(g, claims.a.short + claims.a.short)",
        "claims.a.short.map(g, claims.a.short.slice(0, 8000))",
        "claims.a.short.map(g, claims.a.short.reverse())",
        "claims.a.short.map(g, claims.a.text + g)",
        "claims.a.short.map(g, claims.a.wide.substring(0, 9999))",
        "claims.a.short.map(g, claims.a.wide.lowerAscii())",
        "claims.a.short.map(g, claims.a.text.replace('a', 'bbbbbbbbbb'))",
        "claims.a.short.map(g, claims.a.text.split(''))",
        "claims.a.short.map(g, claims.a.text.contains(claims.a.text + 'b'))",
        "claims.a.short.map(g, claims.a.text.lastIndexOf('b' + claims.a.text.substring(20000)))",
        "claims.a.short.map(g, '%s'.format([claims.a.short]))",
        "claims.a.short.map(g, url('http://a/' + claims.a.text))",
        "claims.a.short.all(g, format.uri().validate(claims.a.text).hasValue() || true)",
        "claims.a.patterns.exists(g, claims.a.text.matches(g))",
        "claims.a.short.all(g, claims.a.text.find('[a-z]{1,900}q') == '')",
        "claims.a.short.map(g, claims.a.text.findAll('x*'))",
        "claims.a.short.all(g, claims.a.map == claims.a.map)",
        "claims.a.lists.all(g, [9000] in claims.a.lists || true)",
        "claims.a.lists.all(g, claims.a.lists.indexOf([9000]) == -1)",
        "claims.a.lists.distinct()",
        "sets.equivalent(claims.a.lists, claims.a.lists)",
        "claims.a.short.all(g, claims.a.numbers.sort() == claims.a.numbers)",
    ],
)
def test_what_grows_faster_than_its_claims_is_stopped(expression: str) -> None:
    with pytest.raises(CelError, match="actual cost limit exceeded"):
        value(expression)


def test_what_shares_its_parts_is_not_looked_at_for_each_share() -> None:
    grown = "[claims.a.text]" + ".map(g, [g, g, g, g, g, g, g, g])" * 12
    with pytest.raises(CelError, match="actual cost limit exceeded"):
        value(f"{grown} == {grown}")
