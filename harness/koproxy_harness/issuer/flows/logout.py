"""The end of a session at the issuer (OpenID Connect RP-Initiated Logout 1.0).

Tokens stay good: a log-out ends what is between the browser and the issuer, and no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from koproxy_harness.issuer import pages
from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.flows.answers import Answer, PageError, page, redirect
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.issuing import Issuing
from koproxy_harness.issuer.flows.reading import BadToken, Read, Reading
from koproxy_harness.issuer.flows.redirects import allowed, with_parameters
from koproxy_harness.issuer.flows.sessions import Sessions

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request


class Logout:
    """`/logout`, by GET and POST."""

    def __init__(self, issuing: Issuing, reading: Reading, sessions: Sessions) -> None:
        self._issuing = issuing
        self._reading = reading
        self._sessions = sessions

    def logout(self, request: Request) -> Answer:
        """End the session, having asked the person if the request doesn't show who is meant.

        Raises `PageError` for a return address that the client has not registered (section 3).
        """
        form = Form.of(request)
        hint = self._hint(form)
        target = self._target(form, self._client(form, hint))
        session = self._sessions.of(request)
        if session is not None and form.get("action") != "log-out":
            user = self._issuing.users.find(session.username)
            if user is None or hint is None or hint.claims.get("sub") != user.all_claims.get("sub"):
                return page(
                    pages.log_out(f"{self._issuing.path}/logout", session.username, form.pairs())
                )
        cookie = self._sessions.end(request)
        if target is None:
            return page(pages.done("Logged out", "You can close this page.")).also(cookie)
        return redirect(target).also(cookie)

    def _hint(self, form: Form) -> Read | None:
        text = form.get("id_token_hint")
        if text is None:
            return None
        try:
            return self._reading.read(text, as_hint=True)
        except BadToken as bad:
            raise PageError(f"The ID token with the request {bad}.") from None

    def _client(self, form: Form, hint: Read | None) -> Client | None:
        """Give the client that asks: by `client_id`, by the ID token, and never by two minds."""
        client_id = form.get("client_id")
        if hint is not None:
            audience = hint.claims.get("aud")
            audiences = audience if isinstance(audience, list) else [audience]
            if client_id is None:
                client_id = str(hint.claims.get("azp") or audiences[0])
            elif client_id not in audiences:
                raise PageError("The ID token with the request was given to another client.")
        return None if client_id is None else self._issuing.clients.find(client_id)

    def _target(self, form: Form, client: Client | None) -> str | None:
        uri = form.get("post_logout_redirect_uri")
        if uri is None:
            return None
        if client is None and self._issuing.clients.any:
            registered = None
        else:
            registered = () if client is None else client.post_logout_redirect_uris
        if not allowed(uri, registered):
            raise PageError(f"After the log-out nobody may be sent to “{uri}”.")
        state = form.get("state")
        return with_parameters(uri, [] if state is None else [("state", state)])
