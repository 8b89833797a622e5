"""A client's connection: the way of a request, from its head to the end of its answer.

Read :class:`Frontend` downwards: bytes become a request (``wire``), its token becomes an identity
(the one that decides), the one upstream head is written (``wire``), and an upstream connection
carries it. This module knows no JWT; it may not pass on a byte of a request that was not decided,
nor of a client's before the API server has agreed to an upgrade.
"""

from dataclasses import dataclass
from http import HTTPStatus

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from koproxy.identity.decision import Misread, Outcome, Reviewed, Verified
from koproxy.proxy.account import CLIENT_GONE, Account
from koproxy.proxy.deciding import decide, refusal, review
from koproxy.proxy.stream import LAST_CHUNK, Stream, find_stream
from koproxy.proxy.transport import Transport
from koproxy.proxy.tunnel import Tunnel
from koproxy.proxy.upstream import UpstreamConnection
from koproxy.proxy.way import Shown, Way
from koproxy.wire.body import Body, FixedBody
from koproxy.wire.fields import Malformed
from koproxy.wire.request import Fields, Request, leaves, parse_request, read_request, upstream_head
from koproxy.wire.response import Answer
from koproxy.wire.status import status_answer

_MOST_AHEAD = 64 * 1024  # bytes read from a client before anybody wants them

# A client who has connected and asked nothing yet is waited for so long when the proxy ends.
_FRESH_SECONDS = 2.0

# Stands for a request whose head is no longer needed.
_LONG_RUNNING = parse_request(b"GET / HTTP/1.1\r\nHost: -\r\n\r\n")

_NO_ACCOUNT = Account(None, b"", 0.0)
_NO_ACCOUNT.ended = 1.0

log = Logger()


