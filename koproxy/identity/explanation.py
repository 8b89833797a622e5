"""A decision step by step, for people: the same rules in the same order, with what each one gave.

Nothing is decided here that :mod:`koproxy.identity.authenticator` doesn't decide alike; that one
says what holds. A signature is never among what is told.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from koproxy.cel.claims import Root
from koproxy.cel.functions.conversions import type_name
from koproxy.cel.functions.formatting import literal
from koproxy.cel.values import CelError
from koproxy.identity.claims import Registered, check_times, read_registered
from koproxy.identity.distributed import find_source
from koproxy.identity.expressions import Program, Rule
from koproxy.identity.gojson import Members
from koproxy.identity.impersonation import NotCarried, impersonation_headers
from koproxy.identity.issuer import Issuer, canonical_issuer
from koproxy.identity.keys import KeySet
from koproxy.identity.token import Token, verify
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


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides: the issuers' rules, their keys by URL, and the ``system:`` groups allowed."""

    issuers: Mapping[str, Issuer]
    keys: Mapping[str, KeySet]
    allow_reserved_groups: Set[str] = frozenset()


def explain_token(
    token: Token, rules: Rules, now: float, groups: tuple[str, ...] | None = None
) -> Explanation:
    """Explain what is decided about a token at ``now``, in seconds since the epoch.

    ``groups`` are those that were fetched for a distributed claim, without a prefix.
    """
    found = Explanation()
    with_kid = f" by the key {token.kid!r}" if token.kid else ", its key is not named"
    found.add("token", f"a JSON Web Token, signed with {token.algorithm or 'nothing'}{with_kid}")

    def signature(issuer: Issuer, registered: Registered) -> None:
        _step(found, "algorithm", lambda: _algorithm(token, issuer))
        _step(found, "audience", lambda: _audience(registered, issuer))
        _step(found, "time", lambda: _times(registered, now))
        keys = rules.keys.get(canonical_issuer(registered.issuer))
        _step(found, "signature", lambda: _signature(token, keys))

    _explain(found, token.claims, rules, signature, groups)
    return found


def explain_claims(claims: Members, rules: Rules) -> Explanation:
    """Explain what is decided about claims, were they those of a good token."""
    found = Explanation()
    found.add("token", "there is none: its signature and its time are not looked at")

    def audience(issuer: Issuer, registered: Registered) -> None:
        _step(found, "audience", lambda: _audience(registered, issuer))

    _explain(found, claims, rules, audience, None)
    return found


def _explain(
    found: Explanation,
    claims: Members,
    rules: Rules,
    checks: Callable[[Issuer, Registered], None],
    groups: tuple[str, ...] | None,
) -> None:
    """Go through the steps; a Refused ends them, and is the last one's text."""
    try:
        registered = read_registered(claims)
        issuer = _issuer(found, registered, rules)
        checks(issuer, registered)
        last = claims.last()
        if issuer.groups_claim and find_source(issuer.groups_claim, last) is not None:
            found.add("groups", "they are in a distributed claim, and are fetched from elsewhere")
            last[issuer.groups_claim] = list(groups or ())
        found.identity = _identity(found, issuer, last)
        _step(found, "identity", lambda: _headers(found, rules))
    except Refused as refused:
        if found.steps[-1].good:
            found.steps.append(Step("claims", False, str(refused)))


def _step(found: Explanation, name: str, check: Callable[[], str]) -> None:
    try:
        found.add(name, check())
    except Refused as refused:
        found.steps.append(Step(name, False, str(refused)))
        raise


def _issuer(found: Explanation, registered: Registered, rules: Rules) -> Issuer:
    url = canonical_issuer(registered.issuer)
    issuer = rules.issuers.get(url)
    if issuer is None:
        known = ", ".join(rules.issuers) or "none"
        text = f"its iss claim is {registered.issuer!r}; the issuers here are: {known}"
        found.steps.append(Step("issuer", False, text))
        raise Refused(text)
    at = list(rules.issuers).index(url)
    found.add("issuer", f"{url} (jwt[{at}])" if len(rules.issuers) > 1 else url)
    return issuer


