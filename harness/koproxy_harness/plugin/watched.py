"""What a server was asked during one test, as a few lines for the report of a failure.

No value that may be a secret gets there: no field, no body, and of a query only what chooses
objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request
    from koproxy_harness.serving.server import Server

_MOST = 20  # lines: the last ones, which are next to what failed
_LONGEST = 120  # characters of a path
_TELLING = ("watch", "labelSelector", "fieldSelector", "fieldManager", "dryRun")


class Watched:
    """A server behind a fixture, and where in its requests the present test began."""

    def __init__(self, name: str, server: Server) -> None:
        self.name = name
        self._server = server
        self._from = 0
        self._refused_from = 0
        self._own = True  # it was made for the present test

    def begin(self) -> None:
        """A test begins; what was asked before is not its doing."""
        self._from = len(self._server.requests)
        self._refused_from = len(self._server.refused)
        self._own = False

    @property
    def told(self) -> str:
        """A line for each request of this test.

        It is empty for a server that is older than the test and was not asked anything in it.
        """
        lines = [
            f"{line} ({times} times)" if (times := len(list(same))) > 1 else line
            for line, same in groupby(map(line_of, self._server.requests[self._from :]))
        ]
        lines += [
            f"not HTTP/1.1, and refused: {refused.reason}"
            for refused in self._server.refused[self._refused_from :]
        ]
        if not lines:
            return "nothing" if self._own else ""
        left_out = len(lines) - _MOST
        shown = [f"({left_out} more lines before)"] if left_out > 0 else []
        return "\n".join(shown + lines[-_MOST:])


def line_of(request: Request) -> str:
    """Give it as `GET /api/v1/pods?watch=1 -> 200, as jane`."""
    # As it came, percent-encoded: nothing that was decoded can break a line or colour it.
    path, _, query = request.target.partition("?")
    telling = "&".join(part for part in query.split("&") if part.partition("=")[0] in _TELLING)
    where = f"{path}?{telling}" if telling else path
    if len(where) > _LONGEST:
        where = f"{where[:_LONGEST]}..."
    status = "no answer" if request.status is None else str(request.status)
    whom = f", as {request.user}" if request.user else ""
    return f"{request.method} {where} -> {status}{whom}"


@contextmanager
def watching(all_watched: list[Watched], name: str | None, server: Server) -> Iterator[None]:
    """Have `server` among those watched while it is there."""
    watched = Watched(name or type(server).__name__, server)
    all_watched.append(watched)
    try:
        yield
    finally:
        all_watched.remove(watched)
