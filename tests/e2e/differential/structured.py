"""Issuers of an AuthenticationConfiguration with expressions, and tokens for each of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from e2e.differential.cases import Case, bearer
from koproxy_harness import Issuer

AUDIENCE = "kubernetes"
_SUB = {"username": {"expression": "claims.sub"}}


@dataclass
class Structured:
    """One entry of `jwt`, its issuer, and what it is about."""

    name: str
    parts: dict[str, Any]
    audiences: tuple[str, ...] = (AUDIENCE,)
    discovered: bool = False
    issuer: Issuer = field(default_factory=Issuer)

    @property
    def entry(self) -> dict[str, Any]:
        """The entry."""
        issuer: dict[str, Any] = {
            "url": self.issuer.url,
            "audiences": list(self.audiences),
            "certificateAuthority": self.issuer.ca_pem,
        }
        if len(self.audiences) > 1:
            issuer["audienceMatchPolicy"] = "MatchAny"
        if self.discovered:
            # Another spelling of the usual place: a discoveryURL must differ from the URL.
            issuer["discoveryURL"] = f"{self.issuer.url}/.well-known/openid-configuration"
        return {"issuer": issuer, "claimMappings": _SUB, **self.parts}

    def token(self, **changes: object) -> bytes:
        """A header with a token that is good for most entries; None takes a claim away."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": self.issuer.url,
            "aud": AUDIENCE,
            "exp": now + 3600,
            "iat": now,
            "sub": "jane",
            "email": "jane@example.com",
            "email_verified": True,
            "groups": ["dev", "ops"],
            "roles": "admin,view",
            "tenant": "blue",
            "level": 3,
            "address": {"country": "NO", "postal.code": "0150"},
            "https://example.com/teams": ["red"],
        }
        claims |= changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return bearer(self.issuer.sign(kept))


def _maps(**mappings: Any) -> dict[str, Any]:
    return {"claimMappings": {**_SUB, **mappings}}


def _expression(text: str) -> dict[str, str]:
    return {"expression": text}


def _extra(**values: str) -> list[dict[str, str]]:
    return [
        {"key": f"example.org/{key}", "valueExpression": value} for key, value in values.items()
    ]


def _rules(*expressions: str) -> dict[str, Any]:
    return {"claimValidationRules": [{"expression": each} for each in expressions]}


def _user_rules(*expressions: str) -> dict[str, Any]:
    return {"userValidationRules": [{"expression": each} for each in expressions]}


def several() -> list[Structured]:
    """Entries for one API server."""
    email = "claims.email_verified == true ? claims.email : ''"
    return [
        Structured(
            "claims alone", {"claimMappings": {"username": {"claim": "sub", "prefix": "o:"}}}
        ),
        Structured("a verified email", _maps(username=_expression(email))),
        Structured("a prefix", _maps(username=_expression("'oidc:' + claims.sub"))),
        Structured(
            "one of several names",
            _maps(username=_expression("claims.?upn.orValue(claims.?login.orValue(claims.sub))")),
        ),
        Structured("claims of another type", _maps(username=_expression("string(claims.level)"))),
        Structured("groups as they are", _maps(groups=_expression("claims.groups"))),
        Structured("a groups claim", _maps(groups={"claim": "groups", "prefix": "team:"})),
        Structured(
            "groups with a prefix",
            _maps(groups=_expression("dyn(claims.groups).map(g, 'team:' + g)")),
        ),
        Structured("groups by splitting", _maps(groups=_expression("claims.roles.split(',')"))),
        Structured(
            "groups split and mapped",
            _maps(groups=_expression("claims.roles.split(',').map(r, 'role:' + r)")),
        ),
        Structured(
            "groups from two claims",
            _maps(groups=_expression("claims.groups + claims.?more.orValue([])")),
        ),
        Structured(
            "groups that are there",
            _maps(groups=_expression("has(claims.groups) ? claims.groups : []")),
        ),
        Structured(
            "groups by a filter",
            _maps(groups=_expression("dyn(claims.groups).filter(g, g.matches('^[a-z]+$'))")),
        ),
        Structured(
            "a claim with a URL for a name",
            _maps(groups=_expression("claims['https://example.com/teams']")),
        ),
        Structured("escaped names", _maps(groups=_expression("claims.address.postal__dot__code"))),
        Structured("a uid claim", _maps(uid={"claim": "sub"})),
        Structured("a uid", _maps(uid=_expression("claims.?oid.orValue(claims.sub)"))),
        Structured(
            "extras",
            _maps(
                extra=_extra(
                    tenant="claims.tenant",
                    all="claims.groups",
                    none="claims.?nothing.orValue([])",
                    country="claims.address.country",
                    null="dyn(null)",
                )
            ),
        ),
        Structured(
            "an extra that can fail", _maps(extra=_extra(tenant="claims.tenant.lowerAscii()"))
        ),
        Structured(
            "required",
            {
                "claimValidationRules": [
                    {"claim": "tenant", "requiredValue": "blue"},
                    {"expression": "claims.level > 2", "message": "too low"},
                ]
            },
        ),
        Structured("a rule", _rules("claims.email.endsWith('@example.com')")),
        Structured("two rules", _rules("claims.email_verified == true", "claims.level == 3.0")),
        Structured(
            "a rule of life", _rules("claims.exp - claims.iat <= 86400.0", "has(claims.email)")
        ),
        Structured(
            "a rule about a list", _rules("'dev' in claims.groups", "size(claims.groups) < 3")
        ),
        Structured("a rule that may be false", _rules("claims.?disabled.orValue(false) == false")),
        Structured("a user's rule", _user_rules("!user.username.startsWith('system:')")),
        Structured(
            "a rule about the user's groups",
            {
                **_maps(groups=_expression("claims.groups")),
                **_user_rules("user.groups.all(g, !g.startsWith('system:'))"),
            },
        ),
        Structured(
            "a rule about all of the user",
            {
                **_maps(
                    groups=_expression("claims.groups"),
                    uid=_expression("claims.sub"),
                    extra=_extra(tenant="claims.tenant"),
                ),
                **_user_rules(
                    "user.uid == user.username && user.extra['example.org/tenant'] == ['blue']",
                    "user.groups.exists(g, g == 'dev')",
                ),
            },
        ),
        Structured("two audiences", {}, audiences=(AUDIENCE, "other")),
        Structured("formats", _rules("!format.dns1123Label().validate(claims.sub).hasValue()")),
        Structured("a URL", _rules("url(claims.iss).getHostname() == '127.0.0.1'")),
        Structured(
            "mapped optionals",
            _maps(groups=_expression("claims.?tenant.optMap(t, ['t:' + t]).orValue([])")),
        ),
    ]


