"""How the connections of a port-forward travel: over SPDY, SPDY in a WebSocket, or its channels.

Over SPDY a client opens an `error` and a `data` stream with the same `requestID` and `port` for
each connection. Without SPDY it names its ports in the URL, and each has two channels of one
WebSocket for its only connection, as a kubelet has it:
https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from koproxy_harness.kube.status import Refusal
from koproxy_harness.kube.streams import upgrades
from koproxy_harness.kube.streams.incoming import Brake
from koproxy_harness.kube.streams.port_forward import PodConnection, Stream
from koproxy_harness.kube.streams.spdy_streams import SpdyStream, SpdyStreams
from koproxy_harness.kube.streams.tunnels import SpdyTunnel, WebSocketTunnel

if TYPE_CHECKING:
    from koproxy_harness.kube.request_info import RequestInfo
    from koproxy_harness.serving.exchange import Exchange, Request

_PROTOCOL = "portforward.k8s.io"
_SPDY_IN_WEBSOCKET = f"SPDY/3.1+{_PROTOCOL}"
_CHANNELS = "v4.channel.k8s.io"
_SUBPROTOCOL = "Sec-WebSocket-Protocol"

Connected = Callable[[PodConnection], None]
_Tunnel = SpdyTunnel | WebSocketTunnel
_Connect = Callable[[int, Stream, Stream, _Tunnel], None]


def begin(exchange: Exchange, info: RequestInfo, connected: Connected) -> None:
    """Upgrade as the client asks for it; `connected` is called with each connection.

    Raises `Refusal` and `upgrades.Unagreed`.
    """
    request = exchange.request
    brake = Brake(exchange.pause, exchange.resume)

    def connect(
        port: int, data: Stream, error: Stream, tunnel: SpdyTunnel | WebSocketTunnel
    ) -> None:
        connected(PodConnection(info.namespace, info.name, port, data, error, tunnel, brake))

    if upgrades.transport(request) == upgrades.SPDY:
        protocol = upgrades.agree(request, upgrades.PROTOCOL_VERSION, (_PROTOCOL,))
        spdy = SpdyTunnel(exchange)
        named = ((upgrades.PROTOCOL_VERSION, protocol),)
        spdy.start(_Pairs(spdy, connect).receive, upgrades.SPDY, named)
        return
    messages = WebSocketTunnel(exchange)
    offered = request.values(_SUBPROTOCOL.lower())
    spoken = (_SPDY_IN_WEBSOCKET, _CHANNELS)
    agreed = upgrades.agree(request, _SUBPROTOCOL.lower(), spoken) if offered else ""
    if agreed == _SPDY_IN_WEBSOCKET:
        messages.start(_Pairs(messages, connect).receive, agreed)
    else:
        channels = _Channels(messages, _ports(request))
        messages.start(channels.receive, agreed)
        channels.connect(connect)


class _Pairs:
    """Connections as pairs of SPDY streams."""

    def __init__(
        self,
        tunnel: _Tunnel,
        connect: _Connect,
    ) -> None:
        self.receive = SpdyStreams(tunnel.write, self._opened).receive
        self._tunnel = tunnel
        self._connect = connect
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
        self._connect(int(port), stream, error, self._tunnel)


class _Channel:
    """Half of a connection: the messages whose first byte is its number."""

    def __init__(self, number: int, tunnel: WebSocketTunnel, ended: Callable[[], None]) -> None:
        self.received: Callable[[bytes], None] = lambda _: None
        self.ended: Callable[[], None] = lambda: None
        self._number = number
        self._tunnel = tunnel
        self._says_end = ended
        self._open = True

    def write(self, data: bytes) -> None:
        if self._open:
            self._tunnel.write(bytes([self._number]) + data)

    def end(self) -> None:
        """Nothing more is written here; a channel can't tell the client so."""
        if self._open:
            self._open = False
            self._says_end()


class _Channels:
    """One connection to each port: the even channels are data, the odd ones errors."""

    def __init__(self, tunnel: WebSocketTunnel, ports: list[int]) -> None:
        self._tunnel = tunnel
        self._ports = ports
        self._open = 2 * len(ports)
        self._channels = [_Channel(at, tunnel, self._ended) for at in range(self._open)]

    def connect(self, connect: _Connect) -> None:
        """Say which port each channel is for, and begin with the connections."""
        for at, port in enumerate(self._ports):
            data, error = self._channels[2 * at : 2 * at + 2]
            for channel in (data, error):
                channel.write(struct.pack("<H", port))
            connect(port, data, error, self._tunnel)

    def receive(self, message: bytes) -> None:
        """Take a message of the client."""
        if message and message[0] < len(self._channels):
            self._channels[message[0]].received(message[1:])

    def _ended(self) -> None:
        self._open -= 1
        if not self._open:
            self._tunnel.close()


def _ports(request: Request) -> list[int]:
    named = parse_qs(request.target.partition("?")[2]).get("ports", [])
    ports = [port for each in named for port in each.split(",")]
    if not ports or not all(port.isdecimal() and 0 < int(port) < 65536 for port in ports):
        raise Refusal(
            400, 'without SPDY, the query parameter "ports" has to name the ports, as in ports=80'
        )
    return [int(port) for port in ports]
