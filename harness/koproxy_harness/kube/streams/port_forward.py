"""One connection of a port-forward, at the pod's end.

What it does is a test's handler's business, or that of a real port to which it is joined; how it
travels is `forwarding`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from twisted.internet.defer import Deferred

from koproxy_harness.errors import HarnessError
from koproxy_harness.kube.streams.incoming import Brake, Incoming


class Stream(Protocol):
    """One of the two streams of a connection: the client's bytes come out, and others go in."""

    received: Callable[[bytes], None]
    ended: Callable[[], None]

    def write(self, data: bytes) -> None: ...

    def end(self) -> None: ...


class Drained(Protocol):
    """What carries the streams."""

    def drained(self) -> Deferred[None]: ...


class PodConnection:
    """One connection to a port of a pod, at the pod's end.

    Read it by `await read()` (`b""` when the client has ended its side) or `async for`.
    """

    def __init__(
        self,
        namespace: str,
        pod: str,
        port: int,
        data: Stream,
        error: Stream,
        tunnel: Drained,
        brake: Brake,
    ) -> None:
        self.namespace = namespace
        self.pod = pod
        self.port = port
        self.incoming = Incoming(brake)
        self._data = data
        self._error = error
        self._tunnel = tunnel
        self._closed = False
        data.received = self.incoming.feed
        data.ended = self.incoming.end

    def read(self) -> Deferred[bytes]:
        """Wait for the next bytes; `b""` at their end."""
        return self.incoming.read()

    def __aiter__(self) -> Incoming:
        return self.incoming

    def write(self, data: bytes) -> Deferred[None]:
        """Send bytes; awaited, it waits until the client takes more."""
        if self._closed:
            raise HarnessError(f"the connection to port {self.port} of {self.pod} is closed")
        self._data.write(data)
        return self._tunnel.drained()

    def close(self) -> None:
        """End both directions."""
        self._closed = True
        self.incoming.discard()
        self._data.end()
        self._error.end()

    def fail(self, message: str) -> None:
        """Close, and have the client say this message."""
        self._error.write(message.encode())
        self.close()


ConnectionHandler = Callable[[PodConnection], "Awaitable[None] | None"]
