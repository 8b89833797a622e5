"""Port-forward: pairs of SPDY streams, each pair a connection to a port of a pod.

A client opens an `error` and a `data` stream with the same `requestID` and `port`; what a
connection does is a test's handler's business, or that of a real port to which it is joined.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from koproxy_harness.errors import HarnessError
from koproxy_harness.kube.streams.incoming import Brake, Incoming
from koproxy_harness.kube.streams.spdy_streams import SpdyStream, SpdyStreams
from koproxy_harness.kube.streams.tunnels import SpdyTunnel, WebSocketTunnel

PROTOCOL = "portforward.k8s.io"
OVER_WEBSOCKET = f"SPDY/3.1+{PROTOCOL}"


class PodConnection:
    """One connection to a port of a pod, at the pod's end.

    Read it by `await read()` (`b""` when the client has ended its side) or `async for`.
    """

    def __init__(
        self,
        namespace: str,
        pod: str,
        port: int,
        data: SpdyStream,
        error: SpdyStream,
        tunnel: SpdyTunnel | WebSocketTunnel,
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


@dataclass(frozen=True, slots=True)
class Place:
    """The pod that is forwarded to."""

    namespace: str
    pod: str


class Forwarding:
    """The connections of one client's port-forward; `connected` is called with each of them."""

    def __init__(
        self,
        place: Place,
        tunnel: SpdyTunnel | WebSocketTunnel,
        brake: Brake,
        connected: Callable[[PodConnection], None],
    ) -> None:
        self.spdy = SpdyStreams(tunnel.write, self._opened)
        self._place = place
        self._tunnel = tunnel
        self._brake = brake
        self._connected = connected
        self._errors: dict[str, SpdyStream] = {}

    def _opened(self, stream: SpdyStream) -> None:
        headers = stream.headers
        pair = headers.get("requestid", "")
        if headers.get("streamtype") == "error":
            self._errors[pair] = stream
            return
        error = self._errors.pop(pair, None)
        port = headers.get("port", "")
        if error is None or not port.isdecimal():
            stream.end()
            return
        self._connected(
            PodConnection(
                self._place.namespace,
                self._place.pod,
                int(port),
                stream,
                error,
                self._tunnel,
                self._brake,
            )
        )
