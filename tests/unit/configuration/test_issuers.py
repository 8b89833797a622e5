"""Entries of a configuration as rules."""

from dataclasses import dataclass
from typing import Any

from koproxy.configuration.decoding import decode
from koproxy.configuration.document import SCHEMA
from koproxy.configuration.flags import issuer_from_flags
from koproxy.configuration.issuers import issuers
from koproxy.identity.expressions import Rule
from koproxy.identity.issuer import Issuer
from koproxy.identity.keys import ALGORITHMS

HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n"


@dataclass(frozen=True)
class Program:
    text: str

    def evaluate(self, root: Any) -> Any:
        raise NotImplementedError


def rules(text: str, *paths: str) -> tuple[Issuer, ...]:
    decoded = decode((HEAD + text).encode(), SCHEMA)
    assert decoded.configuration is not None
    return issuers(decoded.configuration.jwt, {path: Program(path) for path in paths})


def test_an_entry_by_claims_is_what_the_flags_say() -> None:
    (found,) = rules(
        """
jwt:
- issuer: {url: https://i.example, audiences: [app]}
  claimValidationRules: [{claim: hd, requiredValue: x}]
  claimMappings:
    username: {claim: sub, prefix: 'oidc:'}
    groups: {claim: groups, prefix: ''}
"""
    )
    assert found == issuer_from_flags(
        oidc_issuer_url="https://i.example",
        oidc_client_id="app",
        oidc_username_prefix="oidc:",
        oidc_groups_claim="groups",
        oidc_required_claim=[("hd", "x")],
        oidc_signing_algs=ALGORITHMS,
    )


def test_every_expression_gets_to_its_place() -> None:
    first, second = "jwt[0]", "jwt[1]"
    mappings = f"{second}.claimMappings"
    _, found = rules(
        """
jwt:
- issuer: {url: https://h.example, audiences: [a]}
- issuer:
    url: https://i.example
    discoveryURL: https://d.example
    audiences: [a, b]
    audienceMatchPolicy: MatchAny
  claimValidationRules: [{claim: c}, {expression: x, message: m}]
  claimMappings:
    username: {expression: x}
    groups: {expression: x}
    uid: {expression: x}
    extra: [{key: a.b/c, valueExpression: x}]
  userValidationRules: [{expression: x, message: later}]
""",
        f"{first}.claimMappings.username.expression",
        f"{second}.claimValidationRules[1].expression",
        *(f"{mappings}.{name}.expression" for name in ("username", "groups", "uid")),
        f"{mappings}.extra[0].valueExpression",
        f"{second}.userValidationRules[0].expression",
    )
    assert (found.url, found.discovery_url) == ("https://i.example", "https://d.example")
    assert found.audiences == {"a", "b"}
    assert found.username == Program(f"{mappings}.username.expression")
    assert found.groups == Program(f"{mappings}.groups.expression")
    assert found.uid == Program(f"{mappings}.uid.expression")
    assert found.extra == (("a.b/c", Program(f"{mappings}.extra[0].valueExpression")),)
    assert found.required_claims == (("c", ""),)
    rule = Program(f"{second}.claimValidationRules[1].expression")
    assert found.claim_rules == (Rule(rule, "m"),)
    user_rule = Program(f"{second}.userValidationRules[0].expression")
    assert found.user_rules == (Rule(user_rule, "later"),)
