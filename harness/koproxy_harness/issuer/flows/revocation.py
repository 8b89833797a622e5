"""Token revocation (RFC 7009): a client gives back what it needs no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koproxy_harness.issuer.flows.answers import NO_STORE, Answer, OAuthError
from koproxy_harness.issuer.flows.client_authentication import ClientAuthentication
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.issuing import Issuing
from koproxy_harness.issuer.flows.reading import BadToken, Reading

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request


class Revocation:
    """`/revoke`. A refresh token takes its whole family along, an access token goes alone."""

    def __init__(
        self, issuing: Issuing, reading: Reading, authentication: ClientAuthentication
    ) -> None:
        self._issuing = issuing
        self._reading = reading
        self._authentication = authentication

    def revoke(self, request: Request) -> Answer:
        """Revoke a token of this client; one that is no good (any more) is fine (section 2.2)."""
        form = Form.of_body(request)
        client = self._authentication.client(request, form)
        token = form.need("token")
        refresh = self._issuing.ledger.refreshes.get(token)
        if refresh is not None:
            _check_owner(refresh.grant.client_id, client.client_id)
            refresh.grant.revoked = True
            return Answer(200, "", NO_STORE)
        try:
            claims = self._reading.read(token).claims
        except BadToken:
            return Answer(200, "", NO_STORE)
        _check_owner(claims.get("client_id", claims.get("azp")), client.client_id)
        self._issuing.ledger.revoke(token)
        return Answer(200, "", NO_STORE)


def _check_owner(owner: object, client_id: str) -> None:
    """A token without an owner was made by a test, and is anybody's."""
    if owner not in (None, client_id):
        raise OAuthError("invalid_grant", "the token was given to another client")
