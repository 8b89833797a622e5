"""A mock Kubernetes API server: enough of one to see what a proxy before it sends.

Every request is kept, parsed and byte for byte. What it knows of Kubernetes is small and said
in the README; what a test needs beyond that it answers itself, with `on`.
"""

from __future__ import annotations

import inspect
import json
import secrets
from collections.abc import Awaitable, Callable, Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, cast

import yaml
from twisted.internet.interfaces import IReactorTime

from koproxy_harness.errors import HarnessError
from koproxy_harness.kube.access.access import (
    AUTHENTICATED,
    MASTERS,
    TokenRules,
    User,
    impersonated,
    may,
)
from koproxy_harness.kube.kubeconfig import kubeconfig
from koproxy_harness.kube.objects import review, serve
from koproxy_harness.kube.resources import ACCESS_REVIEW, IDENTITY_REVIEW, KINDS, VERSION, discovery
from koproxy_harness.kube.status import Refusal, status
from koproxy_harness.kube.store import Store
from koproxy_harness.serving.authority import Certificate
from koproxy_harness.serving.place import LOOPBACK, Place
from koproxy_harness.serving.server import FieldsGiven, Server

if TYPE_CHECKING:
    from koproxy_harness.issuer.issuer import Issuer
    from koproxy_harness.serving.exchange import Exchange, Request

Handler = Callable[["Exchange"], "bytes | Awaitable[bytes | None] | None"]


