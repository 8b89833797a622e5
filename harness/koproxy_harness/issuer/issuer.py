"""An OpenID Connect issuer for tests: it publishes keys and signs whatever a test asks it to.

Discovery, keys and log-ins are served over HTTPS; a test's own tokens are made in the process, by
one call. How log-ins go is the business of `flows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from koproxy_harness.errors import HarnessError
from koproxy_harness.issuer import tokens
from koproxy_harness.issuer import wrong as ways
from koproxy_harness.issuer.clients import Client
from koproxy_harness.issuer.flows.answers import CORS, PREFLIGHT
from koproxy_harness.issuer.flows.flows import Flows
from koproxy_harness.issuer.keyring import Keyring
from koproxy_harness.issuer.keys import ALGORITHMS, SigningKey
from koproxy_harness.issuer.users import User
from koproxy_harness.serving.clock import is_seconds
from koproxy_harness.serving.faults import Body, FieldsGiven
from koproxy_harness.serving.place import LOOPBACK, Place
from koproxy_harness.serving.server import Server

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Exchange

_OAUTH = "/.well-known/oauth-authorization-server"  # before the issuer's path: RFC 8414 section 3.1
_PATHS = {
    "discovery": ("/.well-known/openid-configuration", _OAUTH),
    "jwks": ("/keys",),
    "token": ("/token",),
    "claims": ("/claims/*",),
    "authorize": ("/authorize", "/login"),
    "device": ("/device_authorization", "/device"),
    "userinfo": ("/userinfo",),
    "introspect": ("/introspect",),
    "revoke": ("/revoke",),
    "logout": ("/logout",),
    "register": ("/register", "/register/*"),
}


class Issuer(Server):
    """An issuer on a free loopback port.

    >>> with Issuer() as issuer:
    ...     token = issuer.token(sub="jane", groups=["dev"])
    ...     expired = issuer.token(wrong="expired")

    On a reactor of your own: `async with Issuer(reactor) as issuer`, with the same methods.
    `path`: what its URL has behind the host, as in `/realms/test`.
    `require_client_certificate`: refuse TLS clients without one of `client_certificate()`.
    `address`, `port`, `host`: where it listens, and the name in its URL.
    """

    def __init__(
        self,
        reactor: object = None,
        *,
        path: str = "",
        users: Iterable[User] = (),
        clients: Iterable[Client] = (),
        token_lifetime: float = 300,
        require_client_certificate: bool = False,
        address: str = LOOPBACK.address,
        port: int = LOOPBACK.port,
        host: str = LOOPBACK.name,
    ) -> None:
        demand = "required" if require_client_certificate else "refused"
        super().__init__(reactor, demand, Place(address, port, host))
        if path and (not path.startswith("/") or path.endswith("/")):
            raise HarnessError(f"the path of an issuer begins with / and ends without: {path!r}")
        _check_lifetime("token_lifetime", token_lifetime)
        self._path = path
        self._keys = Keyring()
        self._published: dict[str, Any] = {}
        self._sources: dict[str, tuple[str, dict[str, Any]]] = {}
        self._source_numbers = count(1)
        self._flows = Flows(
            *(lambda: self.url, self.sign, lambda: self.jwks, self.clock),
            *(users, clients, token_lifetime),
        )

    @property
    def url(self) -> str:
        """The issuer, as in `iss`: `https://127.0.0.1:PORT`, with its path if it has one."""
        return super().url + self._path

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

        `lifetime` is in seconds from now, by `clock`. Any claim can be given by name, of any
        type; a claim given as None is left out (`exp=None`). `header` adds to the JOSE header
        or, with None, removes from it. `alg` is one of `ALGORITHMS`, or ES256K, Ed25519, Ed448.

        `wrong` makes the token wrong in one way, named in `WRONG`, or `missing-` or `mistyped-`
        and any claim that it would have. Raises `HarnessError` for another name, and for a claim
        given by name that contradicts it, as `exp` does `wrong="expired"`.
        """
        _check_lifetime("lifetime", lifetime)
        now = int(self.clock.now())
        payload: dict[str, object] = {
            "iss": self.url,
            "sub": sub,
            "aud": aud,
            "exp": now + int(lifetime),
            "iat": now,
            "groups": groups,
            **claims,
        }
        payload = _without_none(payload)
        if wrong is None:
            return self.key(alg).jws(payload, tokens.header_fields(header))
        payload = _without_none(ways.claims(wrong, payload, claims, now))
        return ways.sign(wrong, self.key(alg), self._keys.stranger, payload, header)

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

    # Keys

    def key(self, alg: str = "RS256") -> SigningKey:
        """Give the key that signs with `alg` now; raises `HarnessError` for an unknown one."""
        self.check_open()
        return self._keys.key(alg)

    def rotate_keys(self, keep_old: bool = False) -> None:
        """Sign with new keys from now on; `keep_old` publishes still what is published now."""
        self.check_open()
        self.run(lambda: self._keys.rotate(keep_old))

    def withdraw_keys(self) -> None:
        """Publish no key any more, old or new; `rotate_keys` ends that."""
        self.check_open()
        self.run(self._keys.withdraw)

    @property
    def jwks(self) -> dict[str, Any]:
        """The key set document as it is served."""
        return self._keys.jwks

    def close(self) -> None:
        """Give back what outlives a `stop`: the files, and the keys to other issuers."""
        super().close()
        self._keys.close()

    # People who log in

    def log_in(self, url: str, username: str = "jane", password: str | None = None) -> str:
        """Pass the log-in page of an authorization URL; gives where the browser is sent to.

        That is the client's redirect URI with the code in it, or with an error. It happens in
        this process, without a request. Raises `HarnessError` if the page would not let go.
        """
        return self.run(lambda: self._flows.log_in(url, username, password))

    def approve_device(
        self, user_code: str, username: str = "jane", password: str | None = None
    ) -> None:
        """Enter the code that a device shows and log in; raises `HarnessError` if that fails."""
        self.run(lambda: self._flows.approve_device(user_code, username, password))

    def refuse_device(self, user_code: str) -> None:
        """Enter the code that a device shows and refuse; raises `HarnessError` for a wrong one."""
        self.run(lambda: self._flows.refuse_device(user_code))

    def set_claims(self, username: str = "jane", **claims: object) -> None:
        """Change claims of a user, for all tokens made by log-ins from now on; None takes away.

        Raises `HarnessError` if there are users and none of this name.
        """
        self.run(lambda: self._flows.users.set_claims(username, claims))

    # What it serves

    @property
    def discovery(self) -> dict[str, Any]:
        """The discovery document as it is served (OpenID Connect Discovery 1.0 section 3)."""
        document = {
            "issuer": self.url,
            **self._flows.metadata(),
            "jwks_uri": f"{self.url}/keys",
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(ALGORITHMS),
            **self._published,
        }
        return _without_none(document)

    def publish(self, **changes: object) -> None:
        """Change what discovery says: `publish(issuer="https://other.invalid")`.

        None leaves a member out. Without changes, it is as it should be again.
        """
        self.run(
            lambda: setattr(self, "_published", {**self._published, **changes} if changes else {})
        )

    def claims_endpoint(self, access_token: str, **token: Any) -> str:
        """Serve claims that a token only names, and give the URL of the endpoint.

        It answers a JWT made by `token(**token)` at each request, to whoever brings
        `access_token` as a bearer token, 401 to others (OpenID Connect Core 1.0 section 5.6.2).
        """
        path = f"/claims/{next(self._source_numbers)}"
        self._sources[path] = (access_token, token)
        return f"{self.url}{path}"

    def fail(
        self,
        what: str,
        status: int = 500,
        delay: float = 0.0,
        reset: bool = False,
        body: Body = None,
        times: int | None = None,
        headers: FieldsGiven = (),
        *,
        seconds: float | None = None,
        every: int = 1,
        after: int | None = None,
        raw: bytes | str | None = None,
    ) -> None:
        """Break `"discovery"`, `"jwks"`, `"token"` or another endpoint, until `heal`.

        The others are `"claims"`, `"authorize"`, `"device"`, `"userinfo"`, `"introspect"`,
        `"revoke"`, `"logout"` and `"register"`.

        After `delay` seconds the answer has this `status`, `body` and `headers`; with
        `status=200` and no body it is the right one, with these headers in the place of its own.
        A text is sent as UTF-8, a dict or a list as JSON; a body is called `application/json`
        unless `headers` name another `Content-Type`. `reset` resets the connection before the
        answer; `after` breaks it off when so many bytes of the answer's body have been sent (with
        a reset, or without). `raw` are bytes to send instead of an answer.

        It happens to every request, or to every `every`th, `times` times or for `seconds`; the
        newest fault wins. Raises `HarnessError` for another name, and for what makes no sense.
        """
        if what not in _PATHS:
            raise HarnessError(f"{what!r} can't fail; there are {', '.join(_PATHS)}")
        self.failing(
            tuple(self._served(path) for path in _PATHS[what]),
            status=status,
            delay=delay,
            reset=reset,
            body=body,
            times=times,
            headers=headers,
            seconds=seconds,
            every=every,
            after=after,
            raw=raw,
        )

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request."""
        request = await exchange.whole()
        path = self._below(request.path)
        if path in self._sources:
            self._answer_claims(exchange, *self._sources[path])
        elif await self._flows.answer(exchange):
            return
        elif path in _PATHS["discovery"] + _PATHS["jwks"] and request.method == "OPTIONS":
            exchange.respond(204, headers=PREFLIGHT)
        elif request.method not in ("GET", "HEAD"):
            exchange.respond(405, headers=(("Allow", "GET, HEAD"),))
        elif path in _PATHS["discovery"]:
            exchange.respond(200, self.discovery, CORS)
        elif path in _PATHS["jwks"]:
            exchange.respond(200, self.jwks, CORS)
        else:
            exchange.respond(404, {"error": "not_found"})

    def _below(self, path: str) -> str:
        """Give what of a path is below the issuer's own, nothing for one that is elsewhere."""
        if path == self._served(_OAUTH):
            return _OAUTH
        return path.removeprefix(self._path) if path.startswith(self._path) else ""

    def _served(self, path: str) -> str:
        """Give where one of `_PATHS` is."""
        return path + self._path if path == _OAUTH else self._path + path

    def _answer_claims(
        self, exchange: Exchange, access_token: str, token: Mapping[str, Any]
    ) -> None:
        bearer: Sequence[str] = exchange.request.values("authorization")
        if bearer != [f"Bearer {access_token}"]:
            exchange.respond(401, headers=(("WWW-Authenticate", "Bearer"),))
            return
        exchange.respond(200, self.token(**token), (("Content-Type", "application/jwt"),))


def _without_none(members: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value is not None}


def _check_lifetime(name: str, value: object) -> None:
    if not is_seconds(value):
        raise HarnessError(f"{name} is a number of seconds, not {value!r}")
