"""The beginning of exec and attach: an upgrade is agreed on, and becomes a session.

Whichever transport a client asks for, what is behind it is the same session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed

from koproxy_harness.kube.streams import remote_command, upgrades
from koproxy_harness.kube.streams.incoming import Brake
from koproxy_harness.kube.streams.session import Session, Wanted
from koproxy_harness.kube.streams.tunnels import SpdyTunnel, WebSocketTunnel

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Exchange


def open_session(exchange: Exchange, over: str, wanted: Wanted) -> tuple[Session, Deferred[None]]:
    """Answer an upgrade to `over`, which is what `upgrades.transport` has given.

    Gives the session, and what is called back once all its streams are there. Raises
    `upgrades.Unagreed` for a client that speaks no version that is spoken here.
    """
    request = exchange.request
    brake = Brake(exchange.pause, exchange.resume)
    if over == "websocket":
        protocol = upgrades.agree(request, "sec-websocket-protocol", remote_command.OVER_WEBSOCKET)
        messages = WebSocketTunnel(exchange)
        channels = remote_command.ChannelWire(messages, wanted, brake)
        messages.start(channels.receive, protocol)
        channels.greet()
        return channels.session, succeed(None)
    ready: Deferred[None] = Deferred()
    protocol = upgrades.agree(request, upgrades.PROTOCOL_VERSION, remote_command.OVER_SPDY)
    tunnel = SpdyTunnel(exchange)
    streams = remote_command.StreamWire(tunnel, wanted, brake, lambda: ready.callback(None))
    tunnel.start(streams.spdy.receive, upgrades.SPDY, ((upgrades.PROTOCOL_VERSION, protocol),))
    return streams.session, ready
