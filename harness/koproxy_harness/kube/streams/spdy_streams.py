"""The streams of one SPDY connection, at the server's end.

It answers what the protocol asks for (SYN_REPLY, PING) and leaves to its owner what a stream is
for; bytes go in by `receive` and out by the callback that it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from koproxy_harness.kube.streams import spdy


class SpdyStream:
    """One stream that the client opened. Its owner sets `received` and `ended` at once."""

    def __init__(
        self, number: int, headers: Mapping[str, str], send: Callable[[spdy.Frame], None]
    ) -> None:
        self.number = number
        self.headers = headers
        self.received: Callable[[bytes], None] = lambda _: None
        self.ended: Callable[[], None] = lambda: None
        self._send = send
        self._open = True

    def write(self, data: bytes) -> None:
        """Send data; nothing once this side of the stream has ended."""
        if data and self._open:
            self._send(spdy.Data(self.number, data))

    def end(self) -> None:
        """Say that nothing more is sent here."""
        if self._open:
            self._open = False
            self._send(spdy.Data(self.number, b"", True))

    def was_reset(self) -> None:
        """The client wants nothing more of it."""
        self._open = False
        self.ended()


class SpdyStreams:
    """Reads a client's frames; `opened` is called with each new stream."""

    def __init__(
        self, write: Callable[[bytes], None], opened: Callable[[SpdyStream], None]
    ) -> None:
        self._write = write
        self._opened = opened
        self._decoder = spdy.Decoder()
        self._encoder = spdy.Encoder()
        self._streams: dict[int, SpdyStream] = {}

    def receive(self, data: bytes) -> None:
        """Take bytes of the client; raises `SpdyError`."""
        for frame in self._decoder.receive(data):
            self._take(frame)

    def _send(self, frame: spdy.Frame) -> None:
        self._write(self._encoder.encode(frame))

    def _take(self, frame: spdy.Frame) -> None:
        match frame:
            case spdy.Opened(number, headers, ended):
                if not number % 2 or number in self._streams:
                    raise spdy.SpdyError(f"a client can't open a stream {number} now")
                stream = SpdyStream(number, headers, self._send)
                self._streams[number] = stream
                self._send(spdy.Replied(number, {}))
                self._opened(stream)
                if ended:
                    stream.ended()
            case spdy.Data(number, data, ended):
                self._data(number, data, ended)
            case spdy.Reset(number):
                reset = self._streams.pop(number, None)
                if reset is not None:
                    reset.was_reset()
            case spdy.Ping():
                self._send(frame)

    def _data(self, number: int, data: bytes, ended: bool) -> None:
        stream = self._streams.get(number)
        if stream is None:
            self._send(spdy.Reset(number, spdy.INVALID_STREAM))
            return
        if data:
            stream.received(data)
        if ended:
            stream.ended()
