"""The room of the API server for what runs through a pod: log, exec, attach and portforward.

It knows which handler a test has registered for which pod; pods themselves are the store's.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs

from twisted.internet.defer import CancelledError, Deferred

from koproxy_harness.errors import HarnessError
from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.streams import forwarding, logs, port_forward, upgrades
from koproxy_harness.kube.streams.containers import container_of
from koproxy_harness.kube.streams.joining import join
from koproxy_harness.kube.streams.opening import open_session
from koproxy_harness.kube.streams.session import SessionHandler, Wanted

if TYPE_CHECKING:
    from koproxy_harness.kube.request_info import RequestInfo
    from koproxy_harness.serving.clock import Clock
    from koproxy_harness.serving.exchange import Exchange
    from koproxy_harness.serving.home import Home


class Pods(Protocol):
    """What is asked of the store."""

    def find(
        self, group: str, plural: str, namespace: str, name: str
    ) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class _Rule:
    """Which pods a handler is for; the names are patterns as in `fnmatch`."""

    handler: Any
    pod: str
    namespace: str
    container: str | None = None
    port: int | None = None

    def fits(self, namespace: str, pod: str) -> bool:
        return fnmatchcase(pod, self.pod) and fnmatchcase(namespace, self.namespace)


class Streams:
    """Handlers and logs by pod; the newest handler that fits wins.

    `home`: where the server lives; its reactor joins port-forwards to real ports. `answer` ends
    when the stream has ended, and what a handler raises comes out of it.
    """

    def __init__(self, store: Pods, clock: Clock, home: Home) -> None:
        self._store = store
        self._clock = clock
        self._home = home
        self._rules: dict[str, list[_Rule]] = {"exec": [], "attach": [], "portforward": []}
        self._logs: dict[tuple[str, str, str | None, bool], logs.Log] = {}

    # For tests

    def on_exec(
        self,
        handler: SessionHandler,
        pod: str = "*",
        namespace: str = "*",
        container: str | None = None,
    ) -> None:
        """Have `handler(session)` answer exec, in every container or in this one.

        It may be `async`, and ends the session with what it gives: nothing, an exit code, text
        or bytes for stdout, or (stdout, exit code); or by `session.exit` and `session.fail`.
        """
        self._add("exec", _Rule(handler, pod, namespace, container))

    def on_attach(
        self,
        handler: SessionHandler,
        pod: str = "*",
        namespace: str = "*",
        container: str | None = None,
    ) -> None:
        """Have `handler(session)` answer attach, as with `on_exec`."""
        self._add("attach", _Rule(handler, pod, namespace, container))

    def on_port_forward(
        self,
        handler: port_forward.ConnectionHandler | None = None,
        pod: str = "*",
        port: int | None = None,
        namespace: str = "*",
        *,
        target: tuple[str, int] | None = None,
    ) -> None:
        """Have `handler(connection)` be a port of pods (None: every port), or join it to `target`.

        The connection is closed when the handler returns. Raises `HarnessError` unless there is
        one of the two.
        """
        if (handler is None) == (target is None):
            raise HarnessError("on_port_forward takes either a handler or a target")
        given = handler if target is None else lambda pod: join(pod, target, self._home.reactor)
        self._add("portforward", _Rule(given, pod, namespace, port=port))

    def set_logs(
        self,
        pod: str,
        text: str | bytes | Iterable[str],
        namespace: str = "default",
        container: str | None = None,
        previous: bool = False,
    ) -> None:
        """Let a pod's log be this text, or these lines, written now; who followed the old one ends.

        `container`: of this one alone; without it, of every container that has none of its own.
        """
        key = (namespace, pod, container, previous)

        def replace() -> None:
            self._log(key).end()
            self._logs[key] = logs.Log()
            self._logs[key].append(logs.split(text, self._clock.now()))

        self._home.run(replace)

    def append_log(
        self,
        pod: str,
        text: str | bytes | Iterable[str],
        namespace: str = "default",
        container: str | None = None,
    ) -> None:
        """Add lines, written now; who follows sees them at once."""
        lines = logs.split(text, self._clock.now())
        self._home.run(lambda: self._log((namespace, pod, container, False)).append(lines))

    def end_log(self, pod: str, namespace: str = "default", container: str | None = None) -> None:
        """Say that nothing more comes, as when a container ends: who follows is done."""
        self._home.run(lambda: self._log((namespace, pod, container, False)).end())

    def _add(self, what: str, rule: _Rule) -> None:
        self._home.run(lambda: self._rules[what].insert(0, rule))

    # For the API server

    async def answer(self, exchange: Exchange, info: RequestInfo) -> None:
        """Answer a request for a subresource of a pod; raises `Refusal`."""
        found = self._store.find("", "pods", info.namespace, info.name)
        if found is None:
            details = {"name": info.name, "kind": "pods"}
            raise Refusal(404, f'pods "{info.name}" not found', "NotFound", details)
        methods = ("GET", "HEAD") if info.subresource == "log" else ("GET", "POST")
        if exchange.request.method not in methods:
            raise Refusal(405, "the server does not allow this method on the requested resource")
        try:
            match info.subresource:
                case "log":
                    await self._read_log(exchange, info, found)
                case "portforward":
                    await self._forward(exchange, info)
                case _:
                    await self._run(exchange, info, found)
        except upgrades.Unagreed as unagreed:
            exchange.respond(403, f"{unagreed}\n", logs.TEXT)

    async def _read_log(
        self, exchange: Exchange, info: RequestInfo, pod: Mapping[str, Any]
    ) -> None:
        query = exchange.request.query
        container = container_of(pod, query.get("container", ""))
        options = logs.LogOptions.of(query, info.name, self._clock.now())
        keys = [(info.namespace, info.name, name, options.previous) for name in (container, None)]
        log = next((self._logs[key] for key in keys if key in self._logs), None)
        if log is None and options.previous:
            where = f'previous terminated container "{container}" in pod "{info.name}"'
            raise Refusal(400, f"{where} not found")
        await _unless_gone(
            exchange, lambda: logs.answer(exchange, log or self._log(keys[1]), options)
        )

    async def _run(self, exchange: Exchange, info: RequestInfo, pod: Mapping[str, Any]) -> None:
        request = exchange.request
        query = request.query
        container = container_of(pod, query.get("container", ""))
        parsed = parse_qs(request.target.partition("?")[2], keep_blank_values=True)
        wanted = Wanted(
            info.namespace,
            info.name,
            container,
            tuple(parsed.get("command", ())),
            logs.true(query, "stdin"),
            logs.true(query, "stdout", True),
            logs.true(query, "stderr", True),
            logs.true(query, "tty"),
        )
        over = upgrades.transport(request)
        if not (wanted.stdin or wanted.stdout or wanted.stderr):
            raise Refusal(400, "you must specify at least 1 of stdin, stdout, stderr")
        handler = self._handler(info, container)
        session, ready = open_session(exchange, over, wanted)

        async def run() -> None:
            await ready
            given = handler(session)
            session.give(await given if inspect.isawaitable(given) else given)

        await _unless_gone(exchange, run)

    def _handler(self, info: RequestInfo, container: str) -> SessionHandler:
        for rule in self._rules[info.subresource]:
            if rule.fits(info.namespace, info.name) and rule.container in (None, container):
                handler: SessionHandler = rule.handler
                return handler
        raise Refusal(
            500,
            f"nothing answers {info.subresource} in container {container} of pod {info.name}: "
            f"give the mock API server a handler by on_{info.subresource}",
        )

    async def _forward(self, exchange: Exchange, info: RequestInfo) -> None:
        gone: Deferred[None] = Deferred()
        running: set[Deferred[None]] = set()

        def connected(pod: port_forward.PodConnection) -> None:
            one = Deferred.fromCoroutine(self._connect(pod))
            running.add(one)
            one.addErrback(lambda failure: None if gone.called else gone.errback(failure))
            one.addCallback(lambda _: running.discard(one))

        forwarding.begin(exchange, info, connected)
        exchange.when_gone(lambda: None if gone.called else gone.callback(None))
        try:
            await gone
        finally:
            for one in list(running):
                one.cancel()

    async def _connect(self, pod: port_forward.PodConnection) -> None:
        for rule in self._rules["portforward"]:
            if rule.fits(pod.namespace, pod.pod) and rule.port in (None, pod.port):
                given = rule.handler(pod)
                if inspect.isawaitable(given):
                    await given
                pod.close()
                return
        pod.fail(
            f"nothing listens on port {pod.port} of pod {pod.pod}: "
            f"give the mock API server a handler by on_port_forward"
        )

    def _log(self, key: tuple[str, str, str | None, bool]) -> logs.Log:
        return self._logs.setdefault(key, logs.Log())


async def _unless_gone(exchange: Exchange, work: Callable[[], Any]) -> None:
    """Do the work; it is cancelled when the client goes, and that is nobody's mistake."""
    running: Deferred[None] = Deferred.fromCoroutine(work())
    exchange.when_gone(running.cancel)
    try:
        await running
    except CancelledError:
        return
