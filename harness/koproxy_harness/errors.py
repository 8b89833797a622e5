"""What the harness raises: sentences for the person who writes the test."""

from __future__ import annotations


class HarnessError(Exception):
    """The harness was asked for something that it can't do; the message says what to do."""


class BadRequest(Exception):
    """A client sent something that isn't strictly HTTP/1.1; `status` is the answer it gets."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status
