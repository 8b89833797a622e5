"""A mock Kubernetes API server: enough of one for kubectl, client-go and what stands between.

Every request is kept, parsed and byte for byte. Here a request finds its way: who asks, as whom,
whether they may, and to the room that answers. What a test wants otherwise it answers itself.
"""

from __future__ import annotations

import inspect
import json
import secrets
from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.interfaces import IReactorTime

from koproxy_harness.errors import HarnessError
from koproxy_harness.kube import acceptable, fault_verbs, first
from koproxy_harness.kube.about.about import About
from koproxy_harness.kube.access.control import Access
from koproxy_harness.kube.access.issuer_tokens import TokenRules
from koproxy_harness.kube.kinds import Kinds
from koproxy_harness.kube.kubeconfig import kubeconfig
from koproxy_harness.kube.request_info import RequestInfo
from koproxy_harness.kube.schema import Schemas, builtin
from koproxy_harness.kube.setting import Manifest, Setting
from koproxy_harness.kube.status import Refusal, status
from koproxy_harness.kube.store import Store
from koproxy_harness.kube.streams.streams import Streams
from koproxy_harness.kube.verbs.definitions import Definitions
from koproxy_harness.kube.verbs.verbs import Verbs
from koproxy_harness.kube.verbs.watches import Watches, last_words
from koproxy_harness.serving.authority import Certificate
from koproxy_harness.serving.faults import Body, FieldsGiven, see_pattern
from koproxy_harness.serving.place import LOOPBACK, Place
from koproxy_harness.serving.server import Server

if TYPE_CHECKING:
    from koproxy_harness.issuer.issuer import Issuer
    from koproxy_harness.serving.exchange import Exchange, Request

Handler = Callable[["Exchange"], "bytes | Awaitable[bytes | None] | None"]

# As Go's reader of JSON says it, though that goes down 10 000 levels and Python some hundred.
_TOO_DEEP = "exceeded max depth: the request's body is nested more deeply than can be read here"
_STREAMS = ("log", "exec", "attach", "portforward")


