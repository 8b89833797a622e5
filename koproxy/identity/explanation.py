"""A decision step by step, for people: the same rules in the same order, with what each one gave.

Nothing is decided here that :mod:`koproxy.identity.authenticator` doesn't decide alike; that one
says what holds. A signature is never among what is told.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime

from koproxy.identity.added import NOTHING, Added
from koproxy.identity.claims import Registered, check_times, read_registered
from koproxy.identity.decision import Outcome, Unauthenticated, Verified
from koproxy.identity.distributed import find_source
from koproxy.identity.gojson import Members
from koproxy.identity.impersonation import NotCarried, impersonation_headers
from koproxy.identity.issuer import Issuer, canonical_issuer
from koproxy.identity.keys import KeySet
from koproxy.identity.steps import Explanation, Step, map_claims
from koproxy.identity.token import Token, read_token, verify
from koproxy.identity.typed import Refused
from koproxy.identity.user import Identity


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides: the issuers' rules, their keys by URL, and the ``system:`` groups allowed.

    ``added`` is what the proxy adds to an identity.
    """

    issuers: Mapping[str, Issuer]
    keys: Mapping[str, KeySet]
    allow_reserved_groups: Set[str] = frozenset()
    added: Added = NOTHING


def explain_token(
    token: Token, rules: Rules, now: float, outcome: Outcome | None = None
) -> Explanation:
    """Explain what is decided about a token at ``now``, in seconds since the epoch.

    ``outcome`` is what was decided once everything had been fetched; without it, groups in a
    distributed claim are not known.
    """
    found = Explanation()
    with_kid = f" by the key {token.kid!r}" if token.kid else ", its key is not named"
    found.add("token", f"a JSON Web Token, signed with {_algorithm_of(token)}{with_kid}")

    def signature(issuer: Issuer, registered: Registered) -> None:
        _step(found, "algorithm", lambda: _algorithm(token, issuer))
        _step(found, "audience", lambda: _audience(registered, issuer))
        _step(found, "time", lambda: _times(registered, now))
        keys = rules.keys.get(canonical_issuer(registered.issuer))
        _step(found, "signature", lambda: _signature(token, keys))

    _explain(found, token.claims, rules, signature, outcome)
    return found


def explain_text(
    text: bytes, rules: Rules, now: float, outcome: Outcome | None = None
) -> Explanation:
    """Explain what is decided about what may be no token at all, as ``explain_token`` does."""
    try:
        token = read_token(text)
    except Refused as refused:
        return Explanation([Step("token", False, str(refused))])
    return explain_token(token, rules, now, outcome)


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
    outcome: Outcome | None,
) -> None:
    """Go through the steps; a Refused ends them, and is the last one's text."""
    try:
        registered = read_registered(claims)
        issuer = _issuer(found, registered, rules)
        checks(issuer, registered)
        last = claims.last()
        source = find_source(issuer.groups_claim, last) if issuer.groups_claim else None
        if source is None:
            found.identity = map_claims(found, issuer, last)
        else:
            found.add("groups", f"they are in a distributed claim, at {source.endpoint!r}")
            found.identity = _with_groups_from_elsewhere(found, outcome)
        _step(found, "identity", lambda: _headers(found, rules))
    except Refused as refused:
        found.identity = None
        if found.steps[-1].text != str(refused):
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


def _algorithm_of(token: Token) -> str:
    return repr(token.algorithm) if token.algorithm else "nothing"


def _algorithm(token: Token, issuer: Issuer) -> str:
    if token.algorithm not in issuer.algorithms:
        allowed = ", ".join(sorted(issuer.algorithms))
        raise Refused(f"{_algorithm_of(token)} is not allowed; these are: {allowed}")
    return f"{token.algorithm} is allowed"


def _audience(registered: Registered, issuer: Issuer) -> str:
    given, wanted = _listed(registered.audience), _listed(sorted(issuer.audiences))
    if issuer.audiences.isdisjoint(registered.audience):
        raise Refused(f"it is for {given}, and has to be for {wanted}")
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
    names = _listed([key.kid for key in keys.keys])
    if not keys.has(token.kid):
        raise Refused(f"the issuer has no key {token.kid!r}; its keys are {names}")
    if not verify(token, keys):
        raise Refused(f"it does not fit the issuer's keys, which are {names}")
    return f"one of the issuer's {len(keys.keys)} keys verifies it"


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(map(repr, texts)) or "none"


def _with_groups_from_elsewhere(found: Explanation, outcome: Outcome | None) -> Identity:
    match outcome:
        case Verified(identity=identity):
            found.add("claims", "the groups are fetched, and all rules are met with them")
            return identity
        case None:
            raise Refused("nothing is fetched here: put the groups themselves into the claims")
        case Unauthenticated(reason):
            raise Refused(reason)
    raise Refused(outcome.message)


def _headers(found: Explanation, rules: Rules) -> str:
    assert found.identity is not None  # noqa: S101 - the step before has found it
    try:
        found.headers = impersonation_headers(
            found.identity,
            allow_reserved_groups=rules.allow_reserved_groups,
            added=rules.added,
        )
    except NotCarried as problem:
        raise Refused(str(problem)) from None
    return "it can be passed on"
