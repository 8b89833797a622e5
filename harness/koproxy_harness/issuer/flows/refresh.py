"""The grant `refresh_token`, with rotation (RFC 6749 section 6, RFC 9700 section 4.14.2)."""

from __future__ import annotations

from typing import Any

from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.flows.answers import OAuthError
from koproxy_harness.issuer.flows.authorization_request import requested_scope
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.issuing import Issuing


def refresh_token(issuing: Issuing, form: Form, client: Client) -> dict[str, Any]:
    """Give new tokens, among them a refresh token in the place of the one that came.

    An old one that comes again has been stolen, or stolen from: the whole family ends.
    """
    refresh = issuing.ledger.refreshes.get(form.need("refresh_token"))
    if refresh is None:
        raise OAuthError("invalid_grant", "there is no such refresh token")
    grant = refresh.grant
    if grant.client_id != client.client_id:
        raise OAuthError("invalid_grant", "the refresh token was given to another client")
    if grant.revoked:
        raise OAuthError("invalid_grant", "the refresh token was revoked")
    if refresh.used:
        grant.revoked = True
        raise OAuthError(
            "invalid_grant", "the refresh token has been used before; its family is revoked"
        )
    if refresh.expires <= issuing.clock.now():
        raise OAuthError("invalid_grant", "the refresh token has expired")
    scope = requested_scope(form) or grant.scope
    if not set(scope) <= set(grant.scope):
        raise OAuthError("invalid_scope", "scope has more in it than was granted")
    refresh.used = True
    return issuing.answer(grant, client, scope)
