"""Puts the endpoints together: which path is answered by what, and what the discovery says of it.

It makes nothing itself and knows no sockets: a request comes in, an `Answer` goes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from koproxy_harness.errors import HarnessError
from koproxy_harness.issuer import pages
from koproxy_harness.issuer.clients import Client, Clients
from koproxy_harness.issuer.flows import device as device_flow
from koproxy_harness.issuer.flows import token_exchange as exchanging
from koproxy_harness.issuer.flows.answers import (
    CORS,
    PREFLIGHT,
    Answer,
    OAuthError,
    PageError,
    page,
)
from koproxy_harness.issuer.flows.authorization_request import RESPONSE_MODES
from koproxy_harness.issuer.flows.authorize import Authorize
from koproxy_harness.issuer.flows.client_authentication import METHODS, ClientAuthentication
from koproxy_harness.issuer.flows.client_credentials import client_credentials
from koproxy_harness.issuer.flows.code import authorization_code
from koproxy_harness.issuer.flows.introspection import Introspection
from koproxy_harness.issuer.flows.issuing import Clock, Issuing, Sign
from koproxy_harness.issuer.flows.logout import Logout
from koproxy_harness.issuer.flows.password import password
from koproxy_harness.issuer.flows.pkce import METHODS as CHALLENGES
from koproxy_harness.issuer.flows.reading import Reading
from koproxy_harness.issuer.flows.refresh import refresh_token
from koproxy_harness.issuer.flows.registration import Registration
from koproxy_harness.issuer.flows.revocation import Revocation
from koproxy_harness.issuer.flows.sessions import Sessions
from koproxy_harness.issuer.flows.token import GrantHandler, Token
from koproxy_harness.issuer.flows.userinfo import Userinfo
from koproxy_harness.issuer.keys import ALGORITHMS
from koproxy_harness.issuer.users import SCOPES, User, Users

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Exchange, Request

Endpoint = Callable[["Request"], Answer]

_PAGES = frozenset({"/authorize", "/login", "/device", "/logout"})


class Flows:
    """The log-ins of one issuer.

    `url`: gives its own URL. `sign`: makes a token of a payload and, maybe, header fields.
    `keys`: gives the published key set document. `lifetime`: of ID and access tokens, in seconds.
    `users` and `clients`: without any, everybody is known and every client taken.
    """

    def __init__(
        self,
        url: Callable[[], str],
        sign: Sign,
        keys: Callable[[], Mapping[str, Any]],
        clock: Clock,
        users: Iterable[User] = (),
        clients: Iterable[Client] = (),
        lifetime: float = 300,
    ) -> None:
        self.users = Users(users)
        self.clients = Clients(clients)
        issuing = Issuing(url, sign, clock, self.users, self.clients, lifetime)
        reading = Reading(issuing, keys)
        authentication = ClientAuthentication(issuing)
        sessions = Sessions(url, clock)
        self._url = url
        self._authorize = Authorize(issuing, reading, sessions)
        self._devices = devices = device_flow.Devices(issuing, authentication)
        grants: dict[str, GrantHandler] = {
            "authorization_code": partial(authorization_code, issuing),
            "refresh_token": partial(refresh_token, issuing),
            "client_credentials": partial(client_credentials, issuing),
            "password": partial(password, issuing),
            device_flow.GRANT_TYPE: devices.grant,
            exchanging.GRANT_TYPE: partial(exchanging.token_exchange, issuing, reading),
        }
        self._grant_types = list(grants)
        self.clients.check_grants(grants)
        userinfo = Userinfo(issuing, reading).userinfo
        logout = Logout(issuing, reading, sessions).logout
        registration = Registration(issuing, grants)
        self._manage = {"GET": registration.manage, "DELETE": registration.manage}
        self._endpoints: dict[str, dict[str, Endpoint]] = {
            "/authorize": {"GET": self._authorize.authorize, "POST": self._authorize.authorize},
            "/login": {"POST": self._authorize.login},
            "/token": {"POST": Token(authentication, grants).token},
            "/device_authorization": {"POST": devices.begin},
            "/device": {"GET": devices.show, "POST": devices.enter},
            "/userinfo": {"GET": userinfo, "POST": userinfo},
            "/introspect": {"POST": Introspection(issuing, reading, authentication).introspect},
            "/revoke": {"POST": Revocation(issuing, reading, authentication).revoke},
            "/logout": {"GET": logout, "POST": logout},
            "/register": {"POST": registration.register},
        }

    # For HTTP

    async def answer(self, exchange: Exchange) -> bool:
        """Answer a request if its path is one of the flows', else return False."""
        path = self._local(exchange.request)
        if path is None:
            return False
        answer = self.handle(await exchange.whole(), path)
        exchange.respond(answer.status, answer.body, answer.headers)
        return True

    def handle(self, request: Request, path: str) -> Answer:
        """Answer a request for one of the flows' paths, without the issuer's own before it."""
        methods = self._methods(path) or {}
        for_people = path in _PAGES
        if request.method == "OPTIONS" and not for_people:
            return Answer(204, "", PREFLIGHT)
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = methods.get(method)
        if endpoint is None:
            return Answer(405, "", (("Allow", ", ".join(methods)),))
        try:
            answer = endpoint(request)
        except PageError as wrong:
            answer = wrong.answer
        except OAuthError as wrong:
            if for_people:
                return page(
                    pages.error(f"{wrong.description[:1].upper()}{wrong.description[1:]}."), 400
                )
            answer = wrong.answer
        return answer if for_people else answer.also(*CORS)

    def _local(self, request: Request) -> str | None:
        base = urlsplit(self._url()).path
        if not request.path.startswith(f"{base}/"):
            return None
        path = request.path.removeprefix(base)
        return path if self._methods(path) is not None else None

    def _methods(self, path: str) -> Mapping[str, Endpoint] | None:
        if path.startswith("/register/"):
            return self._manage
        return self._endpoints.get(path)

    def metadata(self) -> dict[str, Any]:
        """Give what the discovery document says of the flows.

        OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2, RFC 8628 section 4, RFC 9207
        section 3, RP-Initiated Logout 1.0 section 2.1.
        """
        url = self._url()
        return {
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "device_authorization_endpoint": f"{url}/device_authorization",
            "userinfo_endpoint": f"{url}/userinfo",
            "introspection_endpoint": f"{url}/introspect",
            "revocation_endpoint": f"{url}/revoke",
            "end_session_endpoint": f"{url}/logout",
            "registration_endpoint": f"{url}/register",
            "response_types_supported": ["code"],
            "response_modes_supported": list(RESPONSE_MODES),
            "grant_types_supported": self._grant_types,
            "code_challenge_methods_supported": list(CHALLENGES),
            "prompt_values_supported": ["none", "login", "select_account"],
            "scopes_supported": ["openid", *SCOPES, "offline_access"],
            "claims_supported": [
                *("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "azp"),
                *(claim for claims in SCOPES.values() for claim in claims),
            ],
            **_authentication("token", "introspection", "revocation"),
            "authorization_response_iss_parameter_supported": True,
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        }

    # For tests

    def log_in(self, url: str, username: str, password: str | None = None) -> str:
        """Pass the log-in page of an authorization URL, and give where the browser is sent to.

        Without HTTP: nothing of it is seen as a request. Where the client is told of an error,
        the URL has that instead of a code. Raises `HarnessError` if it is not an authorization
        URL of this issuer, or the page would not let go.
        """
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}{parts.path}" != f"{self._url()}/authorize":
            raise HarnessError(f"{url!r} does not begin with {self._url()}/authorize")
        try:
            return self._authorize.pass_page(parts.query, username, password)
        except (PageError, OAuthError) as wrong:
            raise HarnessError(f"{username!r} can't log in: {wrong}") from None

    def approve_device(self, user_code: str, username: str, password: str | None = None) -> None:
        """Enter the code of a device and log in there; raises `HarnessError` if that fails."""
        try:
            self._devices.approve(user_code, username, password)
        except PageError as wrong:
            raise HarnessError(f"{username!r} can't log in: {wrong}") from None

    def refuse_device(self, user_code: str) -> None:
        """Enter the code of a device and refuse; raises `HarnessError` for a wrong code."""
        try:
            self._devices.refuse(user_code)
        except PageError as wrong:
            raise HarnessError(str(wrong)) from None


def _authentication(*endpoints: str) -> dict[str, Any]:
    """Say of endpoints how clients authenticate there (RFC 8414 section 2)."""
    methods = {f"{name}_endpoint_auth_methods_supported": list(METHODS) for name in endpoints}
    algorithms = {
        f"{name}_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS) for name in endpoints
    }
    return {**methods, **algorithms}
