"""What can be said about a bearer token: four outcomes, and two needs that stand before one.

A fifth, :class:`Misread`, is about what a request asks for beside its token.

Immutable data, made by :mod:`koproxy.identity.authenticator` and read by the proxy. A reason is a
short clause for people; it never holds a token, a key or a long text that a client chose.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from koproxy.identity.user import ANONYMOUS, Identity


@dataclass(frozen=True, slots=True)
class Verified:
    """The token is good: who it names, and the header lines that carry it to the API server.

    ``headers`` is a block of whole ``Impersonate-*`` lines, each ended by CRLF, without the empty
    line that ends a head. ``expires`` is in seconds since the epoch; the outcome holds up to and
    including it. ``token_expires`` is the token's own ``exp`` where that is later: groups from
    elsewhere are asked for again before.

    ``credential`` is the ``Authorization`` that goes upstream in place of the proxy's own: the
    client's, for a request that is passed on as the client's and with nothing of the proxy's, or
    empty for one that has none. ``headers`` is empty then, or what the client asked to be.

    ``issuer`` is the URL of the issuer by whose rules it was found, or empty.
    """

    headers: bytes
    identity: Identity
    expires: float
    token_expires: float = 0.0
    credential: bytes | None = field(default=None, repr=False)
    issuer: str = ""

    @property
    def ends(self) -> float:
        """Until when the token itself is good, in seconds since the epoch."""
        return max(self.expires, self.token_expires)


@dataclass(frozen=True, slots=True)
class Unauthenticated:
    """Nobody is named (401): ``reason`` is a clause such as "the token has expired".

    It is one of few: no claim is in it. ``issuer`` is the URL of the issuer by whose rules that was
    found, or empty.
    """

    reason: str
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The token is good, but its identity is not one to pass on (403): ``message`` says why.

    ``identity`` and ``issuer`` are as :class:`Verified` has them, where they are what is refused.
    """

    message: str
    identity: Identity | None = None
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nothing can be decided yet (503), for instance before the issuer's first key set."""

    message: str


@dataclass(frozen=True, slots=True)
class Misread:
    """The request asks to be somebody else in a way that can't be read (400)."""

    message: str


@dataclass(frozen=True, slots=True)
class KeysNeeded:
    """No key at hand verifies the token; ``issuer`` may have published another one.

    ``first`` says that there are no keys of this issuer at all yet. ``reason`` is the clause to
    refuse with if newer keys are not to be had. ``rules`` is the URL of the issuer by whose rules
    the token is decided: another one where the token is that of a distributed claim.
    """

    issuer: str
    first: bool
    reason: str
    rules: str


@dataclass(frozen=True, slots=True)
class ClaimsNeeded:
    """The groups stand in a distributed claim (OpenID Connect Core 1.0, section 5.6.2).

    ``endpoint`` is an https URL that answers with a JWT, to be asked with ``access_token`` as the
    bearer token where that is not empty. ``rules`` is the URL of the issuer by whose rules the
    token is decided.
    """

    endpoint: str
    access_token: str = field(repr=False)
    rules: str


Outcome = Verified | Unauthenticated | Forbidden | Unavailable
Reviewed = Verified | Forbidden | Misread | Unavailable
Need = KeysNeeded | ClaimsNeeded

DECISIONS: Mapping[type, str] = {
    Verified: "authenticated",
    Unauthenticated: "unauthenticated",
    Forbidden: "forbidden",
    Unavailable: "unavailable",
    Misread: "misread",
    type(None): "undecided",
}
"""What each kind of outcome is called in logs and counts; None is what was never decided."""


def decision_name(decision: Outcome | Misread | None) -> str:
    """Name an outcome in a word, nobody's by itself."""
    if isinstance(decision, Verified) and decision.identity.username == ANONYMOUS:
        return "anonymous"
    return DECISIONS[type(decision)]
