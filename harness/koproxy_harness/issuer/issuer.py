"""An OpenID Connect issuer for tests: it publishes keys and signs whatever a test asks it to.

Discovery and keys are served over HTTPS; tokens are made in the process, by one call. It logs
nobody in yet.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from koproxy_harness.errors import HarnessError
from koproxy_harness.issuer import tokens
from koproxy_harness.issuer.keys import ALGORITHMS, POOL, KeyPairs, KeySet, SigningKey
from koproxy_harness.serving.server import Server

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Exchange
    from koproxy_harness.serving.parsing import Headers

_HOUR = 3600  # seconds; more than the leeway of any verifier

WRONG = (
    "expired",
    "not-yet-valid",
    "wrong-audience",
    "wrong-issuer",
    "unknown-key",
    "alg-none",
    "hmac-with-public-key",
    "tampered-payload",
    "tampered-signature",
)

_PATHS = {
    "discovery": ("/.well-known/openid-configuration",),
    "jwks": ("/keys",),
    "token": ("/token",),
    "claims": ("/claims/*",),
}


class Issuer(Server):
    """An issuer on a free loopback port.

    >>> with Issuer() as issuer:
    ...     token = issuer.token(sub="jane", groups=["dev"])
    ...     expired = issuer.token(wrong="expired")

    On a reactor of your own: `async with Issuer(reactor) as issuer`, with the same methods.
    `require_client_certificate`: refuse TLS clients without one of `client_certificate()`.
    """

    def __init__(self, reactor: object = None, *, require_client_certificate: bool = False) -> None:
        super().__init__(reactor, "required" if require_client_certificate else "refused")
        self._pairs: list[KeyPairs] = []
        self._current: KeySet | None = None
        self._older: list[KeySet] = []
        self._stranger: KeySet | None = None
        self._sources: dict[str, tuple[str, dict[str, Any]]] = {}

    # Tokens

    def token(
        self,
        sub: object = "jane",
        aud: object = "kubernetes",
        groups: object = ("dev",),
        lifetime: float = 60,
        alg: str = "RS256",
        header: Mapping[str, Any] | None = None,
        wrong: str | None = None,
        **claims: object,
    ) -> str:
        """Make a token, in compact form.

        `lifetime` is in seconds from now. Any claim can be given by name, of any type; a claim
        given as None is left out (`exp=None`). `header` adds to the JOSE header or, with None,
        removes from it. `wrong` makes the token wrong in one way, named in `WRONG`; claims that
        are given win over it. Raises `HarnessError` for another name.
        """
        if wrong is not None and wrong not in WRONG:
            raise HarnessError(f"no way to be wrong is called {wrong!r}; there are {WRONG}")
        now = int(time.time())
        payload: dict[str, object] = {
            "iss": self.url,
            "sub": sub,
            "aud": aud,
            "exp": now + int(lifetime),
            "iat": now,
            "groups": groups,
        }
        match wrong:
            case "expired":
                payload |= {"iat": now - 2 * _HOUR, "exp": now - _HOUR}
            case "not-yet-valid":
                payload |= {"nbf": now + _HOUR, "exp": now + 2 * _HOUR}
            case "wrong-audience":
                payload |= {"aud": "somebody-else"}
            case "wrong-issuer":
                payload |= {"iss": "https://other-issuer.invalid"}
        payload |= claims
        payload = {name: value for name, value in payload.items() if value is not None}
        if wrong == "unknown-key":
            return self._unknown_key(alg).jws(payload, header)
        if wrong == "alg-none":
            return tokens.without_signature(self._header(self.key(alg), header), payload)
        if wrong == "hmac-with-public-key":
            key = self.key(alg)
            return tokens.hmac_with_public_key(self._header(key, header), payload, key.public_pem)
        token = self.key(alg).jws(payload, header)
        if wrong == "tampered-payload":
            return tokens.tampered_payload(token)
        if wrong == "tampered-signature":
            return tokens.tampered_signature(token)
        return token

    def sign(
        self,
        payload: Mapping[str, Any] | bytes,
        header: Mapping[str, Any] | bytes | None = None,
        alg: str = "RS256",
        key: SigningKey | None = None,
    ) -> str:
        """Sign any payload, well-formed or not, in compact form.

        A mapping as `header` adds to the usual one (None removes); bytes are the whole header.
        `key` signs instead of the current one for `alg`, with the algorithm `alg`.
        """
        return (key or self.key(alg)).jws(payload, header, alg)

    def _header(self, key: SigningKey, changes: Mapping[str, Any] | None) -> dict[str, Any]:
        header = {"alg": key.alg, "typ": "JWT", "kid": key.kid, **(changes or {})}
        return {name: value for name, value in header.items() if value is not None}

    # Keys

    def key(self, alg: str = "RS256") -> SigningKey:
        """Give the key that signs with `alg` now; raises `HarnessError` for an unknown one."""
        return self._keys().key(alg)

    def rotate_keys(self, keep_old: bool = False) -> None:
        """Sign with new keys from now on; `keep_old` publishes the old ones still."""

        def rotate() -> None:
            self._older = [self._keys(), *self._older] if keep_old else []
            self._current = self._new_keys()

        self.run(rotate)

    @property
    def jwks(self) -> dict[str, Any]:
        """The key set document as it is served."""
        return {"keys": [jwk for keys in (self._keys(), *self._older) for jwk in keys.jwks]}

    def _keys(self) -> KeySet:
        if self._current is None:
            self._current = self._new_keys()
        return self._current

    def _unknown_key(self, alg: str) -> SigningKey:
        if self._stranger is None:
            self._stranger = self._new_keys()
        return self._stranger.key(alg)

    def _new_keys(self) -> KeySet:
        pairs = POOL.take()
        self._pairs.append(pairs)
        return KeySet(pairs)

    def close(self) -> None:
        """Give back what outlives a `stop`: the files, and the keys to other issuers."""
        super().close()
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            POOL.give_back(pair)
        self._current = self._stranger = None
        self._older = []

    # What it serves

    @property
    def discovery(self) -> dict[str, Any]:
        """The discovery document as it is served (OpenID Connect Discovery 1.0 section 3)."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(ALGORITHMS),
        }

    def claims_endpoint(self, access_token: str, **token: Any) -> str:
        """Serve claims that a token only names, and give the URL of the endpoint.

        It answers a JWT made by `token(**token)` at each request, to whoever brings
        `access_token` as a bearer token, 401 to others (OpenID Connect Core 1.0 section 5.6.2).
        """
        path = f"/claims/{len(self._sources) + 1}"
        self._sources[path] = (access_token, token)
        return f"{self.url}{path}"

    def fail(
        self,
        what: str,
        status: int = 500,
        delay: float = 0.0,
        reset: bool = False,
        body: bytes | str | None = None,
        times: int | None = None,
        headers: Headers = (),
    ) -> None:
        """Break `"discovery"`, `"jwks"`, `"token"` or `"claims"`, until `heal`.

        After `delay` seconds the answer has this `status` and `body`, or the connection is
        `reset`; `status=200` without a body is the right answer. `times` counts the requests
        that it happens to; None is every one. Raises `HarnessError` for another name.
        """
        if what not in _PATHS:
            raise HarnessError(f"{what!r} can't fail; there are {', '.join(_PATHS)}")
        self.failing(_PATHS[what], status, delay, reset, body, headers, times)

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request."""
        request = await exchange.whole()
        path = request.path
        if path in self._sources:
            self._answer_claims(exchange, *self._sources[path])
        elif path in _PATHS["token"] and request.method == "POST":
            exchange.respond(400, {"error": "unsupported_grant_type"})
        elif request.method not in ("GET", "HEAD"):
            exchange.respond(405, headers=(("Allow", "GET, HEAD"),))
        elif path in _PATHS["discovery"]:
            exchange.respond(200, self.discovery)
        elif path in _PATHS["jwks"]:
            exchange.respond(200, self.jwks)
        else:
            exchange.respond(404, {"error": "not_found"})

    def _answer_claims(
        self, exchange: Exchange, access_token: str, token: Mapping[str, Any]
    ) -> None:
        bearer: Sequence[str] = exchange.request.values("authorization")
        if bearer != [f"Bearer {access_token}"]:
            exchange.respond(401, headers=(("WWW-Authenticate", "Bearer"),))
            return
        exchange.respond(200, self.token(**token), (("Content-Type", "application/jwt"),))
