"""Token introspection (RFC 7662): what a token is good for, asked by who has received it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from koproxy_harness.issuer.flows.answers import NO_STORE, Answer, OAuthError
from koproxy_harness.issuer.flows.client_authentication import ClientAuthentication
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.issuing import Issuing
from koproxy_harness.issuer.flows.reading import BadToken, Reading

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request


class Introspection:
    """`/introspect`. Where clients are configured, it answers only those with a secret."""

    def __init__(
        self, issuing: Issuing, reading: Reading, authentication: ClientAuthentication
    ) -> None:
        self._issuing = issuing
        self._reading = reading
        self._authentication = authentication

    def introspect(self, request: Request) -> Answer:
        """Tell about a token (section 2.2); of one that is no good nothing but that."""
        form = Form.of_body(request)
        self._check_asker(request, form)
        token = form.need("token")
        body = self._refresh_token(token) or self._signed_token(token) or {"active": False}
        return Answer(200, body, NO_STORE)

    def _check_asker(self, request: Request, form: Form) -> None:
        asks = bool(request.values("authorization")) or "client_id" in form
        if self._issuing.clients.any and not asks and "client_assertion" not in form:
            return
        client = self._authentication.client(request, form)
        if client.known and client.public:
            raise OAuthError("invalid_client", "a public client may not introspect tokens", 401)

    def _refresh_token(self, token: str) -> dict[str, Any] | None:
        refresh = self._issuing.ledger.refreshes.get(token)
        if refresh is None or refresh.used or refresh.grant.revoked:
            return None
        if refresh.expires <= self._issuing.clock.now():
            return None
        grant = refresh.grant
        return {
            "active": True,
            "iss": self._issuing.url(),
            "sub": self._issuing.claims(grant, ())["sub"],
            "username": grant.username,
            "client_id": grant.client_id,
            "scope": " ".join(grant.scope),
            "exp": int(refresh.expires),
        }

    def _signed_token(self, token: str) -> dict[str, Any] | None:
        try:
            read = self._reading.read(token)
        except BadToken:
            return None
        username = {} if read.grant is None else {"username": read.grant.username}
        kind = {"token_type": "Bearer"} if read.is_access_token else {}
        known = {name: value for name, value in username.items() if value is not None}
        return {**read.claims, **known, **kind, "active": True}
