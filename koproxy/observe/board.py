"""Where several workers show each other their numbers, so that any of them can say them all.

It is memory that the supervisor makes and hands over, with a place for each worker; each writes to
its own now and then. Nothing of a request is in it but what metrics say.
"""

import os
import zlib
from collections.abc import MutableMapping

VARIABLE = "KOPROXY_BOARD"
"""The environment variable that says which descriptor it is, and whose place: ``DESCRIPTOR:N``."""

_PLACE = 1 << 20  # bytes
_HEAD = 8
_TRIES = 3


class Board:
    """The memory, as one of the workers has it."""

    def __init__(self, descriptor: int, number: int) -> None:
        """Take its descriptor and which worker this is, from 1."""
        self._descriptor = descriptor
        self.number = number

    def write(self, text: str) -> None:
        """Show a text in place of the one before; one that is too long isn't shown."""
        data = text.encode()
        if len(data) <= _PLACE - _HEAD:
            head = len(data).to_bytes(4) + zlib.crc32(data).to_bytes(4)
            os.pwrite(self._descriptor, head + data, (self.number - 1) * _PLACE)

    def others(self) -> dict[int, str]:
        """Give what the others show, by their numbers."""
        places = os.fstat(self._descriptor).st_size // _PLACE
        found = {
            number: self._read(number) for number in range(1, places + 1) if number != self.number
        }
        return {number: text for number, text in found.items() if text}

    def _read(self, number: int) -> str:
        """Read one place; again if it was being written to."""
        for _ in range(_TRIES):
            read = os.pread(self._descriptor, _PLACE, (number - 1) * _PLACE)
            length, check = int.from_bytes(read[:4]), int.from_bytes(read[4:_HEAD])
            data = read[_HEAD : _HEAD + length]
            if zlib.crc32(data) == check:
                return data.decode()
        return ""


def make_board(workers: int) -> int:
    """Make the memory for so many workers; gives its descriptor."""
    descriptor = os.memfd_create("koproxy-board")
    os.ftruncate(descriptor, workers * _PLACE)
    return descriptor


def handed_over_board(environ: MutableMapping[str, str]) -> Board | None:
    """Take the board that ``environ`` says is handed over, out of it; None if there is none."""
    given = environ.pop(VARIABLE, None)
    if given is None:
        return None
    descriptor, number = map(int, given.split(":"))
    os.set_inheritable(descriptor, False)
    return Board(descriptor, number)
