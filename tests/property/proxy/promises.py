"""What must be true after every step of the machine, and at its end."""

import re

from property.proxy.api_server import ApiServer, Sending
from property.proxy.people import Client, Seen
from property.proxy.replies import Reply
from property.proxy.world import MOST_REQUESTS, World
from support.memory import MemoryTLS

from koproxy.identity.decision import Forbidden, Unauthenticated, Unavailable, Verified
from koproxy.proxy.upstream import UpstreamConnection

_FINAL = re.compile(rb"HTTP/1\.1 (?!10[03])")


def hold(world: World) -> None:
    """Hold everything that must be true at any time."""
    world.look()
    for (client, index), sendings in world.sendings.items():
        message = client.stream.messages[index]
        for sending in sendings:
            assert message.content.startswith(sending.content), "not the client's body"
            assert not sending.whole or message.whole, "half a request that looks whole"
            assert not sending.whole or sending.content == message.content
    for client in world.clients:
        _answers(world, client)
        _progress(world, client)
        _ends(world, client)
        _patience(client)
        _accounts(world, client)
    for server in world.servers:
        _nobody_waits_in_vain(world, server)


# What a client gets.


def _answers(world: World, client: Client) -> None:
    """Its own answers alone, in order, and whole only if they are."""
    for one in client.seen:
        sendings = world.sent(client, one.index)
        interim = [
            reply.number
            for sending in sendings
            for reply in sending.replies
            if reply.interim and reply.head_given and sending.message.request.minor
        ]
        assert one.numbers == interim[: len(one.numbers)], "another's interim answer"
        if one.status and one.number is None:
            assert one.whole
            assert one.status in _causes(world, client, one.index), f"{one.status} for nothing"
        elif one.status:
            sending = sendings[-1]
            final = sending.final
            assert final is not None
            assert (final.number, final.status) == (one.number, one.status), "another's answer"
            assert one.numbers == interim, "an interim answer was lost"
            _answer(client, one, sending, final)
        if one.whole and client.alive and one.index < len(client.stream.messages):
            assert client.stream.messages[one.index].whole, "its rest would be read as a request"
        if one.whole and not one.stays:
            assert not client.alive, "it was told that this was all"
    cut_short = client.seen and not client.seen[-1].whole and not client.seen[-1].by_end
    if cut_short and client.seen[-1].status not in (0, 101) and not client.left:
        assert client.tls.ending in ("", "cut"), "half an answer that ends in good order"


def _answer(client: Client, one: Seen, sending: Sending, final: Reply) -> None:
    assert (one.status == 401) == (sending.doubt == "passed"), "a doubtful 401"
    if one.status == 101:
        assert sending.tunnel, "a switch that was not asked for"
        assert one.content == sending.server.tunnelled, "bytes of a tunnel"
        return
    assert final.content.startswith(one.content), "another's content"
    if client.alive or not client.left:
        assert one.content == final.content, "content is held back"
    if one.whole:
        assert final.whole or sending.answered, "half an answer looks whole"
    if one.by_end and not client.left and not client.alive:
        polite = client.tls.ending in ("closed", "half-closed")
        assert polite == sending.answered, "its end is not the answer's"


def _causes(world: World, client: Client, index: int) -> set[int]:
    """The codes with which the proxy itself may answer a request, for what has happened to it."""
    messages = client.stream.messages
    if index >= len(messages):
        late = {408} if world.time_passed else set()
        return late | ({400, 401, 405, 431, 501} if client.stream.refused else set())
    message, sendings = messages[index], world.sent(client, index)
    outcome = world.authentication.outcome(message.request.authorization)
    for kind, code in ((Unauthenticated, 401), (Forbidden, 403), (Unavailable, 503)):
        if isinstance(outcome, kind):
            return {code}
    if isinstance(outcome, RuntimeError):
        return {500}
    assert isinstance(outcome, Verified), "nothing was decided"
    if message.request.impersonates:
        return {403}
    codes = set()
    if message.refused:
        codes.add(400)
    if world.unreachable:
        codes.add(502)
    if world.without_credential:
        codes.add(503)
    if sendings:
        last = sendings[-1]
        if not last.server.alive or last.doubt == "refused":
            codes.add(502)
        if last.doubt == "renewed":
            codes.add(503)
    return codes


def _accounts(world: World, client: Client) -> None:
    """Account is kept of each answer once, and of none that there was not."""
    accounts = world.stack.accounts.of(client.tls.peer_host)
    complete = [account for account in accounts if account.ended]
    assert complete == accounts[: len(complete)], "the next one before its end"
    statuses = [account.status for account in complete if not account.cut and account.status != 101]
    whole = [one.status for one in client.seen if one.whole]
    assert statuses[: len(whole)] == whole
    assert len(statuses) - len(whole) <= bool(client.seen and client.seen[-1].by_end)
    cut = [account for account in complete if account.cut]
    assert cut in ([], complete[-1:])
    assert not cut or not client.alive
    assert client.alive or len(complete) == len(accounts), "nobody is told of its end"


