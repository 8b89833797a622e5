"""Who makes a request: by a client certificate, a token, or nobody in particular.

It reads a request's head and what it was given, and answers nothing.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""

from __future__ import annotations

import binascii
import secrets
from base64 import urlsafe_b64decode
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from koproxy_harness.kube.access.issuer_tokens import TokenRules
from koproxy_harness.kube.access.service_account_tokens import (
    ISSUER,
    InvalidToken,
    ServiceAccountTokens,
)
from koproxy_harness.kube.access.users import (
    ANONYMOUS,
    CREDENTIAL_ID,
    MASTERS,
    UNAUTHENTICATED,
    User,
    authenticated,
)
from koproxy_harness.kube.status import Refusal, together

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request

AUDIENCES = (ISSUER,)  # for whom a token has to be that the API server takes for itself

_NOT_VALID = "invalid bearer token"
_PROTOCOL = "base64url.bearer.authorization.k8s.io."


class Authentication:
    """The ways to say who one is to one API server."""

    def __init__(
        self,
        admin_token: str,
        tokens: TokenRules | None,
        accounts: ServiceAccountTokens,
        now: Callable[[], float],
    ) -> None:
        self.admin_token = admin_token
        self._now = now
        self._tokens = tokens
        self._accounts = accounts

    def user(self, request: Request) -> User:
        """Give who makes a request; who doesn't say is system:anonymous.

        A client certificate goes before a token. Raises `Refusal` 401 for a token that is no good.
        """
        if request.peer_name:
            credential = ((CREDENTIAL_ID, (f"X509SHA256={request.peer_fingerprint}",)),)
            return authenticated(User(request.peer_name, request.peer_groups, "", credential))
        try:
            token = _bearer(request) or _websocket(request)
            if token is None:
                return User(ANONYMOUS, (UNAUTHENTICATED,))
            return self.by_token(token, AUDIENCES)[0]
        except InvalidToken:
            raise Refusal(401, "Unauthorized") from None

    def by_token(self, token: str, audiences: Sequence[str]) -> tuple[User, list[str]]:
        """Give the user of a token, and for which of these audiences it is.

        Raises `InvalidToken` with the API server's message.
        """
        common = [audience for audience in AUDIENCES if audience in audiences]
        if common:
            if secrets.compare_digest(token.encode(), self.admin_token.encode()):
                return authenticated(User("admin", (MASTERS,), "admin")), common
            user = self._tokens.user(token, self._now()) if self._tokens else None
            if user is not None:
                return authenticated(user), common
        try:
            found = self._accounts.user(token, audiences)
        except InvalidToken as wrong:
            raise InvalidToken(together([_NOT_VALID, str(wrong)])) from None
        if found is None:
            raise InvalidToken(_NOT_VALID)
        return authenticated(found[0]), found[1]


def _bearer(request: Request) -> str | None:
    """Give a request's token; what isn't one is no word about who asks, as in Kubernetes."""
    given = (request.values("authorization") or [""])[0].strip(" \t")
    scheme, _, rest = given.partition(" ")
    return (rest.partition(" ")[0] or None) if scheme.lower() == "bearer" else None


def _websocket(request: Request) -> str | None:
    """Give the token that a browser's WebSocket has as a subprotocol.

    Raises `InvalidToken` for two of them, or one that is alone or can't be read.
    """
    if "upgrade" not in request.tokens("connection") or request.tokens("upgrade") != ["websocket"]:
        return None
    fields = ",".join(request.values("sec-websocket-protocol"))
    protocols = [protocol.strip() for protocol in fields.split(",")]
    given = [each.removeprefix(_PROTOCOL) for each in protocols if each.startswith(_PROTOCOL)]
    if not given:
        return None
    if len(given) > 1:
        raise InvalidToken("multiple base64.bearer.authorization tokens specified")
    if len(protocols) == 1:
        raise InvalidToken("missing additional subprotocol")
    try:
        return urlsafe_b64decode(given[0] + "=" * (-len(given[0]) % 4)).decode() or None
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidToken("invalid base64.bearer.authorization token encoding") from None
