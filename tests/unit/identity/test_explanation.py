"""An explanation says what the authenticator decides, and the first thing that isn't good."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.signer import CLIENT, NOW, URL, Signer

from koproxy.cel.compiling import Compiler
from koproxy.identity.authenticator import Authenticator
from koproxy.identity.decision import (
    ClaimsNeeded,
    Forbidden,
    KeysNeeded,
    Need,
    Outcome,
    Unauthenticated,
    Unavailable,
    Verified,
)
from koproxy.identity.explanation import Rules, explain_claims, explain_text
from koproxy.identity.expressions import Rule
from koproxy.identity.gojson import loads
from koproxy.identity.issuer import Issuer
from koproxy.identity.steps import Explanation

SIGNER = Signer()
STRANGER = Signer(number=1)
OTHER = "https://other.example"
ACCESS, ENDPOINT = "an-access-token", "https://claims.example/jane"
RULES = Issuer(URL, frozenset({CLIENT}), groups_claim="groups", groups_prefix="oidc:")
COMPILER = Compiler()

USERNAMES = {
    text: COMPILER.claims(text)
    for text in (
        "claims.sub",
        "'oidc:' + claims.sub",
        "claims.?email.orValue('')",
        "claims.n",
        "claims.nested.name",
        "has(claims.email) ? claims.email : 'nobody'",
    )
}
LISTS = {
    text: COMPILER.claims(text)
    for text in (
        "claims.groups",
        "claims.?groups.orValue([])",
        "dyn(claims.groups).map(g, 'x:' + g)",
        "claims.sub.split(',')",
        "['a', string(claims.sub)]",
        "claims.email",
        "null",
    )
}
CLAIM_RULES = {
    text: COMPILER.claims(text, is_rule=True)
    for text in (
        "claims.sub != 'joe'",
        "claims.email.endsWith('@example.com')",
        "'groups' in claims.nested",
        "has(claims.groups)",
        "true",
        "false",
    )
}
USER_RULES = {
    text: COMPILER.user(text)
    for text in (
        "!user.username.startsWith('system:')",
        "user.groups.all(g, !g.startsWith('system:'))",
        "'dev' in user.groups",
        "user.uid != ''",
        "size(user.extra) == 0",
    )
}


def rules_of(*issuers: Issuer, reserved: frozenset[str] = frozenset()) -> Rules:
    return Rules({each.url: each for each in issuers}, {URL: SIGNER.keys}, reserved)


def decided(
    text: bytes, rules: Rules, fetched: Mapping[ClaimsNeeded, bytes] | None = None
) -> Outcome | Need:
    made = Authenticator(rules.issuers.values(), allow_reserved_groups=rules.allow_reserved_groups)
    for url, keys in rules.keys.items():
        made.use_keys(url, keys)
    return made.authenticate(b"Bearer " + text, NOW, fetched)


def explained(
    text: bytes, rules: Rules, fetched: Mapping[ClaimsNeeded, bytes] | None = None
) -> Explanation:
    """The explanation of a token, once it was seen to agree with what is decided."""
    decision = decided(text, rules, fetched)
    outcome = decision if isinstance(decision, Outcome) else None
    found = explain_text(text, rules, NOW, outcome)
    assert found.good == isinstance(decision, Verified), (found, decision)
    assert found.good == all(step.good for step in found.steps)
    if isinstance(decision, Verified):
        assert (found.headers, found.identity) == (decision.headers, decision.identity)
    else:
        assert (found.headers, found.identity) == (None, None)
        bad = [number for number, step in enumerate(found.steps) if not step.good]
        assert bad[0] >= len(found.steps) - 2
        assert bad == list(range(bad[0], len(found.steps)))
    signature = text.rpartition(b".")[2]
    if len(signature) > 20:
        assert all(signature.decode() not in step.text for step in found.steps)
    assert all(ACCESS not in step.text for step in found.steps)
    return found


def refused(found: Explanation) -> tuple[str, str]:
    """The name and the text of the first step that isn't good."""
    return next((step.name, step.text) for step in found.steps if not step.good)


def told(found: Explanation) -> dict[str, str]:
    return {step.name: step.text for step in found.steps if step.good}


def signed(**changes: Any) -> bytes:
    return SIGNER.sign(SIGNER.claims(**changes))


