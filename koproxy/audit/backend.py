"""What every audit backend is: it takes events, counts what becomes of them, says what is wrong.

An event is an ``audit.k8s.io/v1`` Event as plain values ("Auditing" in the Kubernetes
documentation); it is made elsewhere, and may change once it has been taken. A backend never fails
the request that it is told of: what goes wrong is counted and said, not raised.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import msgspec
from twisted.application.service import Service
from twisted.logger import Logger

log = Logger()

_encode = msgspec.json.Encoder().encode


def encode(event: Mapping[str, Any]) -> bytes:
    """An event as JSON, in one line without its end."""
    try:
        return _encode(event)
    except UnicodeEncodeError:
        # Half of a surrogate pair, which stands for a byte that is no text: nobody gets an event
        # left out by sending one.
        return json.dumps(event).encode("ascii")


class Backend(Service, ABC):
    """Somewhere that events go.

    ``name`` is the flag and where they go, for people. ``problem`` is a sentence for as long as
    events don't get there, else None. ``written`` and ``dropped`` count the events that got there,
    and those that never will.
    """

    def __init__(self, name: str, *, strict: bool = False) -> None:
        """Take what people know it by; ``strict`` lets nothing happen without its event."""
        self.name = name
        self.problem: str | None = None
        self.written = 0
        self.dropped = 0
        self._strict = strict

    @property
    @abstractmethod
    def waiting(self) -> int:
        """Events that were taken and are neither written nor lost yet."""

    def write(self, event: Mapping[str, Any]) -> bool:
        """Take an event; False if what it tells of may not go on without it. It doesn't raise."""
        try:
            return self.take(encode(event)) or not self._strict
        except Exception:  # noqa: BLE001 - a mistake in here, or of who made the event
            log.failure("{name}: an event can't be written", name=self.name)
            self.lose(1)
            return not self._strict

    @abstractmethod
    def take(self, event: bytes) -> bool:
        """Take an event in JSON, and say whether it was written or will be."""

    def lose(self, number: int) -> None:
        """Count events that will never be written."""
        self.dropped += number

    @abstractmethod
    def look(self) -> None:
        """Look now at what may have changed outside."""
