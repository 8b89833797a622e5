"""From the value of an ``Authorization`` header to an outcome, or to what is needed for one.

The cheap refusals come first, then the signature, and only then what a claim means. Nothing is
fetched: needs are answers, and whoever has fetched what was needed asks again.
"""

from collections.abc import Iterable, Mapping, Set
from typing import Any

from koproxy.identity.added import NOTHING, Added
from koproxy.identity.bearer import bearer_token
from koproxy.identity.cache import VerifiedCache
from koproxy.identity.claims import Registered, check_times, read_registered
from koproxy.identity.decision import (
    ClaimsNeeded,
    Forbidden,
    KeysNeeded,
    Need,
    Outcome,
    Unauthenticated,
    Verified,
)
from koproxy.identity.distributed import find_source
from koproxy.identity.explanation import Rules
from koproxy.identity.impersonation import NotCarried, impersonation_headers
from koproxy.identity.issuer import Issuer, canonical_issuer
from koproxy.identity.keys import KeySet
from koproxy.identity.token import Token, canonical, read_token, verify
from koproxy.identity.typed import Refused

DISTRIBUTED_SECONDS = 10
"""Claims that were fetched hold so long, as in kube-apiserver, however long their token lasts."""

_NOT_ACCEPTED = "the bearer token is not accepted: "


class _Needed(Exception):
    def __init__(self, need: Need) -> None:
        super().__init__(need)
        self.need = need


class Authenticator:
    """Decides about tokens by issuers' rules and the keys it was given.

    Typical use: ``cached`` first; if that has nothing, ``authenticate``; if the answer is a need,
    ``use_keys`` or a longer ``fetched``, and ``authenticate`` again.
    """

    def __init__(
        self,
        issuers: Iterable[Issuer],
        *,
        allow_reserved_groups: Set[str] = frozenset(),
        cache: VerifiedCache | None = None,
        added: Added = NOTHING,
        impersonate: bool = True,
    ) -> None:
        """Take the issuers' rules, and the ``system:`` groups that tokens may give.

        ``added`` is what everybody's identity gets besides. Without ``impersonate``, who is
        verified is passed on with their own token; what may not be passed on is the same.
        """
        self._allow_reserved_groups = allow_reserved_groups
        self._added = added
        self._impersonate = impersonate
        self._keys: dict[str, KeySet] = {}
        self._cache = VerifiedCache() if cache is None else cache
        self.cached = self._cache.get
        self.use_issuers(issuers)

    def use_issuers(self, issuers: Iterable[Issuer]) -> None:
        """Decide by these issuers' rules and no others; what was verified before is forgotten."""
        self._issuers = {issuer.url: issuer for issuer in issuers}
        self._cache.clear()

    @property
    def remembered(self) -> int:
        """How many verified tokens are kept; some of them may have expired."""
        return len(self._cache)

    @property
    def rules(self) -> Rules:
        """What decides now."""
        return Rules(
            dict(self._issuers), dict(self._keys), self._allow_reserved_groups, self._added
        )

    def use_keys(self, issuer: str, keys: KeySet) -> bool:
        """Verify the tokens of the ``issuer`` of this URL with ``keys`` and no others.

        What was verified before is forgotten. Returns False, and forgets nothing, if these were
        its keys already.
        """
        if self._keys.get(issuer) == keys:
            return False
        self._keys[issuer] = keys
        self._cache.clear()
        return True

    def drop_keys(self, issuer: str) -> None:
        """Have no keys of the ``issuer`` of this URL any more."""
        if self._keys.pop(issuer, None) is not None:
            self._cache.clear()

    def authenticate(
        self,
        authorization: bytes,
        now: float,
        fetched: Mapping[ClaimsNeeded, bytes] | None = None,
    ) -> Outcome | Need:
        """Decide about a header's value at ``now``, in seconds since the epoch.

        ``fetched`` holds the JWTs that were fetched for earlier ClaimsNeeded about this value.
        """
        text = bearer_token(authorization)
        if text is None:
            return Unauthenticated("the request has no bearer token")
        issuer: Issuer | None = None
        try:
            token = read_token(text)
            registered = read_registered(token.claims)
            issuer = self._issuers.get(canonical_issuer(registered.issuer))
            if issuer is None:
                raise Refused("it comes from another issuer")
            token_expires: float = self._verify(token, registered, issuer, now)
            expires = token_expires
            claims = token.claims.last()
            if issuer.groups_claim:
                expires = min(expires, self._distributed(claims, issuer, now, fetched or {}))
            identity = issuer.identity(claims)
        except Refused as refused:
            return Unauthenticated(_NOT_ACCEPTED + str(refused), issuer.url if issuer else "")
        except _Needed as needed:
            return needed.need
        try:
            headers = impersonation_headers(
                identity, allow_reserved_groups=self._allow_reserved_groups, added=self._added
            )
        except NotCarried as problem:
            return Forbidden(str(problem), identity, issuer.url)
        if self._impersonate:
            verified = Verified(headers, identity, expires, token_expires, issuer=issuer.url)
        else:
            credential = b"Bearer " + text
            verified = Verified(b"", identity, expires, token_expires, credential, issuer.url)
        # One token has many spellings; only the usual ones are kept, or it could fill the cache.
        if authorization[7:] == canonical(token) and authorization[:7] in (b"Bearer ", b"bearer "):
            self._cache.put(authorization, verified)
        return verified

    def _verify(self, token: Token, registered: Registered, rules: Issuer, now: float) -> int:
        """Return the token's last second; the keys are those of the issuer that it names itself."""
        if token.algorithm not in rules.algorithms:
            raise Refused("its signing algorithm is not allowed")
        if rules.audiences.isdisjoint(registered.audience):
            raise Refused("it is for another audience")
        expires = check_times(registered, now)
        url = canonical_issuer(registered.issuer)
        keys = self._keys.get(url)
        if keys is None:
            reason = _NOT_ACCEPTED + "the keys of its issuer are not known yet"
            raise _Needed(KeysNeeded(url, True, reason, rules.url))
        if not verify(token, keys):
            reason = _NOT_ACCEPTED + (
                "its signature does not fit the issuer's keys"
                if keys.has(token.kid)
                else "the issuer has no key of the name that it gives"
            )
            raise _Needed(KeysNeeded(url, False, reason, rules.url))
        return expires

    def _distributed(
        self,
        claims: dict[str, Any],
        rules: Issuer,
        now: float,
        fetched: Mapping[ClaimsNeeded, bytes],
    ) -> float:
        """Put the groups into ``claims`` if they are elsewhere; return until when they hold."""
        source = find_source(rules.groups_claim, claims)
        if source is None:
            return float("inf")
        if not source.endpoint.startswith("https://"):
            raise Refused("its groups are at an address that is no https URL")
        need = ClaimsNeeded(source.endpoint, source.access_token, rules.url)
        if need not in fetched:
            raise _Needed(need)
        try:
            token = read_token(fetched[need])
            registered = read_registered(token.claims)
            if not canonical_issuer(registered.issuer).startswith("https://"):
                raise Refused("its issuer is no https URL")
            expires = self._verify(token, registered, rules, now)
        except Refused as refused:
            raise Refused(f"the token with its groups is not accepted: {refused}") from None
        found = token.claims.last()
        if rules.groups_claim not in found:
            raise Refused("the token with its groups has none")
        claims[rules.groups_claim] = found[rules.groups_claim]
        return min(expires, now + DISTRIBUTED_SECONDS)
