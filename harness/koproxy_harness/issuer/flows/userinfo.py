"""The userinfo endpoint (OpenID Connect Core 1.0 section 5.3): claims for an access token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koproxy_harness.issuer.flows.answers import NO_STORE, Answer, OAuthError, bearer_error
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.issuing import Issuing
from koproxy_harness.issuer.flows.reading import BadToken, Reading

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request


class Userinfo:
    """`/userinfo`, by GET and POST."""

    def __init__(self, issuing: Issuing, reading: Reading) -> None:
        self._issuing = issuing
        self._reading = reading

    def userinfo(self, request: Request) -> Answer:
        """Give the claims of the person as they are now, as far as the token's scopes allow."""
        try:
            text = bearer(request)
        except OAuthError as wrong:
            return bearer_error(wrong.error, wrong.description, wrong.status)
        if text is None:
            return bearer_error(None, "")
        try:
            token = self._reading.read(text)
        except BadToken as bad:
            return bearer_error("invalid_token", f"the token {bad}")
        if not token.is_access_token:
            return bearer_error("invalid_token", "the token is not an access token")
        if token.scope is not None and "openid" not in token.scope:
            return bearer_error(
                "insufficient_scope", "the token lacks the scope openid", 403, "openid"
            )
        claims = token.about_person
        if token.grant is not None and token.grant.username is not None:
            claims = self._issuing.claims(token.grant, token.scope or ())
        return Answer(200, claims, NO_STORE)


def bearer(request: Request) -> str | None:
    """Give the bearer token of a request, from its field or its form (RFC 6750 section 2).

    None without one; raises `OAuthError` for one that is given in two ways.
    """
    found = [
        value.partition(" ")[2].strip()
        for value in request.values("authorization")
        if value.partition(" ")[0].lower() == "bearer"
    ]
    if request.method == "POST" and request.body:
        form = Form.of_body(request)
        if "access_token" in form:
            found.append(form.need("access_token"))
    if len(found) > 1:
        raise OAuthError("invalid_request", "there is more than one token")
    return found[0] if found else None
