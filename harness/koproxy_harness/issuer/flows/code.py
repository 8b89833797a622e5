"""The grant `authorization_code` (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""

from __future__ import annotations

from typing import Any

from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.flows.answers import OAuthError
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.grants import Code
from koproxy_harness.issuer.flows.issuing import Issuing


def authorization_code(issuing: Issuing, form: Form, client: Client) -> dict[str, Any]:
    """Exchange a code; one that comes a second time ends what the first time gave."""
    code = issuing.ledger.codes.get(form.need("code"))
    if code is None:
        raise OAuthError("invalid_grant", "there is no such code")
    if code.grant.client_id != client.client_id:
        raise OAuthError("invalid_grant", "the code was given to another client")
    if code.used:
        code.grant.revoked = True
        raise OAuthError("invalid_grant", "the code has been used before; its tokens are revoked")
    if code.expires <= issuing.clock.now():
        raise OAuthError("invalid_grant", "the code has expired")
    if code.redirect_uri != form.get("redirect_uri"):
        raise OAuthError(
            "invalid_grant", "redirect_uri is not the one of the authorization request"
        )
    _check_verifier(code, form.get("code_verifier"))
    code.used = True
    return issuing.answer(code.grant, client)


def _check_verifier(code: Code, verifier: str | None) -> None:
    if code.challenge is None:
        if verifier is not None:  # RFC 9700 section 2.1.1: somebody has left the challenge out
            raise OAuthError("invalid_grant", "code_verifier is there, code_challenge was not")
        return
    if verifier is None:
        raise OAuthError("invalid_grant", "code_verifier is missing")
    if not code.challenge.met_by(verifier):
        raise OAuthError("invalid_grant", "code_verifier does not fit code_challenge")