def test_a_good_token_is_explained_from_its_issuer_to_its_headers() -> None:
    found = explained(signed(groups=["dev", "ops"]), rules_of(RULES))
    assert [step.name for step in found.steps] == [
        "token",
        "issuer",
        "algorithm",
        "audience",
        "time",
        "signature",
        "username",
        "groups",
        "identity",
    ]
    assert told(found) | {"token": "", "signature": ""} == {
        "token": "",
        "issuer": URL,
        "algorithm": "RS256 is allowed",
        "audience": "it is for 'kubernetes'; wanted is 'kubernetes'",
        "time": "it is good until 2023-11-14T23:13:20Z; here it is 2023-11-14T22:13:20Z",
        "signature": "",
        "username": "from the claim sub: 'jane'",
        "groups": "from the claim groups: 'oidc:dev', 'oidc:ops'",
        "identity": "it can be passed on",
    }
    assert found.headers == (
        b"Impersonate-User: jane\r\nImpersonate-Group: oidc:dev\r\nImpersonate-Group: oidc:ops\r\n"
    )


@pytest.mark.parametrize(
    ("changes", "step", "reason"),
    [
        ({"iss": OTHER}, "issuer", "https://other.example"),
        ({"iss": URL + "/"}, "issuer", "issuer.example/'"),
        ({"iss": None}, "issuer", "''"),
        ({"iss": 1}, "claims", "iss claim is no string"),
        ({"aud": "me"}, "audience", "it is for 'me', and has to be for 'kubernetes'"),
        ({"aud": []}, "audience", "it is for none"),
        ({"aud": {}}, "claims", "aud claim is neither"),
        ({"exp": int(NOW) - 1}, "time", "it has expired (exp is 2023-11-14T22:13:19Z)"),
        ({"exp": None}, "time", "it has no exp claim"),
        ({"exp": "soon"}, "claims", "exp claim is no number"),
        ({"exp": 2**62, "nbf": int(NOW) + 61}, "time", "it is not valid yet"),
        ({"sub": None}, "username", "it has no sub claim"),
        ({"sub": 1}, "claims", "sub claim is no string"),
        ({"sub": ""}, "identity", "empty user name"),
        ({"sub": "system:admin"}, "identity", '"system:admin" is reserved'),
        ({"sub": "a\nb"}, "identity", "control character"),
        ({"groups": 5}, "groups", "groups claim is neither"),
        ({"groups": ["a", 5]}, "groups", "groups claim is no string"),
    ],
)
def test_the_first_step_that_is_not_good_says_why(
    changes: dict[str, Any], step: str, reason: str
) -> None:
    name, text = refused(explained(signed(**changes), rules_of(RULES)))
    assert name == step
    assert reason in text


@pytest.mark.parametrize(
    ("changes", "step", "reason"),
    [
        ({"username_claim": "email"}, "username", "it has no email claim"),
        ({"uid_claim": "id"}, "uid", "it has no id claim"),
        ({"required_claims": (("org", "a"),)}, "claimValidationRules", "it has no org claim"),
        ({"required_claims": (("sub", "joe"),)}, "claimValidationRules", "the required value"),
        ({"audiences": frozenset({"a", "b"})}, "audience", "has to be for 'a', 'b'"),
        ({"algorithms": frozenset({"ES256", "PS256"})}, "algorithm", "these are: ES256, PS256"),
        ({"groups_prefix": "system:"}, "identity", "--allow-reserved-groups"),
        (
            {"username": COMPILER.claims("claims.email")},
            "username",
            "claims.email fails: no such key",
        ),
        ({"username": COMPILER.claims("''")}, "claims", "user name gives an empty one"),
        ({"username": COMPILER.claims("claims.exp")}, "claims", "gives no string"),
        ({"groups": COMPILER.claims("claims.x")}, "groups", "claims.x fails: no such key"),
        ({"uid": COMPILER.claims("claims.exp")}, "claims", "for the uid gives no string"),
        (
            {"extra": (("a.io/b", COMPILER.claims("'v'")), ("a.io/c", COMPILER.claims("[1]")))},
            "claims",
            "the extra a.io/c gives neither",
        ),
        (
            {"claim_rules": (Rule(CLAIM_RULES["true"]), Rule(CLAIM_RULES["false"], "no entry"))},
            "claimValidationRules",
            "false gives false",
        ),
        (
            {"user_rules": (Rule(COMPILER.user("user.username ==\n  'joe'"), "only joe"),)},
            "userValidationRules",
            "user.username == 'joe' gives false",
        ),
    ],
)
def test_each_rule_has_a_step_of_its_own(changes: dict[str, Any], step: str, reason: str) -> None:
    claim = "" if "groups" in changes else RULES.groups_claim
    rules = replace(RULES, groups_claim=claim, **changes)
    name, text = refused(explained(signed(groups=["dev"]), rules_of(rules)))
    assert name == step
    assert reason in text


