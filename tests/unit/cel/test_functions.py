"""What expressions give, by function, as kube-apiserver has been seen to give it."""

import json
from typing import Any

import pytest
from support.expressions import ALL, CLAIMS, FAILS, NO_TEXTS, REFUSED

from koproxy.cel.claims import claims_root
from koproxy.cel.compiling import CompileError, Compiler
from koproxy.cel.values import CelError
from koproxy.identity.expressions import plain, texts
from koproxy.identity.gojson import loads
from koproxy.identity.typed import Refused

COMPILER = Compiler()
READ = loads(json.dumps(CLAIMS).encode()).last()


@pytest.mark.parametrize(("text", "outcome"), ALL, ids=[text for text, _ in ALL])
def test_what_an_expression_gives(text: str, outcome: Any) -> None:
    if outcome is REFUSED:
        with pytest.raises(CompileError):
            COMPILER.claims(text)
        return
    program, root = COMPILER.claims(text), claims_root(READ, plain)
    if outcome is FAILS:
        with pytest.raises(CelError):
            program.evaluate(root)
    elif outcome is NO_TEXTS:
        with pytest.raises(Refused):
            texts(program, root, "the groups")
    elif isinstance(outcome, list):
        assert list(texts(program, root, "the groups")) == outcome
    else:
        value = program.evaluate(root)
        assert value == outcome
        assert type(value) is type(outcome)


@pytest.mark.parametrize(
    "text",
    [
        "['a', 'b'].exists_one(x, x == claims.nope)",
        "!['a', 'b'].exists_one(x, x == claims.nope)",
        "['a', 'b'].map(x, claims.nope) != []",
        "['a', 'b'].filter(x, x == claims.nope) == []",
        "['a', 'b'].all(x, x == 'a' || x == claims.nope)",
        "['a', 'b'].exists(x, x == claims.nope)",
        "['a', 'b'].transformList(i, x, claims.nope) == []",
    ],
)
def test_what_fails_for_an_item_fails_for_all(text: str) -> None:
    with pytest.raises(CelError, match="no such key: nope"):
        COMPILER.claims(text).evaluate(claims_root(READ, plain))


def test_an_item_may_decide_though_another_fails() -> None:
    root = claims_root(READ, plain)
    assert COMPILER.claims("['a', 'b'].exists(x, x == 'a' || claims.nope)").evaluate(root) is True
    assert COMPILER.claims("['a', 'b'].all(x, x == 'b' && claims.nope)").evaluate(root) is False


def test_items_of_different_types_are_neither_less_nor_greater() -> None:
    root = claims_root({"l": [1.0, "a", 0.5]}, plain)
    assert COMPILER.claims("dyn(claims.l).isSorted()").evaluate(root) is True
    assert COMPILER.claims("dyn(claims.l).max()").evaluate(root) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "claims.deep == claims.same",
        "claims.deep in [claims.same]",
        "[claims.deep, claims.same].distinct()",
        "'%s'.format([dyn(claims).deep])",
        "'%s'.format(claims.deep)",
        "claims.deep == claims.same || true",
    ],
)
@pytest.mark.parametrize("depth", [100, 200, 300, 400, 480, 600])
def test_what_lies_deep_is_looked_at_or_fails(text: str, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    read = loads(f'{{"deep": {deep}, "same": {deep}}}'.encode()).last()
    try:
        program = COMPILER.claims(text)
        program.evaluate(claims_root(read, plain))
    except CelError:
        pass
