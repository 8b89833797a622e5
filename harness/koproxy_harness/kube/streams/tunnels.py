"""The two ways that bytes of a stream travel after a 101: as SPDY itself, or in WebSocket messages.

They hold the exchange; what the bytes say is for those who own them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from koproxy_harness.kube.streams import websocket
from koproxy_harness.kube.streams.spdy import SpdyError

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Exchange


class SpdyTunnel:
    """Bytes as they are."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def start(
        self, received: Callable[[bytes], None], upgrade: str, headers: tuple[tuple[str, str], ...]
    ) -> None:
        """Answer 101; from now on bytes go to `received`, which may raise `SpdyError`."""

        def guarded(data: bytes) -> None:
            try:
                received(data)
            except SpdyError:
                self._exchange.abort()

        self._exchange.tunnel(upgrade, guarded, headers)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._exchange.write(data)

    def drained(self) -> Deferred[None]:
        """Wait until the client takes more."""
        return self._exchange.drained()

    def close(self) -> None:
        """Close once everything is sent."""
        self._exchange.close()


class WebSocketTunnel:
    """Each piece of bytes in a message."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._decoder = websocket.Decoder()
        self._received: Callable[[bytes], None] = lambda _: None
        self._closed = False

    def start(self, received: Callable[[bytes], None], subprotocol: str) -> None:
        """Answer 101; from now on messages go to `received`, which may raise `SpdyError`.

        An empty `subprotocol` is none.
        """
        self._received = received
        key = self._exchange.request.values("sec-websocket-key")[0]
        agreed = (("Sec-WebSocket-Protocol", subprotocol),) if subprotocol else ()
        headers = (("Sec-WebSocket-Accept", websocket.accept(key)), *agreed)
        self._exchange.tunnel("websocket", self._receive, headers)

    def write(self, data: bytes) -> None:
        """Send a message."""
        if not self._closed:
            self._exchange.write(websocket.encode(data))

    def drained(self) -> Deferred[None]:
        """Wait until the client takes more."""
        return self._exchange.drained()

    def close(self, code: int = websocket.NORMAL) -> None:
        """Say good-bye, and close once everything is sent."""
        if not self._closed:
            self._closed = True
            self._exchange.write(websocket.encode(struct.pack(">H", code), websocket.CLOSE))
            self._exchange.close()

    def _receive(self, data: bytes) -> None:
        if self._closed:
            return
        try:
            for message in self._decoder.receive(data):
                self._take(message)
        except websocket.WebSocketError as error:
            self.close(error.code)
        except SpdyError:
            self.close(websocket.PROTOCOL_ERROR)

    def _take(self, message: websocket.Message) -> None:
        if message.kind == websocket.CLOSE:
            self.close()
        elif message.kind == websocket.PING:
            self._exchange.write(websocket.encode(message.data, websocket.PONG))
        elif message.kind in (websocket.BINARY, websocket.TEXT):
            self._received(message.data)
