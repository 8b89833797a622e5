"""Verified tokens kept until they expire, in bounded space and at the price of a dict look-up.

There are two generations: what is found in the older one moves to the younger, and when the younger
is full the older is dropped whole. So what is in use stays, and nothing ever searches for a victim.
"""

from koproxy.identity.decision import Verified

_OVERHEAD = 1000  # bytes for the objects around an entry, roughly


class VerifiedCache:
    """Outcomes by the value of the ``Authorization`` header that they are for."""

    def __init__(self, *, max_entries: int = 8192, max_bytes: int = 64 * 1024 * 1024) -> None:
        """Keep at most so many entries of so many bytes together."""
        self._entries_in_one = max(1, max_entries // 2)
        self._bytes_in_one = max_bytes // 2
        self._young: dict[bytes, Verified] = {}
        self._old: dict[bytes, Verified] = {}
        self._young_bytes = 0

    def __len__(self) -> int:
        """Count the entries; some of them may have expired."""
        return len(self._young) + len(self._old)

    def get(self, authorization: bytes, now: float) -> Verified | None:
        """Find what was kept for a header's value and still holds at ``now``, in epoch seconds."""
        verified = self._young.get(authorization)
        if verified is not None and now <= verified.expires:
            return verified
        verified = self._old.pop(authorization, None)
        if verified is None or now > verified.expires:
            return None
        self.put(authorization, verified)
        return verified

    def put(self, authorization: bytes, verified: Verified) -> None:
        """Keep an outcome in place of an earlier one; one larger than all the space isn't kept."""
        before = self._young.pop(authorization, None)
        if before is None:
            self._old.pop(authorization, None)
        else:
            self._young_bytes -= _size(authorization, before)
        size = _size(authorization, verified)
        if size > self._bytes_in_one:
            return
        if (
            len(self._young) >= self._entries_in_one
            or self._young_bytes + size > self._bytes_in_one
        ):
            self._old, self._young, self._young_bytes = self._young, {}, 0
        self._young[authorization] = verified
        self._young_bytes += size

    def clear(self) -> None:
        """Forget everything."""
        self._young, self._old, self._young_bytes = {}, {}, 0


def _size(authorization: bytes, verified: Verified) -> int:
    return len(authorization) + 2 * len(verified.headers) + _OVERHEAD
