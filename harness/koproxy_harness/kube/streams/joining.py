"""Joins a connection of a port-forward to a real TCP port, byte for byte in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory, Protocol, connectionDone

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from koproxy_harness.kube.streams.port_forward import PodConnection


class _Real(Protocol):
    """The real end: what it sends goes to the pod's connection, no faster than that takes it."""

    transport: Any

    def __init__(self, pod: PodConnection) -> None:
        self._pod = pod
        self.gone: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.transport.pauseProducing()
        taken = self._pod.write(data)
        taken.addCallbacks(
            lambda _: self.transport.resumeProducing(), lambda _: self.transport.abortConnection()
        )

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone.callback(None)  # first: who reads the pod's end goes on at once
        self._pod.close()
        self._pod.incoming.end()


async def join(pod: PodConnection, target: tuple[str, int], reactor: object) -> None:
    """Connect to `target` (an address and a port), and carry bytes until both sides have ended."""
    host, port = target
    endpoint = TCP4ClientEndpoint(cast(Any, reactor), host, port)
    real = _Real(pod)
    try:
        await endpoint.connect(Factory.forProtocol(lambda: real))
    except ConnectError as error:
        pod.fail(f"nothing listens on {host}, port {port}: {error}")
        return
    try:
        async for data in pod:
            real.transport.write(data)
        if not real.gone.called:
            real.transport.loseWriteConnection()
        await real.gone
    finally:
        if not real.gone.called:
            real.transport.abortConnection()
