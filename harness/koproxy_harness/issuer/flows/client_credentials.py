"""The grant `client_credentials` (RFC 6749 section 4.4): a program acts for itself."""

from __future__ import annotations

from typing import Any

from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.flows.answers import OAuthError
from koproxy_harness.issuer.flows.authorization_request import requested_scope
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.grants import Grant
from koproxy_harness.issuer.flows.issuing import Issuing, requested_audience


def client_credentials(issuing: Issuing, form: Form, client: Client) -> dict[str, Any]:
    """Give an access token whose subject is the client; no other token goes with it."""
    if client.known and client.public:
        raise OAuthError("unauthorized_client", "a public client can't act for itself")
    grant = Grant(client.client_id, None, requested_scope(form), requested_audience(form))
    return issuing.answer(grant, client)