class KubeAPI(Server):
    """An API server on a free loopback port.

    >>> with KubeAPI() as api:
    ...     api.apply({"kind": "Namespace", "metadata": {"name": "demo"}})
    ...     text = api.kubeconfig()

    On a reactor of your own: `async with KubeAPI(reactor=reactor) as api`, with the same methods.

    `issuer`: whose tokens it takes, with this audience and these claims, beside the
    administrator's token and every client certificate of its own authority.
    `address`, `port`, `host`: where it listens, and the name in its URL.
    """

    def __init__(
        self,
        issuer: Issuer | None = None,
        audience: str = "kubernetes",
        username_claim: str = "sub",
        groups_claim: str = "groups",
        *,
        reactor: object = None,
        address: str = LOOPBACK.address,
        port: int = LOOPBACK.port,
        host: str = LOOPBACK.name,
    ) -> None:
        super().__init__(reactor, "asked", Place(address, port, host))
        self.admin_token = f"admin-{secrets.token_hex(16)}"
        self._tokens: TokenRules | None = None
        if issuer is not None:
            self._tokens = TokenRules(issuer, audience, username_claim, groups_claim)
        self._store = Store()
        self._handlers: list[tuple[str, Handler]] = []

    # For tests

    def kubeconfig(
        self,
        token: str | None = None,
        *,
        certificate: Certificate | None = None,
        server: str | None = None,
        ca_pem: str | None = None,
    ) -> str:
        """Give a kubeconfig, as YAML, for this server and the administrator.

        `token` or `certificate`: somebody else. `server` and `ca_pem`: the URL of a proxy in
        front of this server, and the authority that signed its certificate.
        """
        user: dict[str, str]
        if certificate is not None:
            user = {
                "client-certificate": str(certificate.cert_file),
                "client-key": str(certificate.key_file),
            }
        else:
            user = {"token": token or self.admin_token}
        return kubeconfig(server or self.url, ca_pem or self.ca_pem, user)

    def apply(self, manifest: str | dict[str, Any] | Iterable[dict[str, Any]]) -> None:
        """Put objects into the store: YAML text, one object, or several.

        Who watches is told. Raises `HarnessError` for a kind that is not served, or an object
        that Kubernetes would refuse here.
        """
        if isinstance(manifest, str):
            objects = [each for each in yaml.safe_load_all(manifest) if each is not None]
        else:
            objects = [manifest] if isinstance(manifest, dict) else list(manifest)
        known = {kind.name: kind for kind in KINDS}

        def apply() -> None:
            for each in objects:
                kind = known.get(each.get("kind", ""))
                if kind is None:
                    raise HarnessError(
                        f"the kind {each.get('kind')!r} is not served; there are {', '.join(known)}"
                    )
                try:
                    self._store.apply(kind, each)
                except Refusal as refusal:
                    raise HarnessError(f"{kind.name} can't be applied: {refusal}") from None

        self.run(apply)

    def on(self, path: str, handler: Handler) -> None:
        """Have `handler(exchange)` answer requests to `path` (a pattern as in `fnmatch`).

        It is called when a request's head is there, before any check of who asks, on the
        server's reactor, and may be `async`. Bytes that it gives are sent as they are and end
        the answer; with None it answers by `exchange`, now or later. The newest handler wins.
        """
        self.run(lambda: self._handlers.insert(0, (path, handler)))

    def fail(
        self,
        path: str = "*",
        status: int = 500,
        delay: float = 0.0,
        reset: bool = False,
        body: bytes | str | None = None,
        times: int | None = None,
        headers: FieldsGiven = (),
        *,
        method: str = "*",
        seconds: float | None = None,
        every: int = 1,
        after: int | None = None,
        raw: bytes | None = None,
    ) -> None:
        """Fail requests to `path` (a pattern as in `fnmatch`) by `method`, until `heal`.

        After `delay` seconds the answer has this `status`, `body` (a `Status` object by default)
        and `headers`; with `status=200` and no body it is the right one, with these headers in
        the place of its own. `reset` resets the connection before the answer; `after` breaks it
        off when so many bytes of the answer's body have been sent, in the midst of a watch too
        (with a reset, or without). `raw` are bytes to send instead of an answer.

        It happens to every request, or to every `every`th, `times` times or for `seconds`; the
        newest fault wins. Raises `HarnessError` for numbers without sense.
        """
        self.failing(
            (path,),
            body,
            headers,
            seconds,
            status=status,
            delay=delay,
            reset=reset,
            times=times,
            method=method,
            every=every,
            after=after,
            raw=raw,
        )

    def fault_body(self, code: int) -> bytes:
        """A `Status` object."""
        return json.dumps(status(code, f"the harness was told to answer {code}")).encode()

    # Answers

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request."""
        for pattern, handler in self._handlers:
            if fnmatchcase(exchange.request.path, pattern):
                given = handler(exchange)
                written = await given if inspect.isawaitable(given) else given
                if written is not None:
                    exchange.write(written)
                    exchange.end()
                return
        try:
            await self._answer(exchange)
        except Refusal as refusal:
            exchange.respond(refusal.code, refusal.body)

    async def _answer(self, exchange: Exchange) -> None:
        user = impersonated(self._asking(exchange.request), exchange.request)
        request = await exchange.whole()
        match request.path.strip("/").split("/"):
            case ["version"]:
                exchange.respond(200, VERSION)
            case ["healthz" | "livez" | "readyz"]:
                exchange.respond(200, "ok")
            case ["api", "v1", _, *_] as place:
                serve(exchange, self._store, place[2:], cast(IReactorTime, self._home.reactor))
            case ["apis", IDENTITY_REVIEW.group, IDENTITY_REVIEW.version, IDENTITY_REVIEW.plural]:
                review(exchange, IDENTITY_REVIEW, lambda _: {"userInfo": user.json})
            case ["apis", ACCESS_REVIEW.group, ACCESS_REVIEW.version, ACCESS_REVIEW.plural]:
                review(exchange, ACCESS_REVIEW, lambda spec: {"allowed": may(user, spec)})
            case _:
                document = discovery(request.path)
                if document is None:
                    raise Refusal(404, "the server could not find the requested resource")
                exchange.respond(200, document)

    def _asking(self, request: Request) -> User:
        credentials = request.values("authorization")
        if len(credentials) > 1:
            raise Refusal(400, "more than one Authorization")
        if not credentials and request.peer_name is not None:
            return User(request.peer_name, (MASTERS, AUTHENTICATED), admin=True)
        scheme, _, token = (credentials or [""])[0].partition(" ")
        if scheme.lower() == "bearer":
            if secrets.compare_digest(token.encode(), self.admin_token.encode()):
                return User("admin", (MASTERS, AUTHENTICATED), admin=True)
            user = self._tokens.user(token) if self._tokens else None
            if user is not None:
                return user
        raise Refusal(401, "Unauthorized")
