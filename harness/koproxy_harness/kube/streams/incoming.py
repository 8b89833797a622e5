"""What a client sends and a handler reads, bounded: beyond that nothing is read from the client."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed

_FULL = 1 << 16  # bytes that wait for a handler before the client has to


class Brake:
    """Stops the reading of a connection while any of its streams is full."""

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._pause = pause
        self._resume = resume
        self._held: set[object] = set()

    def hold(self, who: object) -> None:
        """Stop, for this stream."""
        if not self._held:
            self._pause()
        self._held.add(who)

    def release(self, who: object) -> None:
        """Go on, if this stream was the last that held."""
        if who in self._held:
            self._held.remove(who)
            if not self._held:
                self._resume()


class Incoming:
    """Bytes in the order in which they came: `await read()`, or `async for chunk in ...`."""

    def __init__(self, brake: Brake) -> None:
        self._brake = brake
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._unwanted = False
        self._waiting: Deferred[bytes] | None = None

    def read(self) -> Deferred[bytes]:
        """Wait for the next bytes; none of them (`b""`) when the client has ended its side."""
        if self._chunks:
            data = b"".join(self._chunks)
            self._chunks.clear()
            self._size = 0
            self._brake.release(self)
            return succeed(data)
        if self._ended:
            return succeed(b"")
        self._waiting = Deferred(lambda _: setattr(self, "_waiting", None))
        return self._waiting

    async def read_all(self) -> bytes:
        """Wait for all that comes until the client ends its side."""
        return b"".join([chunk async for chunk in self])

    def __aiter__(self) -> Incoming:
        return self

    async def __anext__(self) -> bytes:
        data = await self.read()
        if not data:
            raise StopAsyncIteration
        return data

    # For the transport

    def feed(self, data: bytes) -> None:
        """Take bytes from the client."""
        if not data or self._ended or self._unwanted:
            return
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(data)
            return
        self._chunks.append(data)
        self._size += len(data)
        if self._size >= _FULL:
            self._brake.hold(self)

    def end(self) -> None:
        """The client sends nothing more here."""
        self._ended = True
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(b"")

    def discard(self) -> None:
        """Nobody reads any more: drop what is there and what comes."""
        self._unwanted = True
        self._chunks.clear()
        self._size = 0
        self._brake.release(self)
