"""Dynamic client registration (RFC 7591), and reading and deleting what came of it (RFC 7592).

Whoever asks is registered. From then on the rules hold for that client to the letter.
"""

from __future__ import annotations

import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any

import jwt

from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.flows.answers import NO_STORE, Answer, OAuthError, bearer_error
from koproxy_harness.issuer.flows.bounded import Bounded
from koproxy_harness.issuer.flows.client_authentication import METHODS
from koproxy_harness.issuer.flows.issuing import Issuing
from koproxy_harness.issuer.flows.redirects import usable
from koproxy_harness.issuer.flows.userinfo import bearer

if TYPE_CHECKING:
    from collections.abc import Collection

    from koproxy_harness.serving.exchange import Request

_MOST = 1000  # clients
_LARGEST = 65_536  # bytes of metadata


class Registration:
    """`/register`, and `/register/CLIENT` with the access token of that client."""

    def __init__(self, issuing: Issuing, grant_types: Collection[str]) -> None:
        self._issuing = issuing
        self._grant_types = grant_types
        self._registered: Bounded[dict[str, Any]] = Bounded(_MOST)

    def register(self, request: Request) -> Answer:
        """Register a client (RFC 7591 section 3)."""
        metadata = self._metadata(request)
        client_id = f"client-{secrets.token_hex(8)}"
        method = metadata["token_endpoint_auth_method"]
        secret = secrets.token_urlsafe(32) if method.startswith("client_secret") else None
        self._issuing.clients.register(
            Client(
                client_id,
                secret,
                tuple(metadata.get("redirect_uris", ())),
                tuple(metadata.get("post_logout_redirect_uris", ())),
                tuple(metadata["grant_types"]),
                jwks=metadata.get("jwks") if method == "private_key_jwt" else None,
            )
        )
        answer = {
            **metadata,
            "client_id": client_id,
            "client_id_issued_at": int(self._issuing.clock.now()),
            **({"client_secret": secret, "client_secret_expires_at": 0} if secret else {}),
            "registration_access_token": secrets.token_urlsafe(32),
            "registration_client_uri": f"{self._issuing.url()}/register/{client_id}",
        }
        self._registered.put(client_id, answer)
        return Answer(201, answer, NO_STORE)

    def manage(self, request: Request) -> Answer:
        """Show or delete a client (RFC 7592 sections 2.1 and 2.3)."""
        client_id = request.path.rpartition("/")[2]
        known = self._registered.get(client_id)
        expected = known["registration_access_token"] if known else ""
        token = bearer(request)
        # Whether there is such a client is nobody's business (RFC 7592 section 2.1).
        if known is None or not hmac.compare_digest((token or "").encode(), expected.encode()):
            error = None if token is None else "invalid_token"
            return bearer_error(error, "the token is not the one of this client")
        if request.method == "DELETE":
            self._issuing.clients.remove(client_id)
            self._registered.drop(client_id)
            return Answer(204, "", NO_STORE)
        return Answer(200, known, NO_STORE)

    def _metadata(self, request: Request) -> dict[str, Any]:
        """Read and judge what the client says about itself (section 2), with the defaults."""
        if len(request.body) > _LARGEST:
            raise _bad("the metadata is longer than 64 KiB")
        try:
            said = json.loads(request.body)
        except (ValueError, RecursionError):
            raise _bad("the body is not JSON") from None
        if not isinstance(said, dict):
            raise _bad("the body is not a JSON object")
        metadata: dict[str, Any] = {
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            **said,
        }
        for name in ("grant_types", "response_types", "redirect_uris", "post_logout_redirect_uris"):
            values = metadata.get(name, [])
            if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
                raise _bad(f"{name} is not a list of strings")
        if metadata["token_endpoint_auth_method"] not in METHODS:
            raise _bad(f"token_endpoint_auth_method can be {', '.join(METHODS)}")
        if not set(metadata["grant_types"]) <= set(self._grant_types):
            raise _bad(f"grant_types can have {', '.join(self._grant_types)}")
        if not set(metadata["response_types"]) <= {"code"}:
            raise _bad("response_types can only have code")
        _check_uris(metadata)
        if metadata["token_endpoint_auth_method"] == "private_key_jwt":
            try:
                jwt.PyJWKSet.from_dict(metadata.get("jwks", {}))
            except (jwt.PyJWTError, AttributeError, TypeError, ValueError):
                raise _bad("private_key_jwt needs jwks with the client's public keys") from None
        return metadata


def _check_uris(metadata: dict[str, Any]) -> None:
    uris = metadata.get("redirect_uris", [])
    if "authorization_code" in metadata["grant_types"] and not uris:
        raise OAuthError("invalid_redirect_uri", "redirect_uris is missing or empty")
    for uri in (*uris, *metadata.get("post_logout_redirect_uris", [])):
        if not usable(uri):
            raise OAuthError(
                "invalid_redirect_uri", "a redirect URI is not absolute, or has a fragment"
            )


def _bad(description: str) -> OAuthError:
    return OAuthError("invalid_client_metadata", description)
