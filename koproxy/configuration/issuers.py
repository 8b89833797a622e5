"""The entries of a checked configuration as the rules by which tokens are decided. Pure."""

from collections.abc import Iterable, Mapping

from koproxy.configuration.document import JWTAuthenticator
from koproxy.identity.expressions import Program, Rule
from koproxy.identity.issuer import Issuer
from koproxy.identity.keys import ALGORITHMS


def issuers(
    entries: Iterable[JWTAuthenticator],
    programs: Mapping[str, Program],
    algorithms: frozenset[str] = frozenset(ALGORITHMS),
) -> tuple[Issuer, ...]:
    """Give the rules of each entry; ``programs`` are the expressions by the paths of their fields.

    Tokens may be signed by any of the ``algorithms``.
    """
    return tuple(
        [_issuer(each, f"jwt[{at}]", programs, algorithms) for at, each in enumerate(entries)]
    )


def _issuer(
    entry: JWTAuthenticator,
    path: str,
    programs: Mapping[str, Program],
    algorithms: frozenset[str],
) -> Issuer:
    mappings, where = entry.claim_mappings, f"{path}.claimMappings"
    return Issuer(
        url=entry.issuer.url,
        discovery_url=entry.issuer.discovery_url,
        audiences=frozenset(entry.issuer.audiences),
        algorithms=algorithms,
        username_claim=mappings.username.claim,
        username_prefix=mappings.username.prefix or "",
        username=programs.get(f"{where}.username.expression"),
        groups_claim=mappings.groups.claim,
        groups_prefix=mappings.groups.prefix or "",
        groups=programs.get(f"{where}.groups.expression"),
        uid_claim=mappings.uid.claim,
        uid=programs.get(f"{where}.uid.expression"),
        extra=tuple(
            [
                (each.key, programs[f"{where}.extra[{at}].valueExpression"])
                for at, each in enumerate(mappings.extra)
            ]
        ),
        required_claims=tuple(
            [
                (rule.claim, rule.required_value)
                for rule in entry.claim_validation_rules
                if rule.claim
            ]
        ),
        claim_rules=tuple(
            [
                Rule(programs[f"{path}.claimValidationRules[{at}].expression"], rule.message)
                for at, rule in enumerate(entry.claim_validation_rules)
                if rule.expression
            ]
        ),
        user_rules=tuple(
            [
                Rule(programs[f"{path}.userValidationRules[{at}].expression"], rule.message)
                for at, rule in enumerate(entry.user_validation_rules)
            ]
        ),
    )
