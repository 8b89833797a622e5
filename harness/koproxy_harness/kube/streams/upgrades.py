"""How a client asks for a stream: the upgrade and its subprotocol, and the refusals.

Pure but for the last step, in which the exchange becomes a tunnel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from koproxy_harness.kube.status import Refusal

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request

SPDY = "SPDY/3.1"
PROTOCOL_VERSION = "X-Stream-Protocol-Version"


class Unagreed(Exception):
    """No subprotocol that both sides speak: answered with 403 and this text, without a Status."""


def transport(request: Request) -> str:
    """Say which of `websocket` and `SPDY/3.1` is asked for; raises `Refusal` for neither."""
    upgrades = request.tokens("upgrade")
    if "upgrade" in request.tokens("connection"):
        if "websocket" in upgrades:
            if request.method != "GET" or not request.values("sec-websocket-key"):
                raise Refusal(400, "a WebSocket is asked for by GET and with a Sec-WebSocket-Key")
            return "websocket"
        if SPDY.lower() in upgrades:
            return SPDY
    raise Refusal(400, "Upgrade request required")


def agree(request: Request, field: str, spoken: Sequence[str]) -> str:
    """Give the first of the client's subprotocols that is `spoken`; raises `Unagreed`."""
    offered = [
        part.strip() for value in request.values(field) for part in value.split(",") if part.strip()
    ]
    for protocol in offered:
        if protocol in spoken:
            return protocol
    if field == PROTOCOL_VERSION:
        raise Unagreed(
            f"unable to upgrade: unable to negotiate protocol: client supports "
            f"{_listed(offered)}, server accepts {_listed(spoken)}"
        )
    raise Unagreed(
        f"requested protocol(s) are not supported: {_listed(offered)}; supports {_listed(spoken)}"
    )


def _listed(names: Sequence[str]) -> str:
    return f"[{' '.join(names)}]"
