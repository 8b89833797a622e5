"""Events over real TLS to a webhook: whom it trusts, who it is, and what it sends again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest_twisted
import trustme
from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import Clock, deferLater
from twisted.web.client import Agent
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site
from zope.interface import implementer

from koproxy.audit.backends import make_backends
from koproxy.audit.webhook import STOP_SECONDS, Webhook
from koproxy.audit.webhook_server import WebhookServer
from koproxy.settings import Settings

SECONDS = 20.0


class Events(Resource):
    """Takes events, and says how many it wants to answer otherwise first."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.lists: list[dict[str, Any]] = []
        self.requests: list[tuple[bytes, bytes | None, str]] = []
        self.failures: list[int] = []
        self.hang = False
        self._waiting: list[tuple[int, Deferred[None]]] = []
        self.cut: Deferred[None] = Deferred()

    def render_POST(self, request: Request) -> Any:
        peer = request.transport.getPeerCertificate() if request.isSecure() else None
        name = peer.to_cryptography().subject.rfc4514_string() if peer else ""
        self.requests.append((request.uri, request.getHeader(b"authorization"), name))
        self.lists.append(json.load(request.content))
        for number, waiting in list(self._waiting):
            if len(self.lists) >= number and not waiting.called:
                reactor.callLater(0, waiting.callback, None)
        if self.hang:
            request.notifyFinish().addErrback(lambda _: self.cut.callback(None))
            return NOT_DONE_YET
        if self.failures:
            request.setResponseCode(self.failures.pop(0))
        return b"{}"

    def until(self, number: int) -> Deferred[None]:
        """Fires when so many requests have come."""
        waiting: Deferred[None] = Deferred()
        self._waiting.append((number, waiting))
        return waiting.addTimeout(SECONDS, reactor)


@implementer(IOpenSSLServerConnectionCreator)
class Tls:
    """A server's side of TLS."""

    def __init__(self, context: SSL.Context) -> None:
        self._context = context

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        return SSL.Connection(self._context, None)


