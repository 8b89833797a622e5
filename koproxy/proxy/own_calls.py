"""The proxy's own calls to the API server, on the same connections and with the same credential.

They are small and whole: a review, a question after the version. They never carry an identity
other than the proxy's own.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar

from twisted.internet.defer import Deferred, ensureDeferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from koproxy.proxy.bucket import Allowance
from koproxy.proxy.connect import Access
from koproxy.proxy.upstream import Pool, UpstreamConnection
from koproxy.wire.response import Answer

CALL_SECONDS = 10.0
_LARGEST_ANSWER = 1024 * 1024
UNAUTHORIZED = HTTPStatus.UNAUTHORIZED

REFUSED = (
    "the API server refuses the proxy's own credential; this is not about your token: "
    "tell whoever runs the proxy"
)
UNKNOWN = (
    "whether the API server takes the proxy's own credential could not be found out: try again"
)

_WHO_AM_I = b"/version"

log = Logger()

T = TypeVar("T")


class Unanswered(Exception):
    """The API server gave no answer to the proxy's own call; the text says why."""


class _Call:
    """One call: its request is whole when it begins, its answer is collected."""

    minor = 0  # the content alone, however it was framed
    request_sent = True

    def __init__(
        self, access: Access, host: bytes, method: bytes, path: bytes, body: bytes
    ) -> None:
        self.method = method
        credential = access.authorization
        # Each has a connection of its own, which ends with it: strangers' tokens are asked about,
        # and must not fill the pool.
        self._data = (
            b"%b %b%b HTTP/1.1\r\nHost: %b\r\nConnection: close\r\nAccept: application/json\r\n"
            % (method, access.path_prefix, path, host)
        )
        if credential:
            self._data += b"Authorization: %b\r\n" % credential
        if body:
            self._data += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
        self._data += b"\r\n" + body
        self._connection: UpstreamConnection | None = None
        self._status = 0
        self._content = b""
        self.result: Deferred[tuple[int, bytes]] = Deferred(self._cancelled)

    def _cancelled(self, _result: object) -> None:
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    def upstream_ready(self, connection: UpstreamConnection) -> None:
        """Send all of it, unless time has run out meanwhile."""
        if self.result.called:
            connection.release()
            return
        self._connection = connection
        connection.send(self, self._data)

    def unreachable(self, problem: str, *, timeout: bool) -> None:
        """No connection."""
        self._fail(problem)

    def interim(self, answer: Answer) -> None:
        """Nothing to do."""

    def answered(self, answer: Answer, data: bytes, *, whole: bool) -> None:
        """Collect the answer."""
        self._status = answer.status
        self.piece(data, last=whole)

    def piece(self, data: bytes, *, last: bool) -> None:
        """Collect more of it, within reason."""
        self._content += data
        if len(self._content) > _LARGEST_ANSWER:
            self._cancelled(None)
            self._fail("its answer is too large")

    def ended(self) -> None:
        """Give the answer."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.discard()
        if not self.result.called:
            self.result.callback((self._status, self._content))

    def broken(self, problem: str, *, untouched: bool) -> None:
        """The connection went."""
        self._connection = None
        self._fail(problem)

    def pause_sending(self) -> None:
        """All is written already."""

    def resume_sending(self) -> None:
        """All is written already."""

    def _fail(self, problem: str) -> None:
        if not self.result.called:
            self.result.errback(Failure(Unanswered(problem)))


class OwnCalls:
    """What the proxy itself asks the API server.

    ``renew`` has the credential read again and says whether it changed; ``problem`` says in a
    sentence that the API server refuses it, for as long as it does. ``made`` counts the calls that
    have ended, by the last part of their path and by status, "error" where
    there is none, or "throttled".
    """

    def __init__(
        self,
        reactor: IReactorTime,
        access: Access,
        pool: Pool,
        host: bytes,
        renew: Callable[[], Awaitable[bool]],
        allowance: Allowance | None = None,
    ) -> None:
        """Take the ``allowance`` that calls are held to; without one, to nothing."""
        self._reactor = reactor
        self._allowance = allowance
        self._access = access
        self._pool = pool
        self._host = host
        self._renew = renew
        self._waiting: list[Deferred[str | None]] = []
        self.problem: str | None = None
        self.made: Counter[tuple[str, str]] = Counter()

    def call(
        self, method: bytes, path: bytes, body: bytes = b"", *, stranger: bool = False
    ) -> Deferred[tuple[int, bytes]]:
        """One call: (status, content). Fails with :class:`Unanswered` or a TimeoutError.

        A 401 has the credential looked into, so that it is known before a person is turned away.
        The allowance may have it wait for a part of its time; ``stranger`` as there.
        """
        return Deferred.fromCoroutine(self._call(method, path, body, stranger=stranger))

    async def _call(
        self, method: bytes, path: bytes, body: bytes, *, stranger: bool
    ) -> tuple[int, bytes]:
        left = CALL_SECONDS
        for bucket in self._allowance.buckets(stranger=stranger) if self._allowance else ():
            wait = bucket.wait(left)
            if wait is None:
                self.made[path.rpartition(b"/")[2].decode(), "throttled"] += 1
                raise Unanswered("there are more calls than --kube-client-qps allows")
            if wait:
                left -= wait
                await deferLater(self._reactor, wait)
        answer = await self._send(method, path, body, left)
        if answer[0] == UNAUTHORIZED:
            self.doubt()
        return answer

    def _send(
        self, method: bytes, path: bytes, body: bytes, seconds: float = CALL_SECONDS
    ) -> Deferred[tuple[int, bytes]]:
        if self._access.problem is not None:
            return self._count(path, fail(Unanswered(self._access.problem)))
        call = _Call(self._access, self._host, method, path, body)
        # A fresh connection: a kept one that the other side is closing would need a second try.
        self._pool.lend(call, fresh=True)
        return self._count(path, call.result.addTimeout(seconds, self._reactor))

    def _count(
        self, path: bytes, ending: Deferred[tuple[int, bytes]]
    ) -> Deferred[tuple[int, bytes]]:
        kind = path.rpartition(b"/")[2].decode()

        def count(outcome: T) -> T:
            self.made[kind, str(outcome[0]) if isinstance(outcome, tuple) else "error"] += 1
            return outcome

        return ending.addBoth(count)

    def doubt(self) -> Deferred[str | None]:
        """Find out whether the API server takes the credential, now or after it was read again.

        None if it does, else a sentence for a client. Those who ask while an answer is on its way
        get the same one.
        """
        waiting: Deferred[str | None] = Deferred()
        self._waiting.append(waiting)
        if len(self._waiting) == 1:
            ensureDeferred(self._check()).addBoth(self._checked)
        return waiting

    async def _check(self) -> bool:
        if not await self._is_401():
            return False
        await self._renew()
        return await self._is_401()

    async def _is_401(self) -> bool:
        # Any answer but 401 shows that the credential is known, a 403 too.
        status, _ = await self._send(b"GET", _WHO_AM_I, b"")
        return status == UNAUTHORIZED

    def _checked(self, outcome: bool | Failure) -> None:
        if isinstance(outcome, Failure):
            log.warn(
                "whether the API server takes the proxy's credential is not known: {problem}",
                problem=outcome.getErrorMessage(),
            )
            sentence: str | None = UNKNOWN
        else:
            sentence = REFUSED if outcome else None
            problem = "the API server refuses the proxy's credential (401)" if outcome else None
            if problem != self.problem:
                self.problem = problem
                if problem:
                    log.error("{problem}: check the kubeconfig or ServiceAccount", problem=problem)
                else:
                    log.info("the API server takes the proxy's credential again")
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(sentence)
