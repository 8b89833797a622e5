"""The rules for a configuration: what kube-apiserver refuses, with the same fields named.

Pure: expressions are compiled by whom it is given, and nothing is fetched. What cannot be for a
proxy (an egress selector: there is no konnectivity in it) is refused here as well.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from koproxy.configuration.document import (
    AuthenticationConfiguration,
    ClaimMappings,
    ClaimValidationRule,
    ExtraMapping,
    Issuer,
    JWTAuthenticator,
    PrefixedMapping,
    UserValidationRule,
)
from koproxy.configuration.extra_keys import wrong_key
from koproxy.configuration.problems import Problem, duplicate, invalid, required
from koproxy.configuration.urls import wrong_url
from koproxy.errors import ConfigurationError
from koproxy.pem import trust

MOST_ISSUERS = 64

_MATCH_ANY = "MatchAny"
_EITHER = "claim or expression is required"
_BOTH = "claim and expression can't both be set"
_EMAIL = (
    "claims.email_verified must be used in claimMappings.username.expression or "
    "claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when "
    "claims.email is used in claimMappings.username.expression"
)


class Compiled(Protocol):
    """An expression that has been compiled."""

    def uses(self, claim: str) -> bool:
        """Say whether it selects this claim."""


class Compiler(Protocol):
    """What compiles expressions; each raises ValueError with what is wrong."""

    def claims(self, text: str, *, is_rule: bool = False) -> Compiled:
        """Compile an expression over ``claims``; that of a rule has to give a bool."""

    def user(self, text: str) -> Compiled:
        """Compile a rule over ``user``."""


@dataclass(slots=True)
class Checked:
    """What is wrong, and the compiled expressions by the paths of their fields."""

    problems: list[Problem] = field(default_factory=list)
    expressions: dict[str, Compiled] = field(default_factory=dict)


def check(configuration: AuthenticationConfiguration, compiler: Compiler) -> Checked:
    """Hold a configuration against the rules."""
    checker = _Checker(compiler)
    checker.check(configuration)
    return checker.checked


class _Checker:
    def __init__(self, compiler: Compiler) -> None:
        self.checked = Checked()
        self._compiler = compiler

    def check(self, configuration: AuthenticationConfiguration) -> None:
        jwt, anonymous = configuration.jwt, configuration.anonymous
        if len(jwt) > MOST_ISSUERS:
            text = f"Too many: {len(jwt)}: must have at most {MOST_ISSUERS} items"
            self._wrong(Problem("jwt", text))
            return
        issuers: set[str] = set()
        discoveries: set[str] = set()
        for at, each in enumerate(jwt):
            path = f"jwt[{at}]"
            self._authenticator(path, each)
            self._once(issuers, f"{path}.issuer.url", each.issuer.url)
            if each.issuer.discovery_url:
                self._once(discoveries, f"{path}.issuer.discoveryURL", each.issuer.discovery_url)
        if anonymous is not None and anonymous.conditions and not anonymous.enabled:
            why = "enabled should be set to true when conditions are defined"
            self._wrong(Problem("anonymous.conditions", f"Invalid value: {why}"))

    def _authenticator(self, path: str, given: JWTAuthenticator) -> None:
        self._issuer(f"{path}.issuer", given.issuer)
        self._claim_rules(f"{path}.claimValidationRules", given.claim_validation_rules)
        self._mappings(f"{path}.claimMappings", given.claim_mappings)
        self._email(path, given)
        self._user_rules(f"{path}.userValidationRules", given.user_validation_rules)

    # The issuer

    def _issuer(self, path: str, given: Issuer) -> None:
        if given.url:
            self._wrong(*wrong_url(f"{path}.url", given.url))
        else:
            self._wrong(required(f"{path}.url"))
        if given.discovery_url:
            where = f"{path}.discoveryURL"
            if given.url and given.url.rstrip("/") == given.discovery_url.rstrip("/"):
                self._wrong(
                    invalid(where, given.discovery_url, "discoveryURL must be different from URL")
                )
            self._wrong(*wrong_url(where, given.discovery_url))
        self._audiences(path, given)
        if given.certificate_authority:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            try:
                trust(context, given.certificate_authority.encode(), "it")
            except ConfigurationError as wrong:
                self._wrong(invalid(f"{path}.certificateAuthority", "<omitted>", str(wrong)))
        if given.egress_selector_type:
            why = "a proxy has no egress selector: leave it out"
            self._wrong(invalid(f"{path}.egressSelectorType", given.egress_selector_type, why))

    def _audiences(self, path: str, given: Issuer) -> None:
        where, policy = f"{path}.audiences", given.audience_match_policy
        if not given.audiences:
            self._wrong(required(where, f"at least one {where} is required"))
            return
        seen: set[str] = set()
        for at, each in enumerate(given.audiences):
            if not each:
                self._wrong(required(f"{where}[{at}]"))
            self._once(seen, f"{where}[{at}]", each)
        where = f"{path}.audienceMatchPolicy"
        if len(given.audiences) > 1 and policy != _MATCH_ANY:
            why = "audienceMatchPolicy must be MatchAny for multiple audiences"
            self._wrong(invalid(where, policy, why))
        if len(given.audiences) == 1 and policy not in ("", _MATCH_ANY):
            why = "audienceMatchPolicy must be empty or MatchAny for single audience"
            self._wrong(invalid(where, policy, why))

    # Claims

    def _claim_rules(self, path: str, rules: tuple[ClaimValidationRule, ...]) -> None:
        claims: set[str] = set()
        expressions: set[str] = set()
        for at, rule in enumerate(rules):
            where = f"{path}[{at}]"
            if rule.claim and rule.expression:
                self._wrong(invalid(where, rule.claim, _BOTH))
            elif rule.claim:
                if rule.message:
                    why = "may not be specified when claim is set"
                    self._wrong(invalid(f"{where}.message", rule.message, why))
                self._once(claims, f"{where}.claim", rule.claim)
            elif rule.expression:
                if rule.required_value:
                    why = "may not be specified when expression is set"
                    self._wrong(invalid(f"{where}.requiredValue", rule.required_value, why))
                if self._once(expressions, f"{where}.expression", rule.expression):
                    self._compile(f"{where}.expression", rule.expression, self._rule)
            else:
                self._wrong(required(where, _EITHER))

    def _mappings(self, path: str, given: ClaimMappings) -> None:
        self._prefixed(f"{path}.username", given.username, needed=True)
        self._prefixed(f"{path}.groups", given.groups, needed=False)
        if given.uid.claim and given.uid.expression:
            self._wrong(invalid(f"{path}.uid", "", _BOTH))
        elif given.uid.expression:
            self._compile(f"{path}.uid.expression", given.uid.expression, self._compiler.claims)
        keys: set[str] = set()
        for at, each in enumerate(given.extra):
            self._extra(f"{path}.extra[{at}]", each, keys)

    def _prefixed(self, path: str, given: PrefixedMapping, *, needed: bool) -> None:
        if given.claim and given.expression:
            self._wrong(invalid(path, "", _BOTH))
        elif given.expression:
            if given.prefix is not None:
                why = "may not be specified when expression is set"
                self._wrong(invalid(f"{path}.prefix", given.prefix, why))
            self._compile(f"{path}.expression", given.expression, self._compiler.claims)
        elif given.claim:
            if given.prefix is None:
                why = (
                    "prefix is required when claim is set. It can be set to an empty string to "
                    "disable prefixing"
                )
                self._wrong(required(f"{path}.prefix", why))
        elif needed:
            self._wrong(required(path, _EITHER))

    def _extra(self, path: str, given: ExtraMapping, keys: set[str]) -> None:
        self._wrong(*wrong_key(f"{path}.key", given.key))
        if not self._once(keys, f"{path}.key", given.key):
            return
        where = f"{path}.valueExpression"
        if given.value_expression:
            self._compile(where, given.value_expression, self._compiler.claims)
        else:
            self._wrong(required(where))

    def _email(self, path: str, given: JWTAuthenticator) -> None:
        """An address names nobody before somebody has seen that it is verified."""
        mappings, found = given.claim_mappings, self.checked.expressions
        username = f"{path}.claimMappings.username.expression"
        if username not in found or not found[username].uses("email"):
            return
        looking = [
            username,
            *(
                f"{path}.claimMappings.extra[{at}].valueExpression"
                for at in range(len(mappings.extra))
            ),
            *(
                f"{path}.claimValidationRules[{at}].expression"
                for at in range(len(given.claim_validation_rules))
            ),
        ]
        if not any(each in found and found[each].uses("email_verified") for each in looking):
            self._wrong(invalid(username, mappings.username.expression, _EMAIL))

    # The user

    def _user_rules(self, path: str, rules: tuple[UserValidationRule, ...]) -> None:
        expressions: set[str] = set()
        for at, rule in enumerate(rules):
            where = f"{path}[{at}].expression"
            if not rule.expression:
                self._wrong(required(where))
            elif self._once(expressions, where, rule.expression):
                self._compile(where, rule.expression, self._compiler.user)

    # For all

    def _rule(self, text: str) -> Compiled:
        return self._compiler.claims(text, is_rule=True)

    def _compile(self, path: str, text: str, compile_: Callable[[str], Compiled]) -> None:
        try:
            self.checked.expressions[path] = compile_(text)
        except ValueError as wrong:
            self._wrong(invalid(path, text, str(wrong)))

    def _once(self, seen: set[str], path: str, value: str) -> bool:
        """Note a value that may be there once; say whether this is the first time."""
        if value in seen:
            self._wrong(duplicate(path, value))
            return False
        seen.add(value)
        return True

    def _wrong(self, *problems: Problem) -> None:
        self.checked.problems += problems
