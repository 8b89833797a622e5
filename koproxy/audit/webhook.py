"""Audit events in batches to a webhook, an ``EventList`` at a time.

As kube-apiserver does: whatever a try fails with, the batch is sent again after a pause, which
grows, and is lost after five tries. Other batches are on their way meanwhile, so that the order of
events is theirs to tell by their timestamps.
"""

import random
from collections.abc import Callable

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent

from koproxy.audit.backend import Backend
from koproxy.audit.batches import Batches, Pauses
from koproxy.audit.webhook_server import WebhookServer
from koproxy.reloaded import Reloaded
from koproxy.sources.fetch import Body, FetchError, clause, first_cause

log = Logger()

TRIES = 5
GROWTH = 1.5
JITTER = 0.2
"""A pause is up to so much longer by chance, as a part of it."""

ANSWER_SECONDS = 30.0
STOP_SECONDS = 10.0
"""For what waits when the proxy stops."""

AT_ONCE = 8
"""Batches on their way at a time."""

_BEFORE = b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":['
_AFTER = b"]}"


class Webhook(Backend):
    """Sends events to a webhook.

    ``problem`` is about what can't be sent now; once all of that is lost it is None, because
    nobody knows any more.
    """

    def __init__(
        self,
        server: WebhookServer,
        agent: IAgent,
        clock: IReactorTime,
        *,
        room: int,
        most: int,
        wait: float,
        pause: float,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Take where to send events, and the limits.

        There is ``room`` for so many events, those on their way included. They are sent when there
        are ``most`` of them or one has waited ``wait`` seconds, at most ``most`` at a time;
        ``pause`` seconds are before the second try. Raises ConfigurationError.
        """
        super().__init__(server.name)
        self._server = server
        self.files = Reloaded(server.name, server.read, server.take, clock)
        """Where to send events; somebody has to start it."""
        self._client = HTTPClient(agent)
        self._clock = clock
        self._pause = pause
        self._chance = chance
        self._pauses = Pauses(clock)
        self._batches = Batches(
            clock,
            server.name,
            self._send,
            self.lose,
            room=room,
            due=most,
            wait=wait,
            largest=most,
            at_once=AT_ONCE,
        )
        self._sending = 0

    @property
    def waiting(self) -> int:
        """Events that are neither sent nor lost yet."""
        return self._batches.waiting

    def take(self, event: bytes) -> bool:
        """Have an event sent."""
        self._batches.put(event)
        return True

    def look(self) -> None:
        """Try again now what could not be sent."""
        self._pauses.end()

    def stopService(self) -> Deferred[None]:
        """Send what waits, without the pauses that there are now."""
        super().stopService()
        finished = self._batches.finish(STOP_SECONDS)
        self._pauses.end()
        return finished

    async def _send(self, events: list[bytes]) -> int:
        body = _BEFORE + b",".join(events) + _AFTER
        pause = self._pause
        self._sending += 1
        try:
            for left in reversed(range(TRIES)):
                try:
                    await self._post(body)
                except FetchError as problem:
                    self._failed(str(problem))
                else:
                    self._worked(len(events))
                    return 0
                if left:
                    await self._pauses.pause(pause * (1 + JITTER * self._chance()))
                    pause *= GROWTH
            return len(events)
        finally:
            self._sending -= 1
            if not self._sending:
                self.problem = None

    async def _post(self, body: bytes) -> None:
        """Send a batch once; raises FetchError."""
        answer = Deferred.fromCoroutine(self._ask(body))
        answer.addTimeout(ANSWER_SECONDS, self._clock)
        try:
            await answer
        except DeferredTimeout:
            raise FetchError(f"it did not answer within {ANSWER_SECONDS:g} seconds") from None

    async def _ask(self, body: bytes) -> None:
        headers = Headers({"User-Agent": ["koproxy"], "Content-Type": ["application/json"]})
        if self._server.authorization:
            headers.setRawHeaders("Authorization", [self._server.authorization])
        try:
            response = await self._client.post(
                self._server.url,
                data=body,
                headers=headers,
                allow_redirects=False,
                unbuffered=True,
            )
        except Exception as problem:  # noqa: BLE001 - what an agent may raise is nowhere listed
            cause = first_cause(problem)
            if isinstance(cause, CancelledError | ConnectingCancelledError):
                raise CancelledError from None
            raise FetchError(clause(cause)) from None
        content = Body()
        response.deliverBody(content)
        await content.whole
        if not 200 <= response.code <= 206:  # what client-go takes for a success
            raise FetchError(f"it answered with status {response.code}")

    def _failed(self, why: str) -> None:
        sentence = (
            f"{self.name}: audit events can't be sent to {self._server.place} ({why}): they wait, "
            "and are lost in the end; have the webhook answer"
        )
        if sentence != self.problem:
            self.problem = sentence
            log.error("{problem}", problem=sentence)

    def _worked(self, number: int) -> None:
        self.written += number
        if self.problem is not None:
            self.problem = None
            log.info(
                "{name}: audit events can be sent again; {dropped} have been lost so far",
                name=self.name,
                dropped=self.dropped,
            )
