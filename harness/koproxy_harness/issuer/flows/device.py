"""The device grant (RFC 8628): a code on one screen, a log-in on another.

Here are the endpoint for devices, the page for people, and the grant at the token endpoint.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from koproxy_harness.issuer import pages
from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.flows.answers import NO_STORE, Answer, OAuthError, PageError, page
from koproxy_harness.issuer.flows.authorization_request import requested_scope
from koproxy_harness.issuer.flows.authorize import WRONG_LOGIN
from koproxy_harness.issuer.flows.bounded import Bounded
from koproxy_harness.issuer.flows.client_authentication import ClientAuthentication
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.grants import Grant
from koproxy_harness.issuer.flows.issuing import Issuing, requested_audience
from koproxy_harness.issuer.users import DEFAULT

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
LIFETIME = 600  # seconds
INTERVAL = 1  # seconds between two questions; real issuers have 5, tests have no time
_SLOWER = 5  # seconds more after a `slow_down` (section 3.5)
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # section 6.1: no vowels, so no words
_NO_CODE = "There is no such code, or it has been used or has expired."


@dataclass
class _Device:
    """A device that waits; `asked` is when it last asked."""

    grant: Grant
    user_code: str
    expires: float
    interval: float = INTERVAL
    asked: float | None = None
    refused: bool = False


class Devices:
    """Every device that waits for somebody to log in."""

    def __init__(self, issuing: Issuing, authentication: ClientAuthentication) -> None:
        self._issuing = issuing
        self._authentication = authentication
        self._by_device_code: Bounded[_Device] = Bounded()
        self._by_user_code: Bounded[_Device] = Bounded()

    def begin(self, request: Request) -> Answer:
        """Answer a device that wants somebody to log in (sections 3.1 and 3.2)."""
        form = Form.of_body(request)
        client = self._authentication.client(request, form)
        if not client.may(GRANT_TYPE):
            raise OAuthError("unauthorized_client", "the client may not use this grant")
        grant = Grant(client.client_id, None, requested_scope(form), requested_audience(form))
        letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
        device = _Device(grant, letters, self._issuing.clock.now() + LIFETIME)
        device_code = secrets.token_urlsafe(32)
        self._by_device_code.put(device_code, device)
        self._by_user_code.put(letters, device)
        user_code = f"{letters[:4]}-{letters[4:]}"
        uri = f"{self._issuing.url()}/device"
        body = {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": uri,
            "verification_uri_complete": f"{uri}?user_code={user_code}",
            "expires_in": LIFETIME,
            "interval": INTERVAL,
        }
        return Answer(200, body, NO_STORE)

    def show(self, request: Request) -> Answer:
        """Show the page where a person enters the code (section 3.3)."""
        user_code = Form.of_query(request).get("user_code") or ""
        return page(self._page(user_code, DEFAULT if self._issuing.users.anybody else ""))

    def enter(self, request: Request) -> Answer:
        """Take the form of the page."""
        form = Form.of_body(request)
        user_code, username = form.get("user_code") or "", form.get("username") or ""
        try:
            if form.get("action") == "refuse":
                self.refuse(user_code)
                return page(pages.done("Refused", "The device will not be logged in."))
            self.approve(user_code, username, form.get("password"))
        except PageError as wrong:
            return page(self._page(user_code, username, str(wrong)), 403)
        return page(pages.done("Logged in", "You can go back to your device."))

    def approve(self, user_code: str, username: str, password: str | None) -> None:
        """Log somebody in at a device; raises `PageError` for a wrong code or password."""
        device = self._waiting(user_code)
        if self._issuing.users.authenticate(username, password) is None:
            raise PageError(WRONG_LOGIN)
        device.grant.username = username
        device.grant.auth_time = int(self._issuing.clock.now())
        self._by_user_code.drop(device.user_code)

    def refuse(self, user_code: str) -> None:
        """Have the device told no; raises `PageError` for a wrong code."""
        device = self._waiting(user_code)
        device.refused = True
        self._by_user_code.drop(device.user_code)

    def grant(self, form: Form, client: Client) -> dict[str, Any]:
        """Answer a device that asks whether somebody has logged in (sections 3.4 and 3.5).

        One that asks before its time is told to slow down, if there is nothing new to tell it.
        Half the interval is still in time, because no client's clock and no network is exact.
        """
        device_code = form.need("device_code")
        device = self._by_device_code.get(device_code)
        if device is None or device.grant.client_id != client.client_id:
            raise OAuthError("invalid_grant", "there is no such device code for this client")
        now = self._issuing.clock.now()
        if device.refused:
            self._by_device_code.drop(device_code)
            raise OAuthError("access_denied", "the person has refused")
        if device.expires <= now:
            raise OAuthError("expired_token", "the device code has expired")
        if device.grant.username is None:
            asked, device.asked = device.asked, now
            if asked is not None and 0 <= now - asked < device.interval / 2:
                device.interval += _SLOWER
                raise OAuthError("slow_down", f"wait {device.interval:g} seconds between questions")
            raise OAuthError("authorization_pending", "nobody has entered the code yet")
        self._by_device_code.drop(device_code)
        return self._issuing.answer(device.grant, client)

    def _waiting(self, user_code: str) -> _Device:
        letters = "".join(letter for letter in user_code.upper() if letter in _LETTERS)
        device = self._by_user_code.get(letters)
        if device is None or device.expires <= self._issuing.clock.now():
            raise PageError(_NO_CODE)
        return device

    def _page(self, user_code: str, username: str, wrong: str = "") -> str:
        names, action = self._issuing.users.names, f"{self._issuing.path}/device"
        return pages.device(action, user_code, username=username, names=names, wrong=wrong)
