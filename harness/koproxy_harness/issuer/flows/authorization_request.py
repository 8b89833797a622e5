"""Reads and judges an authorization request, before anybody is asked to log in.

Pure. What is wrong with the client or its redirect URI is told to the person, since nobody else
can be trusted with it; everything else goes back to the client (RFC 6749 section 4.1.2.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from koproxy_harness.issuer.clients import Client, Clients
from koproxy_harness.issuer.flows.answers import OAuthError, PageError
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.issuing import requested_audience
from koproxy_harness.issuer.flows.pkce import Challenge
from koproxy_harness.issuer.flows.redirects import allowed

RESPONSE_MODES = ("query", "form_post")
_SCOPE = re.compile(r"[!#-\[\]-~]+")  # RFC 6749 section 3.3
# What OpenID Connect Core 1.0 section 3.1.2.6 has an error of its own for.
_UNSUPPORTED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}


@dataclass(frozen=True)
class ReturnAddress:
    """Where the answer goes, and what it has to say to be recognized."""

    client: Client
    uri: str
    mode: str
    state: str | None

    @classmethod
    def of(cls, form: Form, clients: Clients) -> ReturnAddress:
        """Find it in a request; raises `PageError` if nothing may be sent there."""
        client_id = form.get("client_id")
        if client_id is None:
            raise PageError("The request names no client: client_id is missing.")
        client = clients.find(client_id)
        if client is None:
            raise PageError(f"There is no client called “{client_id}” here.")
        uri = form.get("redirect_uri")
        if uri is None:
            registered = client.redirect_uris or ()
            if len(registered) != 1 or "openid" in form.words("scope"):
                raise PageError("The request does not say where to return to: no redirect_uri.")
            uri = registered[0]
        if not allowed(uri, client.redirect_uris):
            raise PageError(f"The client “{client_id}” may not return to “{uri}”.")
        mode = form.get("response_mode")
        return cls(client, uri, mode if mode in RESPONSE_MODES else "query", form.get("state"))


@dataclass(frozen=True)
class AuthorizationRequest:
    """A request that may be answered with a code (OpenID Connect Core 1.0 section 3.1.2.1)."""

    back: ReturnAddress
    redirect_uri: str | None  # as the request had it
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    nonce: str | None
    challenge: Challenge | None
    prompt: tuple[str, ...]
    max_age: int | None
    login_hint: str | None
    id_token_hint: str | None

    @classmethod
    def of(cls, form: Form, back: ReturnAddress) -> AuthorizationRequest:
        """Read it; raises `OAuthError` for the client."""
        for name, error in _UNSUPPORTED.items():
            if name in form:
                raise OAuthError(error, f"the parameter {name} is not supported")
        if form.need("response_type") != "code":
            raise OAuthError("unsupported_response_type", "response_type can only be code")
        if form.get("response_mode") not in (None, *RESPONSE_MODES):
            raise OAuthError("invalid_request", "response_mode can be query or form_post")
        if not back.client.may("authorization_code"):
            raise OAuthError("unauthorized_client", "the client may not use authorization codes")
        return cls(
            back=back,
            redirect_uri=form.get("redirect_uri"),
            scope=requested_scope(form),
            audience=requested_audience(form),
            nonce=form.get("nonce"),
            challenge=_challenge(form, back.client),
            prompt=_prompt(form),
            max_age=_max_age(form),
            login_hint=form.get("login_hint"),
            id_token_hint=form.get("id_token_hint"),
        )


def requested_scope(form: Form) -> tuple[str, ...]:
    """Give the scopes asked for; raises `OAuthError` (`invalid_scope`) for a malformed one."""
    scopes = form.words("scope")
    if not all(_SCOPE.fullmatch(scope) for scope in scopes):
        raise OAuthError("invalid_scope", "a scope has characters that none may have")
    return scopes


def _challenge(form: Form, client: Client) -> Challenge | None:
    value = form.get("code_challenge")
    if value is None:
        if "code_challenge_method" in form:
            raise OAuthError("invalid_request", "code_challenge is missing beside its method")
        if client.known and client.public:  # RFC 7636 section 4.4.1, RFC 9700 section 2.1.1
            raise OAuthError("invalid_request", "code challenge required of a public client")
        return None
    challenge = Challenge(value, form.get("code_challenge_method") or "plain")
    if not challenge.well_formed:
        raise OAuthError(
            "invalid_request",
            "code_challenge has to be of 43 to 128 unreserved characters, "
            "and the transform algorithm S256 or plain",
        )
    return challenge


def _prompt(form: Form) -> tuple[str, ...]:
    prompt = form.words("prompt")
    if "none" in prompt and len(prompt) > 1:
        raise OAuthError("invalid_request", "prompt can't be none and something else")
    return prompt


def _max_age(form: Form) -> int | None:
    text = form.get("max_age")
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", text) is None:
        raise OAuthError("invalid_request", "max_age has to be a number of seconds")
    return int(text)
