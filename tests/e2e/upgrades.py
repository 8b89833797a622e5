"""The two ways in which kubectl upgrades a connection, and what it really did."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

WEBSOCKET = {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "true", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "true"}
SPDY = {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"}
BOTH = pytest.mark.parametrize("env", [WEBSOCKET, SPDY], ids=["websocket", "spdy"])


def assert_upgraded(log: str, env: Mapping[str, str], subresource: str) -> None:
    """kubectl falls back to SPDY by itself: look at what it did (WebSocket is GET, SPDY POST).

    `log` is what it has written to stderr with `-v=6`.
    """
    method = "GET" if env == WEBSOCKET else "POST"
    upgrades = re.findall(rf'verb="(\w+)" url="[^"]*/{subresource}\b[^"]*" status="(\d+)', log)
    assert upgrades, log
    assert set(upgrades) == {(method, "101")}, log
