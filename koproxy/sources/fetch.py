"""GET over https, bounded in time, size and redirects, for what issuers publish.

Never on the way of a request: an answer is collected whole. Every failure is one FetchError, whose
text is a clause for people and holds nothing of the answer's body or of what was sent.
"""

from collections.abc import Container

from hyperlink import URL
from OpenSSL.SSL import Error as TLSError
from service_identity import VerificationError
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import (
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
)
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IResponse

MAX_BYTES = 1024 * 1024
MAX_REDIRECTS = 10
SECONDS = 30.0

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK = frozenset({200})
_WRAPPED = (RequestGenerationFailed, RequestTransmissionFailed, ResponseFailed)


class FetchError(Exception):
    """Nothing was fetched; the text is a clause such as "it answered with status 404"."""


class Fetcher:
    """Fetches documents, each over a connection of its own."""

    def __init__(self, clock: IReactorTime, agent: IAgent, *, seconds: float = SECONDS) -> None:
        """Take the agent to send requests with, and the seconds that one answer may take."""
        self._clock = clock
        self._client = HTTPClient(agent)
        self._seconds = seconds

    async def get(self, url: str, *, token: str = "", statuses: Container[int] = _OK) -> bytes:
        """Return the body of the answer to a GET of ``url``, after redirects.

        ``token`` is sent as a bearer token, as far as redirects stay on the same server. Raises
        FetchError for a URL that isn't https, a status that is not in ``statuses``, a body of more
        than MAX_BYTES, and if the answer isn't complete in time.
        """
        answer = Deferred.fromCoroutine(self._follow(url, token, statuses))
        answer.addTimeout(self._seconds, self._clock)
        try:
            return await answer
        except DeferredTimeout:
            raise FetchError(f"it did not answer within {self._seconds:g} seconds") from None

    async def _follow(self, url: str, token: str, statuses: Container[int]) -> bytes:
        target = _https(url)
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._ask(target, token)
            body = Body()
            response.deliverBody(body)
            if response.code in statuses:
                return await body.whole
            body.discard()
            if response.code not in _REDIRECTS:
                raise FetchError(f"it answered with status {response.code}")
            before = target
            target = _https(response.headers.getRawHeaders("location", [""])[0], before)
            if (target.host, target.port) != (before.host, before.port):
                token = ""
        raise FetchError(f"it redirects more than {MAX_REDIRECTS} times")

    async def _ask(self, target: URL, token: str) -> IResponse:
        headers = Headers({"User-Agent": ["koproxy"]})
        if not (token.isascii() and token.isprintable()):
            raise FetchError("the token to ask it with is malformed")
        if token:
            headers.setRawHeaders("Authorization", [f"Bearer {token}"])
        try:
            return await self._client.get(
                target, headers=headers, allow_redirects=False, unbuffered=True
            )
        except Exception as problem:  # noqa: BLE001 - what an agent may raise is nowhere listed
            cause = first_cause(problem)
            if isinstance(cause, CancelledError | ConnectingCancelledError):
                raise CancelledError from None
            raise FetchError(clause(cause)) from None


class Body(Protocol):
    """Collects an answer's body, up to MAX_BYTES; cancelling ``whole`` ends the connection."""

    def __init__(self) -> None:
        self.whole: Deferred[bytes] = Deferred(lambda _: self._abort())
        self._pieces: list[bytes] = []
        self._room = MAX_BYTES

    def discard(self) -> None:
        """Want nothing of it."""
        self.whole.addErrback(lambda failure: failure.trap(CancelledError, FetchError) and b"")
        self.whole.cancel()

    def dataReceived(self, data: bytes) -> None:
        """Keep a piece, unless it is one too many."""
        self._room -= len(data)
        if self._room >= 0:
            self._pieces.append(data)
        elif not self.whole.called:
            self.whole.errback(FetchError(f"its answer has more than {MAX_BYTES} bytes"))
            self._abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Give what there is, if that is all."""
        if self.whole.called:
            return
        # Without a length, only the end of the connection says that a body is complete.
        if reason.check(ResponseDone, PotentialDataLoss):
            self.whole.callback(b"".join(self._pieces))
        else:
            self.whole.errback(FetchError("its answer was cut short"))

    def _abort(self) -> None:
        abort = getattr(self.transport, "abortConnection", None)
        if abort is not None:
            abort()


def _https(text: str, base: URL | None = None) -> URL:
    """Make a URL, relative to ``base``, that is https and has a host."""
    try:
        url = base.click(text) if base else URL.from_text(text)
        url = url.to_uri()
    except (ValueError, UnicodeError):
        raise FetchError("its URL is malformed") from None
    if url.scheme != "https" or not url.host:
        raise FetchError("its URL is not https" if base is None else "it redirects away from https")
    return url


def first_cause(problem: BaseException) -> BaseException:
    """Look for what went wrong first, in what an agent wraps it into."""
    while isinstance(problem, _WRAPPED) and problem.reasons:
        problem = problem.reasons[0].value
    return problem


def clause(problem: BaseException) -> str:
    """Say what went wrong with a connection."""
    if isinstance(problem, VerificationError):
        return "its certificate is for another host"
    if isinstance(problem, TLSError):
        reasons = [entry[-1] for entry in problem.args[0]] if problem.args else []
        return f"TLS failed: {reasons[-1] if reasons else 'the connection was closed'}"
    return (str(problem) or type(problem).__name__).rstrip(".")
