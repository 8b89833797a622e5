"""Where an answer breaks off. Pure: it counts bytes, and the exchange does the rest."""

from __future__ import annotations

_END_OF_HEAD = b"\r\n\r\n"


class Cut:
    """Lets the head of an answer through, and `after` bytes of its body; then it is `done`.

    `reset`: whether the connection is reset then, and not closed.
    """

    def __init__(self, after: int, reset: bool) -> None:
        self.reset = reset
        self.done = False
        self._left = after
        self._head: bytes | None = b""  # None once it is over

    def let_through(self, data: bytes) -> bytes:
        """Give what of `data` may be sent."""
        if self.done:
            return b""
        begun = b""
        if self._head is not None:
            known = len(self._head)
            self._head += data
            end = self._head.find(_END_OF_HEAD)
            if end < 0:
                return data
            ends = end + len(_END_OF_HEAD) - known
            begun, data = data[:ends], data[ends:]
            self._head = None
        return begun + self.of_body(data)

    def of_body(self, data: bytes) -> bytes:
        """Give what of this piece of the body may be sent."""
        body = data[: self._left]
        self._left -= len(body)
        self.done = self._left == 0
        return body