def test_the_message_of_a_rule_follows_what_it_gave() -> None:
    rules = replace(RULES, claim_rules=(Rule(CLAIM_RULES["false"], "no entry"),))
    found = explained(signed(), rules_of(rules))
    assert [(step.name, step.good, step.text) for step in found.steps[-2:]] == [
        ("claimValidationRules", False, "false gives false"),
        ("claims", False, "no entry"),
    ]


def test_what_maps_is_told_in_order_even_where_a_rule_refuses_it() -> None:
    rules = replace(
        RULES,
        uid=COMPILER.claims("claims.sub + '-1'"),
        extra=(("a.io/b", COMPILER.claims("['x', string(claims.sub)]")),),
        required_claims=(("org", "a"),),
        claim_rules=(Rule(CLAIM_RULES["true"]),),
        user_rules=(Rule(USER_RULES["size(user.extra) == 0"]),),
    )
    found = explained(signed(groups="dev", org="a"), rules_of(rules))
    assert [(step.name, step.text) for step in found.steps[6:]] == [
        ("username", "from the claim sub: 'jane'"),
        ("groups", "from the claim groups: 'oidc:dev'"),
        ("uid", "claims.sub + '-1' gives \"jane-1\""),
        ("extra a.io/b", '[\'x\', string(claims.sub)] gives ["x", "jane"]'),
        ("claimValidationRules", "the claim org is 'a'"),
        ("claimValidationRules", "true gives true"),
        ("userValidationRules", "size(user.extra) == 0 gives false"),
        ("claims", "a rule about the user is not met"),
    ]


def test_a_reserved_group_is_good_where_it_is_allowed() -> None:
    rules = replace(RULES, groups_prefix="")
    token = signed(groups=["system:masters"])
    assert refused(explained(token, rules_of(rules)))[0] == "identity"
    assert explained(token, rules_of(rules, reserved=frozenset({"system:masters"}))).good


def test_the_signature_is_looked_at_after_what_is_cheap_and_before_what_claims_mean() -> None:
    rules = rules_of(RULES)
    for claims, step in (
        ({"sub": None}, "signature"),
        ({"exp": 1}, "time"),
        ({"aud": "x"}, "audience"),
    ):
        token = STRANGER.sign(STRANGER.claims(**claims), {"kid": SIGNER.key().kid})
        assert refused(explained(token, rules))[0] == step


@pytest.mark.parametrize(
    ("header", "alg", "reason"),
    [
        ({"kid": "none-such"}, "RS256", "no key 'none-such'"),
        ({"kid": SIGNER.key().kid}, "RS256", "does not fit"),
        ({"kid": None}, "RS256", "does not fit"),
    ],
)
def test_a_signature_that_does_not_fit_is_told_with_the_keys_that_there_are(
    header: dict[str, Any], alg: str, reason: str
) -> None:
    token = STRANGER.sign(STRANGER.claims(), header, alg)
    name, text = refused(explained(token, rules_of(RULES)))
    assert name == "signature"
    assert reason in text
    assert repr(SIGNER.key().kid) in text


def test_without_keys_the_signature_is_the_reason() -> None:
    rules = replace(rules_of(RULES), keys={})
    assert refused(explained(signed(), rules))[1].startswith("the keys of the issuer are not known")


def test_only_a_part_of_a_token_that_is_known_is_shown_as_it_is() -> None:
    token = SIGNER.sign(SIGNER.claims(aud="x\x1b[2J"), {"alg": "\x1b[2Jok", "kid": "\n"})
    found = explained(token, rules_of(RULES))
    assert all(step.text.isprintable() for step in found.steps)
    assert refused(found)[0] == "algorithm"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b".",
        b"..",
        b"a.b.c",
        b"abc",
        b"\x00.\xff.\x00",
        b"e30.e30.e30",
        b"e30.W10.e30",
        b"e30.e30",
        b"W10.e30.",
    ],
)
def test_rubbish_is_explained_too(text: bytes) -> None:
    assert refused(explained(text, rules_of(RULES)))[0] in ("token", "issuer")


