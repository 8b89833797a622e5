"""The rules for a configuration, one by one."""

from dataclasses import replace
from typing import Any

import pytest
import trustme

from koproxy.configuration.checking import Checked, check
from koproxy.configuration.document import (
    Anonymous,
    AnonymousCondition,
    AuthenticationConfiguration,
    ClaimMappings,
    ClaimValidationRule,
    ExtraMapping,
    Issuer,
    JWTAuthenticator,
    Mapping,
    PrefixedMapping,
    UserValidationRule,
)


class Expression:
    def __init__(self, text: str) -> None:
        self.text = text

    def uses(self, claim: str) -> bool:
        return f"claims.{claim}" in self.text.replace(".?", ".").split()


class Compiler:
    """Takes every expression but those that say that they are wrong."""

    def __init__(self) -> None:
        self.compiled: list[tuple[str, str]] = []

    def claims(self, text: str, *, is_rule: bool = False) -> Expression:
        return self._compile("rule" if is_rule else "claims", text)

    def user(self, text: str) -> Expression:
        return self._compile("user", text)

    def _compile(self, kind: str, text: str) -> Expression:
        self.compiled.append((kind, text))
        if "wrong" in text:
            raise ValueError("compilation failed: it is wrong")
        return Expression(text)


GOOD = JWTAuthenticator(
    Issuer("https://example.com", audiences=("app",)),
    claim_mappings=ClaimMappings(PrefixedMapping("sub", "")),
)
CA = trustme.CA().cert_pem.bytes().decode()


def checked(*entries: JWTAuthenticator, anonymous: Anonymous | None = None) -> Checked:
    return check(AuthenticationConfiguration(entries, anonymous), Compiler())


def said(*entries: JWTAuthenticator, **more: Any) -> list[str]:
    return [str(problem) for problem in checked(*entries, **more).problems]


def issuer(**parts: Any) -> JWTAuthenticator:
    return replace(GOOD, issuer=replace(GOOD.issuer, **parts))


def mappings(**parts: Any) -> JWTAuthenticator:
    return replace(GOOD, claim_mappings=replace(GOOD.claim_mappings, **parts))


def rules(*given: ClaimValidationRule) -> JWTAuthenticator:
    return replace(GOOD, claim_validation_rules=given)


def user_rules(*given: UserValidationRule) -> JWTAuthenticator:
    return replace(GOOD, user_validation_rules=given)


