"""How a client shows who it is at the token endpoint and its siblings.

`client_secret_basic`, `client_secret_post` (RFC 6749 section 2.3.1), `private_key_jwt` (RFC 7523
section 2.2, OpenID Connect Core 1.0 section 9) and `none`. Pure: it reads a request and knows no
connection.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import jwt

from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.flows.answers import OAuthError
from koproxy_harness.issuer.flows.bounded import Bounded
from koproxy_harness.issuer.flows.form import Form
from koproxy_harness.issuer.flows.issuing import Issuing
from koproxy_harness.issuer.flows.reading import BadToken, verified

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request

METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class ClientAuthentication:
    """Tells which client a request comes from, or raises `OAuthError` (`invalid_client`)."""

    def __init__(self, issuing: Issuing) -> None:
        self._issuing = issuing
        self._seen: Bounded[bool] = Bounded()  # assertions, which are good for once

    def client(self, request: Request, form: Form) -> Client:
        """Give the client, having checked its credentials; a public one needs none."""
        basic = self._basic(request)
        assertion = form.get("client_assertion")
        ways = [basic is not None, form.get("client_secret") is not None, assertion is not None]
        if sum(ways) > 1:
            raise OAuthError("invalid_request", "the client authenticates in more than one way")
        if basic is not None:
            name, secret = basic
            if form.get("client_id") not in (None, name):
                raise OAuthError("invalid_request", "client_id names another client than Basic")
            return self._by_secret(name, secret, by_header=True)
        if assertion is not None:
            return self._by_assertion(form, assertion)
        name = form.get("client_id") or ""
        if form.get("client_secret") is not None:
            return self._by_secret(name, form.need("client_secret"))
        client = self._find(name)
        if not client.public:
            raise _refused("the client has to authenticate")
        return client

    def _find(self, client_id: str, by_header: bool = False) -> Client:
        client = self._issuing.clients.find(client_id)
        if client is None:
            raise _refused(
                "there is no such client" if client_id else "client_id is missing", by_header
            )
        return client

    def _by_secret(self, client_id: str, secret: str, by_header: bool = False) -> Client:
        client = self._find(client_id, by_header)
        nothing_to_show = client.public and not secret  # some send the name as Basic anyway
        if client.known and not nothing_to_show and not client.accepts(secret):
            raise _refused("the client's secret is wrong", by_header)
        return client

    def _by_assertion(self, form: Form, assertion: str) -> Client:
        if form.need("client_assertion_type") != _ASSERTION:
            raise OAuthError("invalid_request", f"client_assertion_type has to be {_ASSERTION}")
        issuing = self._issuing
        try:
            name = _claimed_client(assertion)
            if form.get("client_id") not in (None, name):
                raise BadToken("names another client than client_id")
            client = self._find(name)
            if not client.known:
                return client  # any client is taken, and none has keys
            _, claims = verified(assertion, client.jwks or {}, issuing.clock.now())
        except BadToken as bad:
            raise _refused(f"the client's assertion {bad}") from None
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        if issuing.url() not in named and f"{issuing.url()}/token" not in named:
            raise _refused("the client's assertion is for another audience")
        if claims.get("iss") != name or "exp" not in claims:
            raise _refused("the client's assertion lacks iss, sub or exp")
        jti = f"{name} {claims.get('jti', assertion)}"
        if self._seen.get(jti):
            raise _refused("the client's assertion has been used before")
        self._seen.put(jti, True)
        return client

    @staticmethod
    def _basic(request: Request) -> tuple[str, str] | None:
        values = request.values("authorization")
        if not values:
            return None
        scheme, _, rest = values[0].partition(" ")
        if len(values) > 1 or scheme.lower() != "basic":
            raise _refused("Authorization is not one of the kind Basic", True)
        try:
            name, colon, secret = (
                base64.b64decode(rest.strip(), validate=True).decode().partition(":")
            )
        except (binascii.Error, UnicodeDecodeError):
            colon = ""
        if not colon:
            raise _refused("Authorization has no client ID and secret in base64", True)
        # Both are form-encoded before (RFC 6749 section 2.3.1).
        return unquote_plus(name), unquote_plus(secret)


def _claimed_client(assertion: str) -> str:
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError):
        raise BadToken("is no JWT") from None
    return str(claims.get("sub", ""))


def _refused(description: str, by_header: bool = False) -> OAuthError:
    """RFC 6749 section 5.2: who has used the field Authorization is told the scheme."""
    headers = (("WWW-Authenticate", 'Basic realm="clients"'),) if by_header else ()
    return OAuthError("invalid_client", description, 401, headers)
