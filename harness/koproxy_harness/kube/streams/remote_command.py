"""Exec and attach on the wire: the channels of a WebSocket, or the streams of SPDY, to a session.

https://kubernetes.io/docs/reference/using-api/ and the `v4` and `v5.channel.k8s.io` subprotocols:
channels 0 to 4 are stdin, stdout, stderr, error and resize, and in v5 channel 255 closes another.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed

from koproxy_harness.kube.streams.incoming import Brake
from koproxy_harness.kube.streams.session import Session, Wanted
from koproxy_harness.kube.streams.spdy_streams import SpdyStream, SpdyStreams
from koproxy_harness.kube.streams.tunnels import SpdyTunnel, WebSocketTunnel

OVER_WEBSOCKET = ("v5.channel.k8s.io", "v4.channel.k8s.io")
OVER_SPDY = ("v4.channel.k8s.io",)

_CHANNELS = ("stdin", "stdout", "stderr", "error", "resize")
_CLOSE = 255
_PIECE = 1 << 15  # bytes of output in a message


class ChannelWire:
    """A session in the messages of a WebSocket, each of which begins with its channel."""

    def __init__(self, tunnel: WebSocketTunnel, wanted: Wanted, brake: Brake) -> None:
        self.session = Session(wanted, self, brake)
        self._tunnel = tunnel

    def receive(self, message: bytes) -> None:
        """Take a client's message."""
        if not message:
            return
        channel, data = message[0], message[1:]
        if channel == _CLOSE and data == b"\x00":
            self.session.stdin.end()
        elif channel == 0:
            self.session.stdin.feed(data)
        elif channel == 4:
            _resize(self.session, data)

    def send(self, channel: str, data: bytes) -> Deferred[None]:
        for at in range(0, len(data), _PIECE):
            self._message(channel, data[at : at + _PIECE])
        return self._tunnel.drained()

    def finish(self, status: dict[str, Any]) -> None:
        self._message("error", json.dumps(status).encode())
        self._tunnel.close()

    def greet(self) -> None:
        """Say that all is ready, with nothing in the first channel, as the real one does."""
        self._message("stdout", b"")

    def _message(self, channel: str, data: bytes) -> None:
        self._tunnel.write(bytes([_CHANNELS.index(channel)]) + data)


class StreamWire:
    """A session in SPDY streams, which the client opens before anything begins."""

    def __init__(
        self, tunnel: SpdyTunnel, wanted: Wanted, brake: Brake, ready: Callable[[], None]
    ) -> None:
        self.session = Session(wanted, self, brake)
        self.spdy = SpdyStreams(tunnel.write, self._opened)
        self._tunnel = tunnel
        self._ready = ready
        self._streams: dict[str, SpdyStream] = {}
        self._missing = {"error"}
        for name in ("stdin", "stdout", "stderr"):
            if getattr(wanted, name) and not (name == "stderr" and wanted.tty):
                self._missing.add(name)

    def _opened(self, stream: SpdyStream) -> None:
        name = stream.headers.get("streamtype", "").lower()
        if name == "stdin":
            stream.received = self.session.stdin.feed
            stream.ended = self.session.stdin.end
        elif name == "resize":
            stream.received = lambda data: _resize(self.session, data)
        self._streams[name] = stream
        if name in self._missing:
            self._missing.remove(name)
            if not self._missing:
                self._ready()

    def send(self, channel: str, data: bytes) -> Deferred[None]:
        stream = self._streams.get(channel)
        if stream is None:
            return succeed(None)
        stream.write(data)
        return self._tunnel.drained()

    def finish(self, status: dict[str, Any]) -> None:
        self._streams["error"].write(json.dumps(status).encode())
        for stream in self._streams.values():
            stream.end()
        self._tunnel.close()


def _resize(session: Session, data: bytes) -> None:
    """Read `{"Width": 80, "Height": 24}`; what isn't that says nothing."""
    try:
        size = json.loads(data)
        session.resized(int(size["Width"]), int(size["Height"]))
    except (ValueError, KeyError, TypeError):
        return
