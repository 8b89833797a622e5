"""What must hold for every input to ``koproxy.wire``: :func:`check` raises AssertionError if not.

An input is one letter, which says what it is, and then the bytes from the network:

- ``Q`` and what a client sends: requests, one after the other;
- ``A``, a digit (1: to HEAD, 2: for an HTTP/1.0 client, 4: its connection is to stay open, added
  up) and what the API server sends: one answer, and the interim ones before it;
- ``B`` and a chunked body; ``F`` and field lines; ``S`` and the text of a refusal.

Two readers play the ends: h11, and the plain one in this folder. It needs no fuzzer.
"""

from collections.abc import Callable

from fuzz.answers import check_answers
from fuzz.bodies import check_body
from fuzz.requests import check_requests
from fuzz.texts import check_field_lines, check_status

_ORACLES: dict[bytes, Callable[[bytes], None]] = {
    b"Q": check_requests,
    b"A": check_answers,
    b"B": check_body,
    b"F": check_field_lines,
    b"S": check_status,
}


def check(data: bytes) -> None:
    """Hold ``data`` against what must be true of it; what begins with no such letter is nothing."""
    oracle = _ORACLES.get(data[:1])
    if oracle is not None:
        oracle(data[1:])
