"""Everybody in the machine: clients, the proxy, the API server, and whoever decides.

What happens to them is told by the machine's rules; what must be true of it after each is in
:mod:`property.proxy.promises`.
"""

import ssl

from property.proxy.api_server import ApiServer, Sending
from property.proxy.deciding import Deciding
from property.proxy.people import Client
from property.proxy.replies import Make
from property.proxy.traffic import Build
from support.memory import Stack
from twisted.internet.defer import Deferred

from koproxy.identity.decision import Verified
from koproxy.proxy.limits import Limits
from koproxy.proxy.own_calls import REFUSED
from koproxy.proxy.upstream import UpstreamConnection

VERY_LONG = 600.0
MOST_REQUESTS = 50
HOST = b"kube.example:6443"


class World:
    """All of them, and what each request has been through: ``sendings``."""

    def __init__(self) -> None:
        self.authentication = Deciding()
        self.stack = Stack(Limits(requests=MOST_REQUESTS), self.authentication)
        self.clients = [Client(self.stack.client)]
        self.servers: list[ApiServer] = []
        self.sendings: dict[tuple[Client, int], list[Sending]] = {}
        self.doubts: list[tuple[Deferred[str | None], Sending]] = []
        self.unreachable = self.without_credential = self.time_passed = False
        self._numbers = 0

    def name(self) -> bytes:
        """A name that nothing else has."""
        self._numbers += 1
        return b"r%d" % self._numbers

    def client(self, which: int) -> Client:
        """One of three clients; who has gone is followed by somebody else."""
        here = [client for client in self.clients if client.alive]
        if which % 3 < len(here):
            return here[which % 3]
        address = f"192.0.2.{100 + len(self.clients)}"
        self.clients.append(Client(self.stack.new_client(address)))
        return self.clients[-1]

    @property
    def present(self) -> list[Client]:
        """Those who are here and have said something."""
        return [client for client in self.clients if client.alive and client.written]

    @property
    def sending(self) -> list[Client]:
        """The clients with something on its way."""
        return [client for client in self.clients if client.alive and client.waiting]

    @property
    def speaking(self) -> list[ApiServer]:
        """The connections with something of an answer to come."""
        return [server for server in self.open if server.speaking]

    @property
    def busy(self) -> list[ApiServer]:
        """The connections with a request to answer."""
        return [server for server in self.servers if server.busy]

    @property
    def asked_to_switch(self) -> list[ApiServer]:
        """Those whose request is for an upgrade."""
        return [
            server
            for server in self.busy
            if server.sending is not None and server.sending.message.request.upgrade
        ]

    @property
    def fragile(self) -> list[ApiServer]:
        """The busy ones whose end may have a request sent again, or may not."""
        return [
            server
            for server in self.busy
            if server.sending is not None
            and (server.used or len(self.sent(server.sending.client, server.sending.index)) > 1)
        ]

    @property
    def open(self) -> list[ApiServer]:
        """The connections that are there."""
        return [server for server in self.servers if server.alive]

    def sent(self, client: Client, index: int) -> list[Sending]:
        """Each time that a request was sent upstream."""
        return self.sendings.get((client, index), [])

    # What happens.

    def ask(self, who: int, build: Build, token: bytes, size: int) -> None:
        """Somebody asks something; ``size`` bytes of what is on its way come to the proxy."""
        name, client = self.name(), self.client(who)
        client.waiting += build(name, b"late-" + name if token == b"late" else token)
        client.deliver(size)

    def connect(self, problem: str | None) -> None:
        """The connection that has been waited for longest is there, or can't be made."""
        if self.stack.connecting:
            self.unreachable |= problem is not None
            self.stack.connecting.pop(0)(problem)

    def reply(self, server: ApiServer, make: Make, size: int) -> None:
        """An answer begins, with ``size`` bytes."""
        if server.reply(make, self._numbers + 1) is not None:
            self._numbers += 1
            self.deliver(server, size)

    def deliver(self, server: ApiServer, size: int) -> None:
        """More of an answer comes, and perhaps somebody asks whom a 401 is for."""
        sending, asked = server.sending, self.stack.own_calls.asked
        before = len(asked)
        server.deliver(size, self.stack.clock.seconds())
        if sending is not None and len(asked) > before:
            sending.doubt = "asked"
            self.doubts += [(doubt, sending) for doubt in asked[before:]]

    def settle(self, which: int, *, refused: bool) -> None:
        """It is known whether the API server takes the proxy's credential."""
        doubt, sending = self.doubts.pop(which % len(self.doubts))
        if sending.client.answered > sending.index or not sending.client.alive:
            sending.doubt = "too late"
        elif refused:
            sending.doubt = "refused"
        else:
            sending.doubt = "passed" if sending.credential == self.credential else "renewed"
        doubt.callback(REFUSED if refused else None)

    @property
    def credential(self) -> tuple[bytes, ssl.SSLContext]:
        """The proxy's own."""
        return self.stack.access.authorization, self.stack.access.tls

    def lose_credential(self) -> None:
        """The proxy has none, until it is renewed."""
        self.stack.access.problem = "the plugin has not answered yet"
        self.without_credential = True

    def renew(self, *, certificate: bool) -> None:
        """The proxy has a new credential."""
        self.stack.access.problem = None
        if certificate:
            self.stack.access.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        else:
            self._numbers += 1
            self.stack.access.authorization = b"Bearer own%d" % self._numbers

    def pass_time(self, seconds: float) -> None:
        """Time passes, and what has been idle is swept away."""
        self.time_passed = True
        self.stack.clock.advance(seconds)
        self.stack.pool.sweep()
        self.stack.clients.sweep()
        for client in self.clients:
            idle = client.answered >= len(client.stream.messages)
            assert not (seconds >= VERY_LONG and idle and client.alive), "here for nothing"
        for server in self.servers:
            stale = server.is_stale(self.stack.clock.seconds(), self.stack.access.tls)
            assert not stale, "idle for too long"

    def look(self) -> None:
        """Have the API server read what has come to it."""
        for tls in self.stack.upstreams[len(self.servers) :]:
            assert isinstance(tls.inner, UpstreamConnection)
            self.servers.append(ApiServer(tls, self._explain))
        for server in self.servers:
            server.look()

    def _explain(self, server: ApiServer, head: bytes) -> Sending:
        """Find out whose request ``head`` is: nobody else's than one whose turn it is."""
        for client in self.clients:
            index = client.answered
            if client.tls.gone or index >= len(client.stream.messages):
                continue
            request = client.stream.messages[index].request
            outcome = self.authentication.outcome(request.authorization)
            if not isinstance(outcome, Verified) or request.impersonates:
                continue
            allowed = request.upstream(
                host=HOST,
                prefix=b"",
                identity=outcome.headers,
                credential=self.stack.access.authorization,
                peer=client.tls.peer_host.encode(),
            )
            if head == allowed:
                return self._send(server, client, index)
        raise AssertionError(f"nobody's request: {head!r}")

    def _send(self, server: ApiServer, client: Client, index: int) -> Sending:
        stack, first = self.stack, server.used == 0
        if not first:
            assert not server.is_stale(stack.clock.seconds(), stack.access.tls), "a stale one"
        sending = Sending(client, index, server, first, self.credential)
        before = self.sent(client, index)
        if client.tls.waits:
            late = (
                stack.connects_late
                or sending.message.request.authorization in self.authentication.decided
            )
            assert late or before, "begun for somebody who doesn't read"
        if before:
            self._sent_again(before, sending)
        self.sendings[client, index] = [*before, sending]
        return sending

    def _sent_again(self, before: list[Sending], sending: Sending) -> None:
        """Hold the retry rule: twice at most, and only what can't have done anything."""
        assert len(before) == 1, "sent three times"
        request, last = sending.message.request, before[0]
        assert request.method in (b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"), "not idempotent"
        assert request.length == 0, "with a body"
        assert not last.in_flight, "sent while it is under way"
        if last.doubt != "renewed":
            assert last.server.ended, "sent again for nothing"
            assert not last.touched, "something of an answer was seen"
            assert not last.first, "on a connection that was new"
            assert sending.first, "again on a used connection"