# What becomes of a request.


def _patience(client: Client) -> None:
    """Who doesn't take an answer is not given the next ones."""
    begun = [data for data in client.tls.written_meanwhile if _FINAL.match(data)]
    assert len(begun) <= 1, "answers to somebody who doesn't read"


def _progress(world: World, client: Client) -> None:
    """Whoever has sent a request is answered, or somebody is at it, and all has been passed on."""
    if not client.alive or client.tls.waits:
        return
    index, stream = client.answered, client.stream
    if client.seen and client.seen[-1].status == 101:
        return
    if index >= len(stream.messages):
        assert not stream.refused, "a refusal that doesn't come"
        return
    message, sendings = stream.messages[index], world.sent(client, index)
    if message.request.authorization in world.authentication.waiting:
        return
    last = sendings[-1] if sendings else None
    if last is not None and last.in_flight:
        assert last.content == message.content, "a body is held back"
        assert last.whole == message.whole, "the end of a body is held back"
        final = last.final
        given = final is not None and final.head_given and last.doubt in ("", "passed")
        seen = client.seen[-1].status if len(client.seen) > index else 0
        assert bool(seen) == given, "a head is held back"
        return
    assert world.stack.connecting or (last is not None and last.doubt == "asked"), "forgotten"


def _ends(world: World, client: Client) -> None:
    """A client and its tunnel go together; who is gone has no request under way."""
    for (somebody, _), sendings in world.sendings.items():
        if somebody is not client:
            continue
        last = sendings[-1]
        server = last.server
        if last.tunnel:
            end = last.message.end
            assert server.tls.sent[server.tunnel_from :] == client.written[end:], "raw bytes"
            how = {"closed": "half-closed", "cut": "cut"}
            if client.left:
                assert server.tls.ending == how[client.left]
            elif server.ended:
                assert client.tls.ending == how[server.ended]
            else:
                assert server.alive
                assert client.alive
        elif client.tls.gone and server.sending is last:
            assert not last.in_flight, "nobody waits for this request any more"


# Who waits for whom.


def _nobody_waits_in_vain(world: World, server: ApiServer) -> None:
    """A side is paused if the other one doesn't take what it has, and only then."""
    if not server.alive:
        return
    sending = server.sending
    if sending is None or not (sending.in_flight or sending.tunnel):
        assert not server.tls.paused, "an idle connection isn't read"
        return
    client = sending.client
    if sending.doubt != "asked":
        assert server.tls.paused == client.tls.waits, "the API server's pause"
    if sending.tunnel or not sending.whole:
        assert client.tls.paused == server.tls.waits, "the client's pause"
    elif client.tls.paused:
        assert server.tls.waits, "the client's pause"


# At the end.


class _Probe:
    """Takes a connection out of the pool."""

    method = b"GET"
    minor = 1

    def __init__(self) -> None:
        self.got: MemoryTLS | None = None

    def upstream_ready(self, connection: UpstreamConnection) -> None:
        """Take it."""
        self.got = connection.transport  # type: ignore[assignment]

    def unreachable(self, problem: str, *, timeout: bool) -> None:
        """There was none in the pool."""


def hold_at_the_end(world: World) -> None:
    """With all clients gone, every connection is closed, or once in the pool."""
    for client in world.clients:
        client.tls.lose()
    for authorization in list(world.authentication.waiting):
        world.authentication.settle(authorization, world.authentication.outcomes[b"Bearer jane"])
    while world.doubts:
        world.settle(0, refused=False)
    for server in world.servers:
        server.tls.take(more=True)
    while world.stack.connecting:
        world.connect(None)
    world.look()
    begun = sum(world.stack.clients.begin() for _ in range(MOST_REQUESTS + 1))
    assert begun == MOST_REQUESTS, "requests that wait for ever, or that nobody counted"
    world.stack.connects_late = True
    kept: list[MemoryTLS] = []
    while not world.stack.connecting:
        probe = _Probe()
        world.stack.pool.lend(probe)  # type: ignore[arg-type]
        if probe.got is not None:
            assert probe.got not in kept, "twice in the pool"
            kept.append(probe.got)
    for server in world.servers:
        assert (server.tls in kept) == server.alive, "neither in the pool nor closed"
        assert not server.tls.paused or not server.alive, "paused for ever"
