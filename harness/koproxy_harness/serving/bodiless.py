"""Which answers end with their heads (RFC 9110, section 6.4.1). Pure."""

from __future__ import annotations

from koproxy_harness.errors import HarnessError

BODILESS = (204, 304)


def not_with_body(status: int) -> HarnessError:
    """Give the error that an answer with this status, one of these or a 1xx, has a body."""
    if status < 200:
        return HarnessError(
            f"an answer {status} is not the last one: take a status from 200 on, or send it by "
            "`write` or `tunnel`"
        )
    return HarnessError(f"an answer {status} has no body: take `respond` without one")