def test_the_place_of_an_issuer_is_told_where_there_are_several() -> None:
    rules = rules_of(replace(RULES, url=OTHER), RULES)
    assert told(explained(signed(), rules))["issuer"] == f"{URL} (jwt[1])"
    assert OTHER in refused(explained(signed(iss="x"), rules))[1]


# Groups from elsewhere

DISTRIBUTED = {
    "_claim_names": {"groups": "src"},
    "_claim_sources": {"src": {"endpoint": ENDPOINT, "access_token": ACCESS}},
}
NEED = ClaimsNeeded(ENDPOINT, ACCESS, URL)


@pytest.mark.parametrize("groups", ["dev", ["dev"], [], None, ["dev", "system:x"]])
@pytest.mark.parametrize("rule", ["true", "claims.groups == 'dev'", "claims.groups == ['dev']"])
def test_groups_that_were_fetched_are_in_the_identity(groups: Any, rule: str) -> None:
    rules = replace(RULES, claim_rules=(Rule(COMPILER.claims(rule, is_rule=True)),))
    answer = SIGNER.sign(SIGNER.claims() | {"groups": groups})
    found = explained(signed(**DISTRIBUTED), rules_of(rules), {NEED: answer})
    assert ENDPOINT in told(found)["groups"]


def test_groups_that_were_fetched_and_are_refused_have_their_reason() -> None:
    answer = SIGNER.sign(SIGNER.claims(groups=["system:masters"]))
    rules = rules_of(replace(RULES, groups_prefix=""))
    name, text = refused(explained(signed(**DISTRIBUTED), rules, {NEED: answer}))
    assert name == "claims"
    assert '"system:masters" is reserved' in text
    answer = SIGNER.sign(SIGNER.claims())
    assert "has none" in refused(explained(signed(**DISTRIBUTED), rules, {NEED: answer}))[1]


def test_groups_that_were_not_fetched_are_not_taken_for_none() -> None:
    rules = rules_of(RULES)
    assert isinstance(decided(signed(**DISTRIBUTED), rules), ClaimsNeeded)
    assert refused(explained(signed(**DISTRIBUTED), rules))[0] == "claims"
    outcome = Unavailable("the groups in a distributed claim can't be had: it is late")
    found = explain_text(signed(**DISTRIBUTED), rules, NOW, outcome)
    assert refused(found) == ("claims", outcome.message)


def test_groups_from_an_address_that_is_none_are_refused() -> None:
    sources = {"src": {"endpoint": "http://claims.example"}}
    token = signed(**{**DISTRIBUTED, "_claim_sources": sources})
    assert "no https URL" in refused(explained(token, rules_of(RULES)))[1]
    token = signed(_claim_names={"groups": "src"}, _claim_sources={})
    assert "its _claim_sources lack" in refused(explained(token, rules_of(RULES)))[1]


# Claims alone


def of_claims(claims: dict[str, Any], rules: Rules) -> Explanation:
    return explain_claims(loads(json.dumps(claims).encode()), rules)


def test_claims_are_explained_as_those_of_a_good_token() -> None:
    rules = rules_of(RULES)
    found = of_claims({"iss": URL, "aud": CLIENT, "sub": "jane", "groups": ["a"]}, rules)
    assert found.headers == b"Impersonate-User: jane\r\nImpersonate-Group: oidc:a\r\n"
    assert "signature" not in told(found)
    assert refused(of_claims({"iss": URL, "sub": "jane"}, rules))[0] == "audience"
    assert refused(of_claims(SIGNER.claims(**DISTRIBUTED), rules))[0] == "claims"
    assert refused(of_claims({}, rules))[0] == "issuer"