class Scene:
    """A webhook's server, and koproxy's backend for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        self.events = Events()
        self.ports: list[Any] = []
        self.backends: list[Webhook] = []

    def serve(self, name: str = "127.0.0.1", *, clients: bool = False) -> int:
        """Serve over TLS with a certificate for this name."""
        own = self.authority.issue_cert(name)
        context = CertificateOptions().getContext()
        own.configure_cert(context)
        if clients:
            self.authority.configure_trust(context)
            context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)

        port = reactor.listenSSL(0, Site(self.events), Tls(context), interface="127.0.0.1")
        self.ports.append(port)
        return port.getHost().port

    def serve_plainly(self) -> int:
        """Serve without TLS."""
        port = reactor.listenTCP(0, Site(self.events), interface="127.0.0.1")
        self.ports.append(port)
        return port.getHost().port

    def file(self, server: str, user: dict[str, str], cluster: dict[str, Any]) -> str:
        """A file that names the webhook."""
        config = {
            "current-context": "x",
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": server} | cluster}],
            "users": [{"name": "u", "user": user}],
        }
        file = self.folder / "webhook"
        file.write_text(json.dumps(config))
        return str(file)

    def backend(self, server: str, user: dict[str, str] | None = None, **cluster: Any) -> Webhook:
        """What sends to it each event by itself, and again after a hundredth of a second."""
        settings = Settings(
            audit_webhook_config_file=self.file(server, user or {}, cluster),
            audit_webhook_batch_max_size=1,
            audit_webhook_initial_backoff=timedelta(milliseconds=10),
        )
        (backend,) = make_backends(settings, reactor, reactor)
        assert isinstance(backend, Webhook)
        backend.startService()
        self.backends.append(backend)
        return backend

    async def end(self) -> None:
        """Stop everything."""
        for backend in self.backends:
            if backend.running:
                await backend.stopService()
        for port in self.ports:
            await port.stopListening()


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    made = Scene(folder)
    try:
        yield made
    finally:
        await made.end()


async def until_failing(backend: Webhook) -> str:
    """What it says as soon as it fails."""
    end = reactor.seconds() + SECONDS
    while backend.problem is None:
        assert reactor.seconds() < end
        await deferLater(reactor, 0)
    return backend.problem


EVENT = {"kind": "Event", "auditID": "x"}


@pytest_twisted.ensureDeferred
async def test_events_arrive_over_tls_with_a_token(tmp_path):
    async with scene(tmp_path) as s:
        port = s.serve()
        backend = s.backend(
            f"https://127.0.0.1:{port}/in",
            {"token": "abc"},
            **{"certificate-authority": "ca.pem"},
        )
        assert backend.write(EVENT)
        await backend.stopService()
        assert s.events.requests == [(b"/in", b"Bearer abc", "")]
        assert s.events.lists[0]["kind"] == "EventList"
        assert s.events.lists[0]["items"] == [EVENT]
        assert (backend.written, backend.dropped) == (1, 0)


@pytest_twisted.ensureDeferred
async def test_what_is_refused_is_sent_again(tmp_path):
    async with scene(tmp_path) as s:
        port = s.serve()
        s.events.failures = [500, 429, 403]
        backend = s.backend(f"https://127.0.0.1:{port}", **{"certificate-authority": "ca.pem"})
        backend.write(EVENT)
        await s.events.until(4)
        await backend.stopService()
        assert (backend.written, backend.dropped, backend.problem) == (1, 0, None)


@pytest_twisted.ensureDeferred
async def test_an_authority_that_is_not_trusted_gets_nothing(tmp_path):
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    async with scene(tmp_path) as s:
        port = s.serve()
        backend = s.backend(f"https://127.0.0.1:{port}", **{"certificate-authority": "other.pem"})
        backend.write(EVENT)
        assert "TLS failed: certificate verify failed" in await until_failing(backend)
        assert s.events.lists == []


@pytest_twisted.ensureDeferred
async def test_a_certificate_must_have_the_servers_name_or_the_one_that_is_given(tmp_path):
    async with scene(tmp_path) as s:
        port = s.serve("events.example")
        url = f"https://127.0.0.1:{port}"
        backend = s.backend(url, **{"certificate-authority": "ca.pem"})
        backend.write(EVENT)
        assert "its certificate is for another host" in await until_failing(backend)
        assert s.events.lists == []
        backend = s.backend(
            url, **{"certificate-authority": "ca.pem", "tls-server-name": "events.example"}
        )
        backend.write(EVENT)
        await s.events.until(1)


@pytest_twisted.ensureDeferred
async def test_whoever_is_there_will_do_if_that_is_asked_for(tmp_path):
    async with scene(tmp_path) as s:
        port = s.serve("events.example")
        backend = s.backend(f"https://127.0.0.1:{port}", **{"insecure-skip-tls-verify": True})
        backend.write(EVENT)
        await s.events.until(1)


@pytest_twisted.ensureDeferred
async def test_a_client_certificate_is_shown_and_taken_up_when_it_changes(tmp_path):
    async with scene(tmp_path) as s:
        port = s.serve(clients=True)

        def issue(name: str) -> None:
            own = s.authority.issue_cert(common_name=name)
            own.private_key_pem.write_to_path(str(tmp_path / "own.key"))
            own.cert_chain_pems[0].write_to_path(str(tmp_path / "own.pem"))

        issue("one")
        backend = s.backend(
            f"https://127.0.0.1:{port}",
            {"client-certificate": "own.pem", "client-key": "own.key"},
            **{"certificate-authority": "ca.pem"},
        )
        backend.write(EVENT)
        await s.events.until(1)
        issue("two")
        backend.files.look()
        backend.write(EVENT)
        await s.events.until(2)
        names = [name.partition(",")[0] for _, _, name in s.events.requests]
        assert names == ["CN=one", "CN=two"]


@pytest_twisted.ensureDeferred
async def test_plain_http_will_do_without_a_credential(tmp_path):
    async with scene(tmp_path) as s:
        port = s.serve_plainly()
        backend = s.backend(f"http://127.0.0.1:{port}/k8s-audit")
        backend.write(EVENT)
        await s.events.until(1)
        assert s.events.requests == [(b"/k8s-audit", None, "")]


@pytest_twisted.ensureDeferred
async def test_a_server_that_comes_back_gets_what_waited(tmp_path):
    async with scene(tmp_path) as s:
        port = s.serve_plainly()
        await s.ports.pop().stopListening()
        backend = s.backend(f"http://127.0.0.1:{port}")
        backend.write(EVENT)
        assert "Connection refused" in await until_failing(backend)
        s.ports.append(reactor.listenTCP(port, Site(s.events), interface="127.0.0.1"))
        await s.events.until(1)


@pytest_twisted.ensureDeferred
async def test_at_the_end_a_server_that_hangs_is_left(tmp_path):
    clock = Clock()
    async with scene(tmp_path) as s:
        s.events.hang = True
        port = s.serve()
        file = s.file(f"https://127.0.0.1:{port}", {}, {"certificate-authority": "ca.pem"})
        server = WebhookServer(file)
        agent = Agent(reactor, server)
        backend = Webhook(server, agent, clock, room=1, most=1, wait=0, pause=0)
        backend.startService()
        backend.write(EVENT)
        await s.events.until(1)
        stopped = backend.stopService()
        clock.advance(STOP_SECONDS)
        await stopped
        await s.events.cut.addTimeout(SECONDS, reactor)
        assert (backend.written, backend.dropped) == (0, 1)
