"""An expression gives what it gives in kube-apiserver: a table by function, and any expression.

Kubernetes' own authenticator judges: each expression is the rule or the mapping of an issuer, and
the claims are those of a token of this issuer.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from e2e.expressions import claims as some_claims
from e2e.expressions import expressions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from localcluster.authenticator import Authenticator, Judged
from support.expressions import ALL, CLAIMS, FAILS, NO_TEXTS, REFUSED

from koproxy.cel.compiling import Compiler
from koproxy.cel.library import OVERLOADS
from koproxy.configuration.file import configured
from koproxy.errors import ConfigurationError
from koproxy.identity.claims import read_registered
from koproxy.identity.gojson import loads
from koproxy.identity.typed import Refused

COMPILER = Compiler()
URL = "https://issuer.example"
REQUIRED = {"iss": URL, "aud": "app", "exp": int(time.time()) + 3600}
EXAMPLES = settings(
    max_examples=int(os.environ.get("DIFFERENTIAL_EXAMPLES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def judge(directory: Path) -> Iterator[Authenticator]:
    judge = Authenticator(directory / "expressions.log")
    yield judge
    judge.close()


def configuration(**entry: Any) -> str:
    """One issuer, all of whose tokens name jane, and more."""
    mappings = {"username": {"expression": "'jane'"}, **entry.pop("claimMappings", {})}
    issuer = {"url": URL, "audiences": ["app"]}
    return json.dumps(
        {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "AuthenticationConfiguration",
            "jwt": [{"issuer": issuer, "claimMappings": mappings, **entry}],
        }
    )


def mapping(expression: str) -> str:
    """An expression gives the groups."""
    return configuration(claimMappings={"groups": {"expression": expression}})


def rule(expression: str) -> str:
    """An expression is a rule."""
    return configuration(claimValidationRules=[{"expression": expression}])


def written(value: Any) -> str:
    """A value as an expression."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else repr(value)


@pytest.mark.parametrize(("text", "outcome"), ALL, ids=[text for text, _ in ALL])
def test_what_an_expression_gives(judge: Authenticator, text: str, outcome: Any) -> None:
    claims = CLAIMS | REQUIRED | {"iss": CLAIMS["iss"]}
    asked = mapping(text).replace(URL, CLAIMS["iss"])
    judged = judge.ask(asked, claims)
    if outcome is REFUSED:
        assert judged.wrong
        return
    assert not judged.wrong
    if outcome is FAILS:
        assert "resulted in error" in judged.refused
    elif outcome is NO_TEXTS:
        assert "must return a string or a list of strings" in judged.refused
    elif isinstance(outcome, list):
        assert judged.groups == outcome
    elif isinstance(outcome, str):
        assert judged.groups == ([outcome] if outcome else [])
    else:
        asked = rule(f"dyn({text}) == {written(outcome)}").replace(URL, CLAIMS["iss"])
        assert judge.ask(asked, claims).username == "jane"


_FORMS = {"@not_strictly_false", "_&&_", "_?_:_", "_?._", "_[?_]", "_[_]", "_||_", "or", "orValue"}
_OTHER_NAMES = {"__not_strictly_false__", "_in_", "in"}
_ONE_FOR_ALL_TYPES = {"sort", "@sortByAssociatedKeys"}
_PARAMETER = re.compile(r"(?<![\w.])[A-Z](?!\w)")


def _alike(signature: str) -> str:
    """Have the parameters of types named in the order in which they come."""
    names: dict[str, str] = {}
    return _PARAMETER.sub(lambda found: names.setdefault(found[0], f"T{len(names)}"), signature)


def test_functions_are_those_of_kubernetes_in_its_order(judge: Authenticator) -> None:
    """Where types aren't known, the first function that fits makes them known."""
    ours: dict[str, list[str]] = {}
    for overload in OVERLOADS:
        ours.setdefault(overload.name, []).append(_alike(overload.signature))
    theirs = {
        name: list(map(_alike, signatures))
        for name, signatures in judge.ask_functions().items()
        if name not in _FORMS | _OTHER_NAMES
        and not all("kubernetes.authorization." in each for each in signatures)
    }
    assert ours.keys() == theirs.keys()
    for name in _ONE_FOR_ALL_TYPES:
        del ours[name], theirs[name]
    assert ours == theirs


def ours(asked: str, claims: Mapping[str, Any]) -> Judged:
    """What koproxy says."""
    try:
        found = configured(asked.encode(), "a.yaml", COMPILER)
    except ConfigurationError as problem:
        return Judged(wrong=str(problem))
    (issuer,) = found.issuers
    try:
        members = loads(json.dumps(claims).encode())
        read_registered(members)
        identity = issuer.identity(members.last())
    except Refused as problem:
        return Judged(refused=str(problem))
    return Judged(
        username=identity.username,
        uid=identity.uid,
        groups=list(identity.groups),
        extra={key: list(values) for key, values in identity.extra},
    )


def alike(judge: Authenticator, asked: str, claims: Mapping[str, Any]) -> None:
    judged, said = judge.ask(asked, claims), ours(asked, claims)
    assert not judged.panic
    assert bool(judged.wrong) is bool(said.wrong), (judged, said)
    if not judged.wrong:
        assert bool(judged.refused) is bool(said.refused), (judged, said)
    if not judged.refused and not judged.wrong:
        assert judged == said


@EXAMPLES
@given(data=st.data())
def test_any_mapping(judge: Authenticator, data: st.DataObject) -> None:
    claims = data.draw(some_claims()) | REQUIRED
    alike(judge, mapping(data.draw(expressions("texts"))), claims)


@EXAMPLES
@given(data=st.data())
def test_any_rule(judge: Authenticator, data: st.DataObject) -> None:
    claims = data.draw(some_claims()) | REQUIRED
    alike(judge, rule(data.draw(expressions("bool"))), claims)


@EXAMPLES
@given(data=st.data())
def test_any_user_rule(judge: Authenticator, data: st.DataObject) -> None:
    claims = data.draw(some_claims()) | REQUIRED
    asked = configuration(
        claimMappings={
            "username": {"expression": "string(claims.sub)"},
            "uid": {"expression": "claims.?uid.orValue('')"},
            "groups": {"expression": "claims.?groups.orValue([])"},
            "extra": [{"key": "example.org/k", "valueExpression": "claims.?extra.orValue('')"}],
        },
        userValidationRules=[{"expression": data.draw(expressions("user"))}],
    )
    alike(judge, asked, claims)
