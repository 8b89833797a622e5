"""The authorization endpoint: the log-in page, and the code that follows (RFC 6749 section 4.1).

Only the code flow: the implicit and hybrid flows hand tokens to the browser and are not to be used
any more (RFC 9700 section 2.1.2). The log-in form carries the request in its own URL, so that
nothing is kept between page and form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from koproxy_harness.issuer import pages
from koproxy_harness.issuer.flows.answers import (
    Answer,
    OAuthError,
    PageError,
    origin,
    page,
    redirect,
)
from koproxy_harness.issuer.flows.authorization_request import AuthorizationRequest, ReturnAddress
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.grants import Code, Grant
from koproxy_harness.issuer.flows.issuing import Issuing
from koproxy_harness.issuer.flows.reading import BadToken, Reading
from koproxy_harness.issuer.flows.redirects import with_parameters
from koproxy_harness.issuer.flows.sessions import Session, Sessions
from koproxy_harness.issuer.users import DEFAULT

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request

CODE_LIFETIME = 60  # seconds
WRONG_LOGIN = "This name and password don't go together."


class Authorize:
    """`/authorize`, where clients send people to, and `/login`, where its form goes."""

    def __init__(self, issuing: Issuing, reading: Reading, sessions: Sessions) -> None:
        self._issuing = issuing
        self._reading = reading
        self._sessions = sessions

    def authorize(self, request: Request) -> Answer:
        """Answer an authorization request: with the page, or at once if nobody needs be asked."""
        form = Form.of(request)
        back = ReturnAddress.of(form, self._issuing.clients)
        try:
            wanted = AuthorizationRequest.of(form, back)
            session = self._fitting(self._sessions.of(request), wanted)
            if session is not None:
                return self._code(wanted, session)
            if "none" in wanted.prompt:
                raise OAuthError("login_required", "nobody is logged in who could be meant")
        except OAuthError as refused:
            return self._refusal(back, refused)
        hint = wanted.login_hint or (DEFAULT if self._issuing.users.anybody else "")
        return page(self._login_page(form, wanted, hint))

    def login(self, request: Request) -> Answer:
        """Take the form of the page."""
        query = Form.of_query(request)
        back = ReturnAddress.of(query, self._issuing.clients)
        form = Form.of_body(request)
        username = form.get("username") or ""
        try:
            wanted = AuthorizationRequest.of(query, back)
        except OAuthError as refused:
            return self._refusal(back, refused)
        if form.get("action") == "refuse":
            return self._refusal(back, OAuthError("access_denied", "the person has refused"))
        if self._issuing.users.authenticate(username, form.get("password")) is None:
            return page(self._login_page(query, wanted, username, WRONG_LOGIN), 403)
        session, cookie = self._sessions.begin(username)
        return self._code(wanted, session).also(cookie)

    def pass_page(self, query: str, username: str, password: str | None) -> str:
        """Give the URL that the browser is sent to after a log-in, without page and session.

        Raises `PageError` if there is none, or the password is wrong.
        """
        form = Form(query)
        back = ReturnAddress.of(form, self._issuing.clients)
        try:
            wanted = AuthorizationRequest.of(form, back)
        except OAuthError as refused:
            return with_parameters(back.uri, self._error_parameters(back, refused))
        if self._issuing.users.authenticate(username, password) is None:
            raise PageError(WRONG_LOGIN)
        session = Session(username, int(self._issuing.clock.now()))
        return with_parameters(back.uri, self._code_parameters(wanted, session))

    def _fitting(self, session: Session | None, wanted: AuthorizationRequest) -> Session | None:
        """Give the session if it will do for this request (Core section 3.1.2.1)."""
        if session is None or {"login", "select_account"} & set(wanted.prompt):
            return None
        age = self._issuing.clock.now() - session.auth_time
        if wanted.max_age is not None and age > wanted.max_age:
            return None
        user = self._issuing.users.find(session.username)
        if user is None:
            return None
        if wanted.id_token_hint is not None:
            try:
                hint = self._reading.read(wanted.id_token_hint, as_hint=True)
            except BadToken as bad:
                raise OAuthError("invalid_request", f"id_token_hint {bad}") from None
            if hint.claims.get("sub") != user.all_claims.get("sub"):
                return None
        return session

    def _login_page(
        self, form: Form, wanted: AuthorizationRequest, username: str, wrong: str = ""
    ) -> str:
        return pages.log_in(
            action=f"{self._issuing.path}/login?{urlencode(form.pairs())}",
            client=wanted.back.client.client_id,
            target=origin(wanted.back.uri),
            username=username,
            names=self._issuing.users.names,
            wrong=wrong,
        )

    def _code(self, wanted: AuthorizationRequest, session: Session) -> Answer:
        return self._send(wanted.back, self._code_parameters(wanted, session))

    def _code_parameters(
        self, wanted: AuthorizationRequest, session: Session
    ) -> list[tuple[str, str]]:
        grant = Grant(
            client_id=wanted.back.client.client_id,
            username=session.username,
            scope=wanted.scope,
            audience=wanted.audience,
            auth_time=session.auth_time,
            nonce=wanted.nonce,
        )
        expires = self._issuing.clock.now() + CODE_LIFETIME
        code = Code(grant, wanted.redirect_uri, wanted.challenge, expires)
        return self._addressed(wanted.back, [("code", self._issuing.ledger.new_code(code))])

    def _refusal(self, back: ReturnAddress, refused: OAuthError) -> Answer:
        return self._send(back, self._error_parameters(back, refused))

    def _error_parameters(self, back: ReturnAddress, refused: OAuthError) -> list[tuple[str, str]]:
        return self._addressed(
            back, [("error", refused.error), ("error_description", refused.description)]
        )

    def _addressed(
        self, back: ReturnAddress, parameters: list[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        """Add what belongs into every answer: `state`, and `iss` (RFC 9207)."""
        state = [] if back.state is None else [("state", back.state)]
        return [*parameters, *state, ("iss", self._issuing.url())]

    @staticmethod
    def _send(back: ReturnAddress, parameters: list[tuple[str, str]]) -> Answer:
        if back.mode == "form_post":
            return page(pages.form_post(back.uri, parameters))
        return redirect(with_parameters(back.uri, parameters))