# All of it together

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
NAMES = st.sampled_from(["dev", "ops", "", "system:masters", "system:authenticated", " a", "é"])
CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "iss": st.sampled_from([URL, OTHER, "x"]),
        "aud": st.sampled_from([CLIENT, "x", ["x", CLIENT], [], None]),
        "exp": st.integers(int(NOW) - 5, int(NOW) + 5) | JSON,
        "nbf": st.integers(int(NOW) + 55, int(NOW) + 65),
        "sub": st.sampled_from(["jane", "joe", "a,b", "", "system:x"]) | JSON,
        "email": st.sampled_from(["a@example.com", "b@x", ""]) | JSON,
        "email_verified": st.booleans() | JSON,
        "groups": st.lists(NAMES, max_size=3) | NAMES | JSON,
        "n": JSON,
        "nested": st.dictionaries(st.sampled_from(["name", "groups"]), JSON) | JSON,
        "_claim_names": st.sampled_from([{"groups": "src"}, {}, {"x": "src"}, None, 1]),
        "_claim_sources": st.sampled_from(
            [{"src": {"endpoint": ENDPOINT, "access_token": ACCESS}}, {"src": {"jwt": "x"}}, {}, 1]
        ),
    },
)


def some(table: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(list(table.values()))


def rules_from(table: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    each = st.builds(Rule, some(table), st.sampled_from(["", "only some"]))
    return st.lists(each, max_size=2).map(tuple)


@st.composite
def issuers(draw: st.DrawFn) -> Issuer:
    username = draw(st.none() | some(USERNAMES))
    groups = draw(st.none() | some(LISTS))
    uid = draw(st.none() | some(USERNAMES))
    extra = draw(st.lists(some(LISTS), max_size=2))
    return Issuer(
        URL,
        draw(st.sampled_from([frozenset({CLIENT}), frozenset({CLIENT, "x"})])),
        draw(st.sampled_from([frozenset({"RS256"}), frozenset({"RS256", "ES256"})])),
        username_claim="" if username else draw(st.sampled_from(["sub", "email", "n"])),
        username_prefix=draw(st.sampled_from(["", "oidc:", "system:"])),
        groups_claim="" if groups else draw(st.sampled_from(["", "groups", "nested"])),
        groups_prefix=draw(st.sampled_from(["", "oidc:"])),
        required_claims=draw(
            st.sampled_from([(), (("sub", "jane"),), (("sub", "jane"), ("email", "b@x"))])
        ),
        username=username,
        groups=groups,
        uid_claim="" if uid else draw(st.sampled_from(["", "email"])),
        uid=uid,
        extra=tuple((f"example.com/{n}", program) for n, program in enumerate(extra)),
        claim_rules=draw(rules_from(CLAIM_RULES)),
        user_rules=draw(rules_from(USER_RULES)),
    )


@given(
    claims=CLAIMS,
    rules=issuers(),
    alg=st.sampled_from(["RS256", "RS256", "RS256", "ES256"]),
    signer=st.sampled_from([SIGNER, SIGNER, SIGNER, STRANGER]),
    kid=st.sampled_from([True, True, False, "x"]),
    reserved=st.sampled_from([frozenset[str](), frozenset({"system:masters"})]),
    fetched=st.none() | st.fixed_dictionaries({"groups": st.lists(NAMES) | NAMES | JSON}),
    good=st.booleans(),
)
def test_it_agrees_with_the_authenticator_whatever_is_claimed(
    claims: dict[str, Any],
    rules: Issuer,
    alg: str,
    signer: Signer,
    kid: bool | str,
    reserved: frozenset[str],
    fetched: dict[str, Any] | None,
    good: bool,
) -> None:
    if good:  # as far as the signature, so that more is seen of what claims mean
        kept = {name: claims[name] for name in ("email", "groups", "n", "nested") if name in claims}
        token = SIGNER.sign(json.dumps(SIGNER.claims() | kept).encode())
    else:
        header = {} if kid is True else {"kid": kid or None}
        token = signer.sign(json.dumps(claims).encode(), header, alg)
    answers = None if fetched is None else {NEED: SIGNER.sign(SIGNER.claims(**fetched))}
    known = Rules({URL: rules}, {URL: SIGNER.keys}, reserved)
    decision = decided(token, known, answers)
    found = explained(token, known, answers)
    last = found.steps[-1].text
    match decision:
        case Forbidden(message):
            assert last == message
        case KeysNeeded():
            assert found.steps[-1].name == "signature"
        case Unauthenticated(reason) if found.steps[-1].name in ("claims", "username", "uid"):
            assert reason.endswith(last)