def _algorithm(token: Token, issuer: Issuer) -> str:
    if token.algorithm not in issuer.algorithms:
        raise Refused(
            f"{token.algorithm or 'none'} is not allowed; these are:"
            f" {', '.join(sorted(issuer.algorithms))}"
        )
    return f"{token.algorithm} is allowed"


def _audience(registered: Registered, issuer: Issuer) -> str:
    given, wanted = ", ".join(registered.audience), ", ".join(sorted(issuer.audiences))
    if issuer.audiences.isdisjoint(registered.audience):
        raise Refused(f"it is for {given or 'nobody'}, and has to be for {wanted}")
    return f"it is for {given}; wanted is {wanted}"


def _times(registered: Registered, now: float) -> str:
    try:
        expires = check_times(registered, now)
    except Refused as refused:
        raise Refused(f"{refused}{_when(registered)}; here it is {_time(now)}") from None
    return f"it is good until {_time(expires)}; here it is {_time(now)}"


def _when(registered: Registered) -> str:
    times = (("exp", registered.expires), ("nbf", registered.not_before))
    told = [f"{name} is {_time(each)}" for name, each in times if each is not None]
    return f" ({', '.join(told)})" if told else ""


def _time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return f"{int(seconds)} seconds after 1970"


def _signature(token: Token, keys: KeySet | None) -> str:
    if keys is None:
        raise Refused("the keys of the issuer are not known, so that nothing can be verified")
    names = ", ".join([repr(key.kid) for key in keys.keys])
    if not keys.has(token.kid):
        raise Refused(f"the issuer has no key {token.kid!r}; its keys are {names}")
    if not verify(token, keys):
        raise Refused(f"it does not fit the issuer's keys, which are {names}")
    return f"one of the issuer's {len(keys.keys)} keys verifies it"


# From claims to an identity


class _Recorded:
    """A program that notes what it gave."""

    def __init__(
        self, found: Explanation, name: str, program: Program, *, is_rule: bool = False
    ) -> None:
        self.text = program.text
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


def _identity(found: Explanation, issuer: Issuer, claims: Mapping[str, Any]) -> Identity:
    def recorded(name: str, program: Program | None) -> Program | None:
        return None if program is None else _Recorded(found, name, program)

    def rules(name: str, given: Iterable[Rule]) -> tuple[Rule, ...]:
        return tuple(
            [
                Rule(_Recorded(found, name, each.program, is_rule=True), each.message)
                for each in given
            ]
        )

    seen = replace(
        issuer,
        username=recorded("username", issuer.username),
        groups=recorded("groups", issuer.groups),
        uid=recorded("uid", issuer.uid),
        extra=tuple([(key, _Recorded(found, f"extra {key}", each)) for key, each in issuer.extra]),
        claim_rules=rules("claimValidationRules", issuer.claim_rules),
        user_rules=rules("userValidationRules", issuer.user_rules),
    )
    try:
        identity = seen.identity(claims)
    except Refused as refused:
        found.steps.append(Step("claims", False, str(refused)))
        raise
    for name, claim, given in (
        ("username", issuer.username_claim, repr(identity.username)),
        ("groups", issuer.groups_claim, ", ".join(map(repr, identity.groups)) or "none"),
        ("uid", issuer.uid_claim, repr(identity.uid)),
    ):
        if claim and getattr(issuer, name) is None:
            found.add(name, f"from the claim {claim}: {given}")
    for claim, wanted in issuer.required_claims:
        found.add("claimValidationRules", f"the claim {claim} is {wanted!r}")
    return identity


def _headers(found: Explanation, rules: Rules) -> str:
    assert found.identity is not None  # noqa: S101 - the step before has found it
    try:
        found.headers = impersonation_headers(
            found.identity, allow_reserved_groups=rules.allow_reserved_groups
        )
    except NotCarried as problem:
        raise Refused(str(problem)) from None
    return "it can be passed on"
