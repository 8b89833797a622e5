"""The grant `password` (RFC 6749 section 4.3): for tests that have no use for a page."""

from __future__ import annotations

from typing import Any

from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.flows.answers import OAuthError
from koproxy_harness.issuer.flows.authorization_request import requested_scope
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.grants import Grant
from koproxy_harness.issuer.flows.issuing import Issuing, requested_audience


def password(issuing: Issuing, form: Form, client: Client) -> dict[str, Any]:
    """Give tokens to who knows a name and its password."""
    username = form.need("username")
    if issuing.users.authenticate(username, form.get("password")) is None:
        raise OAuthError("invalid_grant", "name and password don't go together")
    grant = Grant(
        client_id=client.client_id,
        username=username,
        scope=requested_scope(form),
        audience=requested_audience(form),
        auth_time=int(issuing.clock.now()),
    )
    return issuing.answer(grant, client)
