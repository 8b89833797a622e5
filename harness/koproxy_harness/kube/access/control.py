"""What is decided about a request before it is answered: the one door to this room.

It reads the store, and changes nothing.
https://kubernetes.io/docs/concepts/security/controlling-access/
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from koproxy_harness.kube.access.authentication import Authentication
from koproxy_harness.kube.access.escalation import Escalation
from koproxy_harness.kube.access.forbidden import forbidden
from koproxy_harness.kube.access.impersonation import Impersonation
from koproxy_harness.kube.access.issuer_tokens import TokenRules
from koproxy_harness.kube.access.rbac import Objects, Rbac
from koproxy_harness.kube.access.reviews import Reviews
from koproxy_harness.kube.access.service_account_tokens import ServiceAccountTokens
from koproxy_harness.kube.access.users import User
from koproxy_harness.kube.request_info import RequestInfo

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request


class Access:
    """Who asks one API server, whom they act as, and whether they may.

    `now` gives the time, in seconds since 1970, by which tokens end. `reviews`
    answers questions about all this, and `escalation` judges what is written to roles and bindings.
    """

    def __init__(
        self,
        store: Objects,
        admin_token: str,
        tokens: TokenRules | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        accounts = ServiceAccountTokens(store, now)
        self._rbac = Rbac(store)
        self._authentication = Authentication(admin_token, tokens, accounts, now)
        self._impersonation = Impersonation(self._rbac.allowed)
        self.escalation = Escalation(self._rbac)
        self.reviews = Reviews(store, self._rbac, self._authentication, accounts)

    @property
    def admin_token(self) -> str:
        """The administrator's token, which may be replaced."""
        return self._authentication.admin_token

    @admin_token.setter
    def admin_token(self, token: str) -> None:
        self._authentication.admin_token = token

    def authenticate(self, request: Request) -> User:
        """Give who makes a request; raises `Refusal` 401 for a token that is no good."""
        return self._authentication.user(request)

    def acting(self, user: User, request: Request, info: RequestInfo) -> User:
        """Give whom a request is made as, who is `user` where it doesn't ask for another.

        Raises `Refusal`: 403 for who may not, 400 for a group, uid or extra without a user.
        """
        return self._impersonation.acting(user, request, info)

    def authorize(self, user: User, info: RequestInfo) -> None:
        """Let a request pass; raises `Refusal` 403 for one that is not allowed."""
        decision = self._rbac.allowed(user, info)
        if not decision.allowed:
            raise forbidden(user, info, decision.reason)
