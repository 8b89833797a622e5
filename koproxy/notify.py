"""What systemd is told of this process: ``READY=1`` once it serves, ``STOPPING=1`` when it ends.

Follows sd_notify(3). Where nobody listens, nothing is said.
"""

import os
import socket
from collections.abc import Mapping

from twisted.logger import Logger

VARIABLE = "NOTIFY_SOCKET"

log = Logger()


def notify(state: str, environ: Mapping[str, str] = os.environ) -> None:
    """Say it to whoever started this process, if that one wants to know."""
    address = environ.get(VARIABLE)
    if not address:
        return
    if address.startswith("@"):  # in the abstract namespace, unix(7)
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.sendto(state.encode(), address)
    except OSError as problem:
        log.warn("systemd could not be told {state}: {problem}", state=state, problem=problem)
