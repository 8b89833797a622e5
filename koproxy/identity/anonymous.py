"""Requests without a token that a configuration lets through: as nobody, never as the proxy.

The ``anonymous`` of an AuthenticationConfiguration: an API server behind koproxy gets such a
request with the user name system:anonymous, and its RBAC decides what nobody may do.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
"""

from collections.abc import Iterable

from koproxy.identity.decision import Verified
from koproxy.identity.impersonation import anonymous_headers
from koproxy.identity.user import ANONYMOUS, Identity

NOBODY = Verified(anonymous_headers(ANONYMOUS), Identity(ANONYMOUS), float("inf"))
UNNAMED = Verified(b"", Identity(ANONYMOUS), float("inf"), credential=b"")
"""Nobody where nobody is impersonated: the API server gets the request without a credential."""


class Anonymous:
    """Which requests need no token."""

    def __init__(self, *, enabled: bool = False, paths: Iterable[str] = ()) -> None:
        """Take whether there are any, and their paths; without paths all are."""
        self._enabled = enabled
        self._paths = frozenset(path.encode() for path in paths)

    def decide(self, target: bytes) -> Verified | None:
        """Say who sends a request without a token for a target: nobody, or None for not at all.

        A path with an escape in it is none of the paths, whatever it would be without.
        """
        if not self._enabled:
            return None
        if not self._paths or target.partition(b"?")[0] in self._paths:
            return NOBODY
        return None