class KubeAPI(Server):
    """An API server on a free loopback port.

    >>> with KubeAPI() as api:
    ...     api.apply({"kind": "Namespace", "metadata": {"name": "demo"}})
    ...     text = api.kubeconfig()

    On a reactor of your own: `async with KubeAPI(reactor=reactor) as api`, with the same methods.

    `issuer`: whose tokens it takes, with this audience and these claims, beside the
    administrator's token and client certificates of its own authority. Who may do what is said by
    the roles and bindings in it, as in a cluster; the administrator may do all.
    `pods`: what a test says of logs, exec, attach and port-forward.
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
        if issuer is not None:
            issuer.check_open()
        tokens = TokenRules(issuer, audience, username_claim, groups_claim) if issuer else None
        self._store = Store(first.objects())
        self._kinds = kinds = Kinds(builtin.kinds())
        schemas = Schemas()
        definitions = Definitions(self._store, kinds, schemas)
        admin_token = f"admin-{secrets.token_hex(16)}"
        self._access = Access(self._store, admin_token, tokens, self.clock.now)
        self._about = About(kinds, definitions.openapi)
        self._watches = Watches(self._store, lambda: cast(IReactorTime, self._home.reactor))
        self._verbs = Verbs(
            self._store,
            kinds,
            schemas,
            definitions,
            self._watches,
            self._access.escalation,
            self.clock,
        )
        self._setting = Setting(self._store, kinds, schemas, definitions, self.clock)
        self.pods = Streams(self._store, self.clock, self._home)
        self._handlers: list[tuple[str, Handler]] = []

    # For tests

    @property
    def admin_token(self) -> str:
        """The token of the administrator, who may do all; another may be put in its place."""
        return self._access.admin_token

    @admin_token.setter
    def admin_token(self, token: str) -> None:
        self._access.admin_token = token

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
            if token == "":
                raise HarnessError(
                    "a kubeconfig with an empty token is nobody's: leave token out for the "
                    "administrator's"
                )
            user = {"token": self.admin_token if token is None else token}
        return kubeconfig(server or self.url, ca_pem or self.ca_pem, user)

    def apply(self, manifest: Manifest) -> None:
        """Put objects into the store: YAML text, one object, or several.

        Who watches is told. Only the kind and the name have to be there; the status is taken as
        it is given. Raises `HarnessError` for a kind that is not served, and for fields that it
        doesn't have.
        """
        self.run(lambda: self._setting.apply(manifest))

    def find(self, kind: str, name: str, namespace: str = "default") -> dict[str, Any] | None:
        """Give an object as it is now, None without it; `kind` is as in a manifest, or a plural.

        Raises `HarnessError` for a kind that is not served.
        """
        return self.run(lambda: self._setting.find(kind, name, namespace))

    def delete(self, kind: str, name: str, namespace: str = "default") -> None:
        """Remove an object, and what depends on it; raises `HarnessError` without it."""
        self.run(lambda: self._setting.delete(kind, name, namespace))

    def end_watches(
        self,
        path: str = "*",
        status: int | None = None,
        message: str = "",
        *,
        raw: bytes | str | None = None,
    ) -> int:
        """End the watches on `path` (a pattern as in `fnmatch`), and give how many these were.

        Each ends after a whole event, as with an API server that is shut down. With a `status`
        (400 to 599) an event of the type `ERROR` comes before, whose `Status` has this code and
        `message`: 410 makes clients list anew. `raw` are bytes to send there instead. Raises
        `HarnessError` for what makes no sense.
        """
        see_pattern(path)
        last = last_words(status, message, raw)
        return self.run(lambda: self._watches.end(path, last))

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
        body: Body = None,
        times: int | None = None,
        headers: FieldsGiven = (),
        *,
        method: str = "*",
        verb: str = "*",
        seconds: float | None = None,
        every: int = 1,
        after: int | None = None,
        raw: bytes | str | None = None,
    ) -> None:
        """Fail requests to `path` (a pattern as in `fnmatch`) by `method`, until `heal`.

        `verb` is one of Kubernetes' own: `get`, `list`, `watch`, `create`, `update`, `patch`,
        `delete` or `deletecollection`, so that a list and a watch of one path are told apart.

        After `delay` seconds the answer has this `status`, `body` (a `Status` object by default)
        and `headers`; with `status=200` and no body it is the right one, with these headers in
        the place of its own. A text is sent as UTF-8, a dict or a list as JSON; a body is called
        `application/json` unless `headers` name another `Content-Type`. `reset` resets the
        connection before the answer; `after` breaks it off when so many bytes of the answer's
        body have been sent, in the midst of a watch too (with a reset, or without). `raw` are
        bytes to send instead of an answer.

        It happens to every request, or to every `every`th, `times` times or for `seconds`; the
        newest fault wins. Raises `HarnessError` for what makes no sense.
        """
        self.failing(
            (path,),
            status=status,
            delay=delay,
            reset=reset,
            body=body,
            times=times,
            headers=headers,
            seconds=seconds,
            method=method,
            verb=fault_verbs.known(verb, method),
            every=every,
            after=after,
            raw=raw,
        )

    def verb_of(self, request: Request) -> str:
        """As in the rules of roles."""
        return RequestInfo.of(request.method, request.path, request.query).verb

    def fault_body(self, code: int) -> tuple[bytes, str]:
        """A `Status` object."""
        said = status(code, f"the harness was told to answer {code}")
        return json.dumps(said).encode(), "application/json"

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
        except RecursionError:
            if exchange.begun:
                raise
            exchange.respond(400, status(400, _TOO_DEEP))

    async def _answer(self, exchange: Exchange) -> None:
        request = exchange.request
        info = RequestInfo.of(request.method, request.path, request.query)
        user = self._access.acting(self._access.authenticate(request), request, info)
        request.user = user.username
        self._access.authorize(user, info)
        if info.resource == "pods" and info.subresource in _STREAMS:
            await self.pods.answer(exchange, info)
            return
        await exchange.whole()
        if self._kinds.find(info.group, info.version, info.resource) is not None:
            acceptable.see(request.values("accept"))
        if not info.is_resource:
            self._about.answer(exchange, info)
        elif self._access.reviews.knows(info):
            self._access.reviews.answer(exchange, info, user)
        else:
            self._verbs.answer(exchange, info, user)