Rule, User, Prefixed, Extra = (
    *(ClaimValidationRule, UserValidationRule, PrefixedMapping),
    lambda key="example.com/a", value="claims.a": ExtraMapping(key, value),
)


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [GOOD],
        [GOOD, issuer(url="https://example.org:8443/realm")],
        [issuer(discovery_url="https://10.0.0.1/x", certificate_authority=CA)],
        [issuer(audiences=("a", "b"), audience_match_policy="MatchAny")],
        [issuer(audience_match_policy="MatchAny")],
        [mappings(username=Prefixed(expression="claims.sub"), groups=Prefixed("groups", "g:"))],
        [mappings(uid=Mapping("uid"), extra=(Extra(), Extra("example.com/b")))],
        [rules(Rule("hd", "x"), Rule("ok"), Rule(expression="claims.a", message="no"))],
        [user_rules(User("user.a", "no"), User("user.b"))],
        [issuer(url=f"https://i{at}.example.com") for at in range(64)],
    ],
)
def test_what_is_good(entries: list[JWTAuthenticator]) -> None:
    assert said(*entries) == []


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (issuer(url=""), "issuer.url: Required value"),
        (
            issuer(url="http://a.b"),
            'issuer.url: Invalid value: "http://a.b": URL scheme must be https',
        ),
        (issuer(url="https://"), 'issuer.url: Invalid value: "https://": URL must have a host'),
        (issuer(url="https://a b"), 'issuer.url: Invalid value: "https://a b": it is not a URL'),
        (issuer(url="https://a:99999"), "issuer.url: Invalid value"),
        (
            issuer(url="https://u:secret@a.b"),
            'issuer.url: Invalid value: "<omitted>": URL must not contain a username or password',
        ),
        (issuer(url="https://a.b?c"), 'issuer.url: Invalid value: "https://a.b?c": URL must not'),
        (issuer(url="https://a.b#c"), 'issuer.url: Invalid value: "https://a.b#c": URL must not'),
        (
            issuer(discovery_url="https://example.com/"),
            'issuer.discoveryURL: Invalid value: "https://example.com/": discoveryURL must be',
        ),
        (issuer(discovery_url="http://a.b"), "issuer.discoveryURL: Invalid value"),
        (issuer(audiences=()), "issuer.audiences: Required value: at least one"),
        (issuer(audiences=("",)), "issuer.audiences[0]: Required value"),
        (issuer(audiences=("a", "b")), 'issuer.audienceMatchPolicy: Invalid value: "": '),
        (issuer(audience_match_policy="All"), 'issuer.audienceMatchPolicy: Invalid value: "All": '),
        (
            issuer(certificate_authority="x"),
            'issuer.certificateAuthority: Invalid value: "<omitted>"',
        ),
        (issuer(egress_selector_type="cluster"), "issuer.egressSelectorType: Invalid value"),
        (mappings(username=Prefixed()), "claimMappings.username: Required value: claim or"),
        (
            mappings(username=Prefixed("sub")),
            "claimMappings.username.prefix: Required value: prefix",
        ),
        (
            mappings(username=Prefixed("sub", "", "claims.sub")),
            'claimMappings.username: Invalid value: "": claim and expression can\'t both be set',
        ),
        (
            mappings(username=Prefixed(prefix="", expression="claims.sub")),
            'claimMappings.username.prefix: Invalid value: "": may not be specified when',
        ),
        (mappings(groups=Prefixed("g")), "claimMappings.groups.prefix: Required value"),
        (mappings(uid=Mapping("a", "b")), 'claimMappings.uid: Invalid value: "": claim and'),
        (
            mappings(uid=Mapping(expression="wrong")),
            'claimMappings.uid.expression: Invalid value: "wrong": compilation failed: it is wrong',
        ),
        (mappings(extra=(Extra(""),)), "claimMappings.extra[0].key: Required value"),
        (
            mappings(extra=(Extra("a"),)),
            'claimMappings.extra[0].key: Invalid value: "a": must be a',
        ),
        (mappings(extra=(Extra("A.b/c"),)), "claimMappings.extra[0].key: Invalid value"),
        (
            mappings(extra=(Extra("a.b/C"),)),
            'claimMappings.extra[0].key: Invalid value: "a.b/C": must be lo',
        ),
        (
            mappings(extra=(Extra("a.k8s.io/c"),)),
            'claimMappings.extra[0].key: Invalid value: "a.k8s.io/c": k8s',
        ),
        (
            mappings(extra=(Extra(value=""),)),
            "claimMappings.extra[0].valueExpression: Required value",
        ),
        (rules(Rule()), "claimValidationRules[0]: Required value: claim or expression is required"),
        (
            rules(Rule("a", expression="b")),
            'claimValidationRules[0]: Invalid value: "a": claim and',
        ),
        (rules(Rule("a", message="m")), "claimValidationRules[0].message: Invalid value"),
        (
            rules(Rule(required_value="a", expression="b")),
            "claimValidationRules[0].requiredValue: In",
        ),
        (rules(Rule(expression="wrong")), "claimValidationRules[0].expression: Invalid value"),
        (user_rules(User()), "userValidationRules[0].expression: Required value"),
        (user_rules(User("wrong")), "userValidationRules[0].expression: Invalid value"),
        (
            mappings(username=Prefixed(expression="claims.email")),
            'claimMappings.username.expression: Invalid value: "claims.email": claims.',
        ),
    ],
)
def test_what_is_wrong(entry: JWTAuthenticator, problem: str) -> None:
    found = said(entry)
    assert any(each.startswith(f"jwt[0].{problem}") for each in found), found
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ([GOOD, GOOD], 'jwt[1].issuer.url: Duplicate value: "https://example.com"'),
        (
            [
                issuer(discovery_url="https://d.e"),
                issuer(url="https://f.g", discovery_url="https://d.e"),
            ],
            'jwt[1].issuer.discoveryURL: Duplicate value: "https://d.e"',
        ),
        (
            [issuer(audiences=("a", "a"), audience_match_policy="MatchAny")],
            'jwt[0].issuer.audiences[1]: Duplicate value: "a"',
        ),
        (
            [rules(Rule("a"), Rule("a"))],
            'jwt[0].claimValidationRules[1].claim: Duplicate value: "a"',
        ),
        (
            [rules(Rule(expression="a"), Rule(expression="a"))],
            'jwt[0].claimValidationRules[1].expression: Duplicate value: "a"',
        ),
        (
            [user_rules(User("a"), User("a"))],
            'jwt[0].userValidationRules[1].expression: Duplicate value: "a"',
        ),
        (
            [mappings(extra=(Extra(), Extra()))],
            'jwt[0].claimMappings.extra[1].key: Duplicate value: "example.com/a"',
        ),
        (
            [issuer(url=f"https://i{at}.example.com") for at in range(65)],
            "jwt: Too many: 65: must have at most 64 items",
        ),
    ],
)
def test_what_may_be_there_once(entries: list[JWTAuthenticator], problem: str) -> None:
    assert said(*entries) == [problem]


@pytest.mark.parametrize(
    "verified",
    [
        mappings(username=Prefixed(expression="claims.email_verified ? claims.email : ''")),
        replace(
            mappings(username=Prefixed(expression="claims.email")),
            claim_validation_rules=(Rule(expression="claims.email_verified == true"),),
        ),
        mappings(
            username=Prefixed(expression="claims.email"),
            extra=(Extra(value="string( claims.email_verified )"),),
        ),
    ],
)
def test_an_address_has_to_be_verified_somewhere(verified: JWTAuthenticator) -> None:
    assert said(verified) == []


def test_nobody_is_let_in_by_conditions_that_are_off() -> None:
    conditions = (AnonymousCondition("/livez"),)
    assert said(anonymous=Anonymous(True, conditions)) == []
    (problem,) = said(anonymous=Anonymous(False, conditions))
    assert problem.startswith("anonymous.conditions: Invalid value")


def test_the_expressions_are_found_by_their_fields() -> None:
    compiler = Compiler()
    entry = replace(
        mappings(uid=Mapping(expression="claims.uid"), extra=(Extra(),)),
        claim_validation_rules=(Rule("a"), Rule(expression="claims.ok")),
        user_validation_rules=(User("user.ok"),),
    )
    found = check(AuthenticationConfiguration((entry,)), compiler).expressions
    assert list(found) == [
        "jwt[0].claimValidationRules[1].expression",
        "jwt[0].claimMappings.uid.expression",
        "jwt[0].claimMappings.extra[0].valueExpression",
        "jwt[0].userValidationRules[0].expression",
    ]
    assert compiler.compiled == [
        ("rule", "claims.ok"),
        ("claims", "claims.uid"),
        ("claims", "claims.a"),
        ("user", "user.ok"),
    ]
