"""The logs of containers: what a test put there, and who follows it.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from koproxy_harness.kube.status import Refusal

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Exchange

TEXT = (("Content-Type", "text/plain"),)


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its end, and when it was written, in seconds since 1970."""

    time: float
    text: bytes

    def shown(self, timestamps: bool) -> bytes:
        """As it is sent, behind its time if that is asked for."""
        if not timestamps:
            return self.text
        moment = datetime.fromtimestamp(self.time, UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z ".encode() + self.text


class Log:
    """One container's log; those who follow are woken by each line."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.ended = False
        self._followers: list[Deferred[None]] = []

    def append(self, lines: Iterable[Line]) -> None:
        self.lines.extend(lines)
        self._wake()

    def end(self) -> None:
        """Nothing more comes: who follows is told so."""
        self.ended = True
        self._wake()

    def more(self) -> Deferred[None]:
        """Wait for something to happen here."""
        waiting: Deferred[None] = Deferred(self._followers.remove)
        self._followers.append(waiting)
        return waiting

    def _wake(self) -> None:
        followers, self._followers = self._followers, []
        for follower in followers:
            follower.callback(None)


def split(text: str | bytes | Iterable[str], now: float) -> list[Line]:
    """Give lines from text, or from single lines; each of them ends in a line feed."""
    if isinstance(text, bytes):
        text = text.decode()
    if isinstance(text, str):
        text = text.removesuffix("\n").split("\n") if text else []
    return [Line(now, f"{each}\n".encode()) for each in text]


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What a client asks for, as in `PodLogOptions`; `since` is a time in seconds since 1970."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail: int | None = None
    since: float | None = None
    limit: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], pod: str, now: float) -> LogOptions:
        """Read a request's parameters; raises `Refusal`."""
        tail = _number(query, "tailLines", 0, pod)
        seconds = _number(query, "sinceSeconds", 1, pod)
        limit = _number(query, "limitBytes", 1, pod)
        time = query.get("sinceTime")
        if seconds is not None and time:
            said = "at most one of `sinceTime` or `sinceSeconds` may be specified"
            raise _invalid(pod, "", f"Forbidden: {said}", "FieldValueForbidden")
        since = None if seconds is None else now - seconds
        if time:
            try:
                since = datetime.fromisoformat(time).timestamp()
            except ValueError as error:
                raise Refusal(400, f"sinceTime can't be read: {error}") from None
        return cls(
            true(query, "follow"),
            true(query, "previous"),
            true(query, "timestamps"),
            tail,
            since,
            limit,
        )


def true(query: Mapping[str, str], name: str, default: bool = False) -> bool:
    """Read a truth value as Kubernetes does: what isn't false is true, even nothing."""
    value = query.get(name)
    return default if value is None else value.lower() not in ("false", "0")


async def answer(exchange: Exchange, log: Log, options: LogOptions) -> None:
    """Send a log, and with `follow` what comes after, until it ends or the client goes."""
    exchange.begin(200, TEXT)
    left = options.limit
    at = 0 if options.tail is None else max(0, len(log.lines) - options.tail)
    while True:
        while at < len(log.lines):
            line = log.lines[at]
            at += 1
            if options.since is not None and line.time < options.since:
                continue
            data = line.shown(options.timestamps)
            if left is not None:
                data = data[:left]
                left -= len(data)
            exchange.send(data)
            await exchange.drained()
            if left == 0:
                exchange.end()
                return
        if not options.follow or log.ended:
            exchange.end()
            return
        await log.more()


def _number(query: Mapping[str, str], name: str, least: int, pod: str) -> int | None:
    text = query.get(name)
    if not text:
        return None
    try:
        number = int(text)
    except ValueError:
        raise Refusal(400, f"{name} must be a number and not {text!r}") from None
    if number < least:
        rule = "greater than 0" if least else "greater than or equal to 0"
        said = f"Invalid value: {number}: must be {rule}"
        raise _invalid(pod, name, said, "FieldValueInvalid")
    return number


def _invalid(pod: str, field: str, said: str, reason: str) -> Refusal:
    cause = {"reason": reason, "message": said, "field": field}
    prefix = f"{field}: " if field else ""
    return Refusal(
        422,
        f'PodLogOptions "{pod}" is invalid: {prefix}{said}',
        details={"name": pod, "kind": "PodLogOptions", "causes": [cause]},
    )
