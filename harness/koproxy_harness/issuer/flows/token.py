"""The token endpoint (RFC 6749 section 3.2): who the client is, and which grant it brings.

The grants themselves are in files of their own; each takes the form and the client and gives the
answer, or raises an `OAuthError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.flows.answers import NO_STORE, Answer, OAuthError
from koproxy_harness.issuer.flows.client_authentication import ClientAuthentication
from koproxy_harness.issuer.flows.form import Form

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request

GrantHandler = Callable[[Form, Client], dict[str, Any]]


class Token:
    """`/token`; `grants` are the handlers by their `grant_type`."""

    def __init__(
        self, authentication: ClientAuthentication, grants: Mapping[str, GrantHandler]
    ) -> None:
        self._authentication = authentication
        self._grants = grants

    def token(self, request: Request) -> Answer:
        """Answer with tokens."""
        form = Form.of_body(request)
        grant_type = form.need("grant_type")
        grant = self._grants.get(grant_type)
        if grant is None:
            raise OAuthError("unsupported_grant_type", f"there is only {', '.join(self._grants)}")
        client = self._authentication.client(request, form)
        if not client.may(grant_type):
            raise OAuthError("unauthorized_client", "the client may not use this grant")
        return Answer(200, grant(form, client), NO_STORE)
