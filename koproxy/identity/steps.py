"""The steps of an explanation, and those from claims to an identity.

Every part of an issuer's rules is asked for itself here, by the very rules that decide, so that
what a later one refuses doesn't hide what an earlier one gave.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from koproxy.cel.claims import Root
from koproxy.cel.functions.conversions import type_name
from koproxy.cel.functions.formatting import literal
from koproxy.cel.values import CelError
from koproxy.identity.expressions import Program, Rule
from koproxy.identity.issuer import Issuer
from koproxy.identity.typed import Refused
from koproxy.identity.user import Identity


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at: ``good`` or not, and ``text`` about what was found."""

    name: str
    good: bool
    text: str


@dataclass(slots=True)
class Explanation:
    """The steps up to the first that isn't good; then the identity and its headers are None."""

    steps: list[Step] = field(default_factory=list)
    identity: Identity | None = None
    headers: bytes | None = None

    @property
    def good(self) -> bool:
        """Whether the identity would be passed on."""
        return self.headers is not None

    def add(self, name: str, text: str) -> None:
        """Note what was found, and is good."""
        self.steps.append(Step(name, True, text))


def map_claims(found: Explanation, issuer: Issuer, claims: Mapping[str, Any]) -> Identity:
    """Map the claims of a verified token, and note what each of the issuer's rules gives.

    Raises Refused if they don't give an identity; then the last step says which rule that was.
    """
    for name, program, rules in _parts(found, issuer):
        before = len(found.steps)
        try:
            identity = rules.identity(claims)
        except Refused as refused:
            found.steps.append(Step("claims" if program else name, False, str(refused)))
            raise
        if len(found.steps) == before:
            found.add(name, _by_claim(name, rules, identity))
    return issuer.identity(claims)


def _parts(found: Explanation, issuer: Issuer) -> Iterator[tuple[str, bool, Issuer]]:
    """Give each part in its order: its name, whether it is an expression, and rules with it alone.

    The rules about users are asked with everything that maps claims.
    """
    mapped = replace(issuer, required_claims=(), claim_rules=(), user_rules=())
    alone = replace(mapped, groups_claim="", groups=None, uid_claim="", uid=None, extra=())

    def seen(name: str, program: Program | None) -> Program | None:
        return None if program is None else _Recorded(found, name, program)

    def rule(name: str, given: Rule) -> tuple[Rule]:
        program = _Recorded(found, name, given.program, is_rule=True)
        return (Rule(program, given.message),)

    username, groups, uid = issuer.username, issuer.groups, issuer.uid
    yield "username", bool(username), replace(alone, username=seen("username", username))
    if issuer.groups_claim or groups:
        part = replace(alone, groups_claim=issuer.groups_claim, groups=seen("groups", groups))
        yield "groups", bool(groups), part
    if issuer.uid_claim or uid:
        yield "uid", bool(uid), replace(alone, uid_claim=issuer.uid_claim, uid=seen("uid", uid))
    for key, program in issuer.extra:
        name = f"extra {key}"
        yield name, True, replace(alone, extra=((key, _Recorded(found, name, program)),))
    for required in issuer.required_claims:
        yield "claimValidationRules", False, replace(alone, required_claims=(required,))
    for each in issuer.claim_rules:
        name = "claimValidationRules"
        yield name, True, replace(alone, claim_rules=rule(name, each))
    for each in issuer.user_rules:
        name = "userValidationRules"
        yield name, True, replace(mapped, user_rules=rule(name, each))


def _by_claim(name: str, rules: Issuer, identity: Identity) -> str:
    """Say what a part gave for which no expression was evaluated."""
    match name:
        case "username":
            return f"from the claim {rules.username_claim}: {identity.username!r}"
        case "groups":
            groups = ", ".join(map(repr, identity.groups)) or "none"
            return f"from the claim {rules.groups_claim}: {groups}"
        case "uid":
            return f"from the claim {rules.uid_claim}: {identity.uid!r}"
    ((claim, wanted),) = rules.required_claims
    return f"the claim {claim} is {wanted!r}"


class _Recorded:
    """A program that notes what it gave."""

    def __init__(
        self, found: Explanation, name: str, program: Program, *, is_rule: bool = False
    ) -> None:
        self.text = " ".join([line.strip() for line in program.text.splitlines()])
        self._found = found
        self._name = name
        self._program = program
        self._is_rule = is_rule

    def evaluate(self, root: Root) -> Any:
        try:
            value = self._program.evaluate(root)
        except CelError as failed:
            self._found.steps.append(Step(self._name, False, f"{self.text} fails: {failed}"))
            raise
        good = value is True or not self._is_rule
        self._found.steps.append(Step(self._name, good, f"{self.text} gives {_shown(value)}"))
        return value


def _shown(value: Any) -> str:
    try:
        return literal(value)
    except CelError:
        return f"a {type_name(value)}"