CHANGES: dict[str, dict[str, object]] = {
    "good": {},
    "another sub": {"sub": "Jörg 😀"},
    "no sub": {"sub": None},
    "an empty sub": {"sub": ""},
    "a sub that is a number": {"sub": 5},
    "no email": {"email": None},
    "another email": {"email": "jane@example.org"},
    "email not verified": {"email_verified": False},
    "email verified as a text": {"email_verified": "true"},
    "email not known to be verified": {"email_verified": None},
    "no groups": {"groups": None},
    "no group": {"groups": []},
    "one group": {"groups": "dev"},
    "many groups": {"groups": [f"g{at}" for at in range(200)]},
    "groups with an empty one": {"groups": ["", "dev", ""]},
    "groups that are numbers": {"groups": [1, "dev"]},
    "groups that are null": {"groups": [None]},
    "groups in groups": {"groups": [["dev"]]},
    "groups that are an object": {"groups": {"dev": True}},
    "groups that are a number": {"groups": 7},
    "null": {"tenant": [None], "level": [], "roles": {}},
    "roles with an empty one": {"roles": "a,,b"},
    "no roles": {"roles": None},
    "roles that are a list": {"roles": ["a"]},
    "another tenant": {"tenant": "GREEN"},
    "a tenant that is a list": {"tenant": ["blue", ""]},
    "a low level": {"level": 1},
    "a fractional level": {"level": 2.5},
    "a level that is a text": {"level": "3"},
    "a large level": {"level": 1e300},
    "no level": {"level": None},
    "another claim": {"upn": "u", "oid": "o", "more": ["x"], "disabled": True},
    "another claim of a type": {"upn": 1, "oid": [], "more": "x", "disabled": "no"},
    "no address": {"address": None},
    "an address that is a text": {"address": "NO"},
    "an address without a code": {"address": {"country": ["NO", "SE"]}},
    "no teams": {"https://example.com/teams": None},
    "another audience": {"aud": "other"},
    "two audiences": {"aud": ["nobody", AUDIENCE]},
    "nobody's audience": {"aud": "nobody"},
    "expired": {"exp": 5},
    "a reserved name": {"sub": "system:admin"},
    "a reserved group": {"groups": ["system:masters"]},
    "a line end": {"sub": "a\nb"},
    "an identifier": {"jti": "123"},
}


def structured_cases(world: dict[str, Structured]) -> Iterator[Case]:
    """Each change of the claims at each issuer."""
    for name, each in world.items():
        for what, changes in CHANGES.items():
            yield Case(what, name, each.token(**changes))