class Frontend:
    """One client's connection: one request after the other, each answered before the next."""

    transport: Transport

    def __init__(self, way: Way) -> None:
        self._way = way
        self._clients = way.clients
        self._now = way.now
        self._observers = way.observers
        self._tell_complete = way.observers.complete
        self._limits = way.clients.limits
        self._since = way.clients.now
        self._fresh = True
        self._waiting = False
        self._expires = float("inf")
        self._expiry: IDelayedCall | None = None
        self._buffer = b""
        self._seen = 0  # bytes of it that were no whole head
        self._last_fields: Fields | None = None
        self._request: Request | None = None
        self._account = _NO_ACCOUNT
        self._body: Body = FixedBody(0)
        self._identity = b""
        self._carrier = way.carrier
        self._client_credential: bytes | None = None  # that goes upstream in place of the proxy's
        self._shown: Shown | None = None
        self._upstream: UpstreamConnection | None = None
        self._doubted: _Doubted | None = None
        self._answering = False
        self._stream: Stream | None = None
        self._keep_alive = True
        self._retried = False
        self._gone = False
        self._looping = self._client_slow = self._upstream_slow = self._reading_paused = False

    # From bytes to a request.

    def connectionMade(self) -> None:
        """Learn who it is, and have senders paused while the client is slow."""
        peer, trusted = self.transport.peer_host, self._way.trusted
        self._peer = self._client = peer.encode()
        forwards = trusted is not None and self.transport.peer_forwards and peer in trusted
        self._trusted = trusted if forwards else None
        if self._way.show is not None:
            certificates = self.transport.peer_certificates
            self._shown = self._way.show(certificates) if certificates else None
        self.transport.registerProducer(self)
        self._clients.join(self)

    def dataReceived(self, data: bytes) -> None:
        """Bytes of the body under way go on; all others wait for their turn."""
        if self._upstream is not None and not self._body.done:
            self._send_body(self._upstream, data)
            return
        if self._buffer:
            self._buffer += data
        else:
            self._buffer = data
            self._since = self._clients.now
        if self._request is None:
            self._read_requests()
        if self._buffer:
            self._adjust_reading()

    def _read_requests(self) -> None:
        """Begin the next request; a loop, since a refused one is over at once."""
        if self._looping:
            return
        self._looping = True
        largest = self._limits.header_bytes
        try:
            while self._request is None and self._buffer and not (self._client_slow or self._gone):
                found = read_request(self._buffer, self._last_fields, largest, self._seen)
                if found is None:
                    self._seen = len(self._buffer)
                    break
                self._request, end = found
                self._buffer, self._seen = self._buffer[end:], 0
                self._begin(self._request)
        except Malformed as problem:
            what = "Unauthorized" if problem.status == 401 else "the request is not HTTP/1.1"
            self._refuse(problem.status, f"{what}: {problem}")
        except Exception:  # noqa: BLE001 (this client's failure must not become another's)
            self._failed(Failure())
        finally:
            self._looping = False

    # From a request to an identity.

    def _begin(self, request: Request) -> None:
        self.method, self.minor = request.method, request.minor
        fields = request.fields
        if self._trusted is not None and fields is not self._last_fields:
            peer = self.transport.peer_host
            self._client = self._trusted.client_address(peer, fields.forwarded_for)
        self._last_fields = fields
        self._body = request.body()
        self._answering = self._retried = self._fresh = False
        account = self._account = Account(request, self._client, self._now())
        if self._shown is None:
            known = self._way.authentication.known(request.fields.authorization)
        else:
            known = self._shown.known(self._way.reactor.seconds())
        if known is not None:
            account.known = True
            self._decided(known)
        else:
            self._way.turns.take(self._decide)

    def _decide(self) -> None:
        request = self._request
        if request is None:  # the client has gone meanwhile
            return
        try:
            decision = decide(self._way, self._shown, request)
            if isinstance(decision, Deferred):
                decision.addCallback(self._decided).addErrback(self._failed)
            else:
                self._decided(decision)
        except Exception:  # noqa: BLE001 (its turn may come among those of other clients)
            self._failed(Failure())

    def _decided(self, decision: Outcome) -> None:
        request = self._request
        if request is None:  # the client has gone meanwhile
            return
        self._account.decision = decision
        if not (request.fields.impersonation and isinstance(decision, Verified)):
            self._settled(request, decision)
            return
        reviewed = review(self._way, decision, request)
        if isinstance(reviewed, Deferred):
            reviewed.addCallback(self._reviewed).addErrback(self._failed)
        else:
            self._reviewed(reviewed)

    def _reviewed(self, outcome: Reviewed) -> None:
        request = self._request
        if request is None:  # the client has gone meanwhile
            return
        if isinstance(outcome, Verified):
            self._account.acting_as = outcome.identity
        else:
            self._account.declined = outcome
        self._settled(request, outcome)

    def _settled(self, request: Request, outcome: Outcome | Misread) -> None:
        """Have the request passed on, or refuse it."""
        account = self._account
        for tell in self._observers.decided:
            tell(account)
        if account.refusal:
            self._refuse(500, account.refusal)
        elif isinstance(outcome, Verified):
            self._pass_on(request, outcome)
        else:
            self._refuse(*refusal(outcome))

    def _pass_on(self, request: Request, verified: Verified) -> None:
        own = verified.credential is None
        carrier = self._carrier = self._way.carrier if own else self._way.bare
        if (problem := carrier.access.problem) is not None:
            self._refuse(503, f"the proxy has no credential for the API server: {problem}")
        elif carrier.access.path_prefix and leaves(request.target):
            self._refuse(400, "the target's path has a segment that is '.' or '..'")
        elif not self._clients.begin():
            self._refuse(429, "too many requests wait for the API server", retry_after=1)
        else:
            self._waiting = True
            self._identity = verified.headers
            if own and self._way.client_ip_line is not None:
                self._identity += self._way.client_ip_line(self._client)
            self._client_credential = verified.credential
            self._expires = verified.ends
            carrier.pool.lend(self)

    # From an identity to the API server.

    def upstream_ready(self, connection: UpstreamConnection) -> None:
        """Send the head that this request has upstream, and what there is of its body."""
        request = self._request
        if request is None:  # the client has gone meanwhile
            connection.release()
            return
        access, credential = self._carrier.access, self._client_credential
        data = upstream_head(
            request,
            host=self._way.upstream_host,
            prefix=access.path_prefix,
            identity=self._identity,
            credential=access.authorization if credential is None else credential,
            peer=self._client,
            noted=self._account.noted_upstream,
        )
        self._credential = access.authorization, access.tls
        account = self._account
        account.sent = self._now()
        if self._buffer and not self._body.done:
            try:
                body, self._buffer = self._body.feed(self._buffer)
            except Malformed as problem:
                connection.release()
                self._refuse(400, f"the request's body is not HTTP/1.1: {problem}")
                return
            data += body
            account.received = len(body)
        self._upstream = connection
        if self._client_slow:
            connection.pause()
        connection.send(self, data)
        if self._reading_paused:
            self._adjust_reading()

    def unreachable(self, problem: str, *, timeout: bool) -> None:
        """Tell the client that no connection could be made."""
        log.warn("no connection to the API server: {problem}", problem=problem)
        if self._request is not None:
            self._refuse(504 if timeout else 502, f"the API server can't be reached: {problem}")

    @property
    def request_sent(self) -> bool:
        """Whether the request's last byte is on its way."""
        return self._body.done

    def _send_body(self, upstream: UpstreamConnection, data: bytes) -> None:
        try:
            body, self._buffer = self._body.feed(data)
        except Malformed as problem:
            self._leave_upstream(abort=True)
            if self._answering:
                self.transport.abortConnection()
            else:
                self._refuse(400, f"the request's body is not HTTP/1.1: {problem}")
            return
        self._account.received += len(body)
        upstream.write(body)

    # From the API server's answer to the client.

    def interim(self, answer: Answer) -> None:
        """Pass on a 1xx, which HTTP/1.0 doesn't know."""
        if self.minor:
            self.transport.write(answer.head(minor=1, keep_alive=True))

    def answered(self, answer: Answer, data: bytes, *, whole: bool) -> None:
        """Pass the head on, unless it is a 101 or says that somebody is not known."""
        request, upstream = self._request, self._upstream
        if request is None or upstream is None:  # the client has gone meanwhile
            return
        if self._waiting:
            self._wait_no_more()
        if answer.status == 101:
            self._switch_protocols(request, upstream, answer, data)
        elif answer.status == 401 and self._client_credential is None:
            # If it's the proxy that the API server doesn't know, the client must not be told so:
            # its own log-in is in order.
            self._doubted = _Doubted(answer, data)
            check = self._way.own_calls.doubt()
            check.addCallback(self._credential_checked).addErrback(self._failed)
        else:
            self._pass_answer(request, answer, data, whole=whole)

    def piece(self, data: bytes, *, last: bool) -> None:
        """Pass on more of the body."""
        if self._doubted is None:
            self._account.returned += len(data)
            if last:
                self._complete()
            self.transport.write(data)
            if self._stream is not None:
                self._stream.follow(data)
                if self._clients.ending and not last:
                    self._end_stream(self._stream)
        else:
            self._doubted.data += data
            if self._upstream is not None:
                self._upstream.pause()

    def ended(self) -> None:
        """The answer is whole: on to the next request, or to the end."""
        self._upstream, self._upstream_slow = None, False
        if self._doubted is not None:
            self._doubted.ended = True
            return
        if not self._account.ended:
            self._complete()
        self._request = self._stream = None
        if self._expiry is not None:
            self._outlived()
        self._go_on()

    def broken(self, problem: str, *, untouched: bool) -> None:
        """Send it again if that is safe, else say so; a cut answer is cut for the client too."""
        self._leave_upstream()
        self._doubted = None
        request = self._request
        if self._answering or request is None:
            self._complete(cut=True)
            self.transport.abortConnection()
        elif untouched and request.repeatable and not self._retried:
            self._retried = True
            self._carrier.pool.lend(self, fresh=True)
        else:
            log.warn("the API server's answer failed: {problem}", problem=problem)
            self._refuse(502, f"the API server's answer failed: {problem}")

    def _pass_answer(self, request: Request, answer: Answer, data: bytes, *, whole: bool) -> None:
        minor = self.minor
        account = self._account
        account.status, account.returned = answer.status, len(data)
        account.answered = now = self._now()
        if whole:
            account.ended = now
            for tell in self._tell_complete:
                tell(account)
        else:
            for tell in self._observers.answering:
                tell(account)
            self._stream = find_stream(request, answer)
            if self._stream is not None:
                self._stream.follow(data)
        self._answering = True
        self._since = self._clients.now
        self._expiry = self._outlive() if self._limits.until_expiry else None
        # After an answer that came before the request's end, or to an upgrade, nobody can be sure
        # what the client's next bytes are.
        self._keep_alive = (
            request.keep_alive
            and self._body.done
            and request.fields.upgrade is None
            and (answer.length is not None or not answer.ends_with_connection(minor=minor))
            and not self._clients.leaving
        )
        self.transport.write(answer.head(minor=minor, keep_alive=self._keep_alive) + data)

    def _outlive(self) -> IDelayedCall | None:
        """Have the connection cut at the end of the token's time, if that is wanted."""
        expires, clock = self._expires, self._way.reactor
        if not self._limits.until_expiry or expires == float("inf"):
            return None
        return clock.callLater(max(0.0, expires - clock.seconds()), self.transport.abortConnection)

    def _outlived(self) -> None:
        expiry, self._expiry = self._expiry, None
        if expiry is not None and expiry.active():
            expiry.cancel()

    def _wait_no_more(self) -> None:
        if self._waiting:
            self._waiting = False
            self._clients.end()

    def _switch_protocols(
        self, request: Request, upstream: UpstreamConnection, answer: Answer, data: bytes
    ) -> None:
        """Become a tunnel, if that is what the client asked for."""
        asked = request.fields.upgrade
        if asked is None or (answer.upgrade or b"").lower() != asked:
            upstream.abort()
            self.broken("it switched to a protocol that nobody asked for", untouched=False)
            return
        account = self._account
        account.status, account.answered = answer.status, self._now()
        account.received, account.returned = len(self._buffer), len(data)
        for tell in self._observers.answering:
            tell(account)
        self.transport.write(answer.head(minor=1, keep_alive=True) + data)
        upstream.write(self._buffer)
        self._clients.forget(self)
        tunnel = Tunnel(self.transport, upstream.transport, self._outlive(), self._tunnel_ended)
        self._clients.tunnel_begins(tunnel)

    def _tunnel_ended(self, tunnel: Tunnel, received: int, returned: int, cut: bool) -> None:
        self._clients.tunnel_ended(tunnel)
        self._account.received += received
        self._account.returned += returned
        self._complete(cut=cut)

    def _credential_checked(self, refused: str | None) -> None:
        """Settle a 401: the proxy's own, an out-dated credential's, or really the answer."""
        doubted, self._doubted = self._doubted, None
        request = self._request
        if doubted is None or request is None:
            return
        access = self._carrier.access
        renewed = self._credential != (access.authorization, access.tls)
        if refused is None and not renewed:
            self._pass_answer(request, doubted.answer, doubted.data, whole=doubted.ended)
            if doubted.ended:
                self.ended()
            elif self._upstream is not None and not self._client_slow:
                self._upstream.resume()
            return
        self._leave_upstream(abort=True)
        if refused is not None:
            self._refuse(502, refused)
        elif request.repeatable and not self._retried:
            self._retried = True
            self._carrier.pool.lend(self)
        else:
            self._refuse(503, "the proxy's credential was renewed: try again", retry_after=1)

    # Refusals and ends.

    def _refuse(self, code: int, message: str, *, retry_after: int = 0) -> None:
        self._wait_no_more()
        if self._account.ended:  # what came was no request
            self._account = Account(None, self._peer, self._now())
        peer = self._account.peer.decode()
        log.debug("{code} to {peer}: {why}", code=code, peer=peer, why=message)
        name = self._account.id
        self._account.status, self._account.refusal = code, message
        self._complete()
        request, self._request = self._request, None
        self._keep_alive = (
            request is not None
            and code != HTTPStatus.INTERNAL_SERVER_ERROR  # who knows what is left behind
            and request.keep_alive
            and self._body.done
            and request.fields.upgrade is None
            and not self._clients.leaving
        )
        self.transport.write(
            status_answer(
                code,
                message,
                keep_alive=self._keep_alive,
                head_only=request is not None and request.method == b"HEAD",
                retry_after=retry_after,
                noted=b"Audit-ID: %b\r\n" % name.encode("latin-1") if name else b"",
            )
        )
        self._go_on()

    def _failed(self, failure: Failure) -> None:
        log.failure("a request failed inside koproxy", failure)
        if self._request is not None and not self._answering:
            self._refuse(500, "the proxy failed; its log says why")
        else:
            self.transport.abortConnection()

    def _go_on(self) -> None:
        """On to the next request, or to the end."""
        self._since = self._clients.now
        if not self._keep_alive:
            self._close()
        elif self._buffer or self._reading_paused:
            self._read_requests()
            self._adjust_reading()

    def _close(self) -> None:
        """Say that this was all, and let the client go first: an answer isn't lost to a reset."""
        self._gone = True
        self._buffer, self._seen = b"", 0
        self.transport.loseWriteConnection()

    def connectionLost(self, reason: Failure) -> None:
        """A client who is gone wants no answer."""
        self._gone = True
        if self._request is not None:
            self._account.status = self._account.status or CLIENT_GONE
            self._complete(cut=True)
        self._request = self._doubted = None
        self._wait_no_more()
        self._clients.forget(self)
        self._outlived()
        self._leave_upstream(abort=True)

    def _leave_upstream(self, *, abort: bool = False) -> None:
        """The connection to the API server is somebody else's from now on, or nobody's."""
        upstream, self._upstream = self._upstream, None
        self._upstream_slow = False
        if upstream is not None and abort:
            upstream.abort()

    def _end_stream(self, stream: Stream) -> None:
        """End it as the API server would, where that can be done, or else when time is over."""
        upstream = self._upstream
        if upstream is None or not (stream.between_events and upstream.between_chunks):
            if self._clients.cutting:
                self.transport.abortConnection()
            return
        self._complete()
        self._leave_upstream(abort=True)
        self._outlived()
        self._request = self._stream = None
        self.transport.write(LAST_CHUNK)
        self._close()

    # For whoever keeps account.

    def _complete(self, *, cut: bool = False) -> None:
        """The last of an answer is about to be passed on, or there will be none."""
        account = self._account
        if account.ended:
            return
        account.ended, account.cut = self._now(), cut
        for tell in self._tell_complete:
            tell(account)

    # Who waits for whom, and for how long.

    def finished(self) -> None:
        """A client who sends nothing more wants nothing more, as at Go's servers."""
        self.transport.abortConnection()

    def drop(self) -> None:
        """End at once: the proxy does."""
        self.transport.abortConnection()

    def check(self, now: float) -> None:
        """Close a connection that has nothing under way and takes too long over it.

        One whose answer goes on and on is a watch: of that, what was asked for need not be kept.
        """
        if self._gone:
            return
        if self._request is not None:
            if self._answering and now > self._since:
                self._request, self._last_fields = _LONG_RUNNING, None
                self._account.request = None
            if self._clients.ending and self._stream is not None:
                self._end_stream(self._stream)
            return
        if self._clients.ending and not self._buffer:
            # Who has only just come may have a request on its way.
            if not self._fresh or now - self._since >= _FRESH_SECONDS:
                self.transport.loseConnection()
            return
        limits = self._limits
        head = bool(self._buffer or self._fresh) and not self._client_slow
        limit = limits.header_seconds if head else limits.idle_seconds
        if not limit or now - self._since < limit:
            return
        if head and self._buffer:
            self._refuse(408, f"the request's head was not whole within {limit:g} s")
        elif self._client_slow:
            self.transport.abortConnection()
        else:
            self.transport.loseConnection()

    def pauseProducing(self) -> None:
        """The client doesn't take what was written."""
        self._client_slow = True
        if self._upstream is not None:
            self._upstream.pause()

    def resumeProducing(self) -> None:
        """The client does again."""
        self._client_slow = False
        if self._upstream is not None:
            self._upstream.resume()
        self._read_requests()

    def pause_sending(self) -> None:
        """The API server doesn't take the body as fast as it comes."""
        self._upstream_slow = True
        self._adjust_reading()

    def resume_sending(self) -> None:
        """It does again."""
        self._upstream_slow = False
        self._adjust_reading()

    def _adjust_reading(self) -> None:
        most = _MOST_AHEAD if self._request is not None else self._limits.header_bytes
        paused = self._upstream_slow or len(self._buffer) > most
        if paused != self._reading_paused:
            self._reading_paused = paused
            if paused:
                self.transport.pauseProducing()
            else:
                self.transport.resumeProducing()


@dataclass(slots=True)
class _Doubted:
    """A 401 that waits until it is known whom it is for."""

    answer: Answer
    data: bytes
    ended: bool = False
