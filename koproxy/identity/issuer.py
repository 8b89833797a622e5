"""One issuer's rules: whose tokens are taken, and which claims become which part of an identity.

The rules are those of kube-apiserver's AuthenticationConfiguration, of which its ``--oidc-*`` flags
are a part. Where the issuer's keys come from, and whether an identity may be passed on, is decided
elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from koproxy.cel.claims import Root, claims_root, user_root
from koproxy.identity.expressions import Program, Rule, plain, text, texts
from koproxy.identity.typed import Refused, string, strings
from koproxy.identity.user import Identity

_GOOGLE = "https://accounts.google.com"


@dataclass(frozen=True, slots=True)
class Issuer:
    """The rules for the tokens of one issuer.

    Of each name a claim or an expression gives it, never both. An empty prefix adds nothing, and an
    empty ``groups_claim`` gives no groups. ``discovery_url`` is where discovery is, if not below
    ``url``.
    """

    url: str
    audiences: frozenset[str]
    algorithms: frozenset[str] = frozenset({"RS256"})
    username_claim: str = "sub"
    username_prefix: str = ""
    groups_claim: str = ""
    groups_prefix: str = ""
    required_claims: tuple[tuple[str, str], ...] = ()
    discovery_url: str = ""
    username: Program | None = None
    groups: Program | None = None
    uid_claim: str = ""
    uid: Program | None = None
    extra: tuple[tuple[str, Program], ...] = ()
    claim_rules: tuple[Rule, ...] = ()
    user_rules: tuple[Rule, ...] = ()

    def identity(self, claims: Mapping[str, Any]) -> Identity:
        """Map the claims of a verified token; raises Refused if they don't give an identity."""
        root = claims_root(claims, plain)
        username = self._username(claims, root)
        groups = self._groups(claims, root)
        identity = Identity(username, self._uid(claims, root), groups, self._extra(root))
        for claim, wanted in self.required_claims:
            if _string_claim(claim, claims) != wanted:
                raise Refused(f"its {claim} claim has not the required value")
        for rule in self.claim_rules:
            rule.check(root, "claims")
        if self.user_rules:
            user = user_root(identity.username, identity.uid, identity.groups, dict(identity.extra))
            for rule in self.user_rules:
                rule.check(user, "the user")
        return identity

    def _username(self, claims: Mapping[str, Any], root: Root) -> str:
        if self.username is not None:
            username = text(self.username, root, "the user name")
            if not username:
                raise Refused("the expression for the user name gives an empty one")
            return username
        username = _string_claim(self.username_claim, claims)
        if self.username_claim == "email" and "email_verified" in claims:
            verified = claims["email_verified"]
            if not isinstance(verified, bool | None):
                raise Refused("its email_verified claim is neither true nor false")
            if not verified:
                raise Refused("its email is not verified")
        return self.username_prefix + username

    def _uid(self, claims: Mapping[str, Any], root: Root) -> str:
        if self.uid is not None:
            return text(self.uid, root, "the uid")
        return _string_claim(self.uid_claim, claims) if self.uid_claim else ""

    def _groups(self, claims: Mapping[str, Any], root: Root) -> tuple[str, ...]:
        if self.groups is not None:
            return texts(self.groups, root, "the groups")
        if not self.groups_claim or self.groups_claim not in claims:
            return ()
        value = claims[self.groups_claim]
        names = (value,) if isinstance(value, str) else strings(self.groups_claim, value)
        return tuple([self.groups_prefix + name for name in names])

    def _extra(self, root: Root) -> tuple[tuple[str, tuple[str, ...]], ...]:
        found = [(key, texts(program, root, f"the extra {key}")) for key, program in self.extra]
        return tuple([(key, values) for key, values in found if values])


def canonical_issuer(iss: str) -> str:
    """Give the URL that an ``iss`` claim stands for: Google may leave the scheme out."""
    return _GOOGLE if iss == "accounts.google.com" else iss


def _string_claim(claim: str, claims: Mapping[str, Any]) -> str:
    if claim not in claims:
        raise Refused(f"it has no {claim} claim")
    return string(claim, claims[claim])
