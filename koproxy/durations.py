"""Spans of time as Go writes them, which Kubernetes' flags and files use.

See "ParseDuration" of Go's package time; units below a millisecond are not taken.
"""

import re
from datetime import timedelta

_PART = re.compile("([0-9]{1,9}(?:[.][0-9]{1,9})?)(ms|s|m|h)")
_WHOLE = re.compile(f"(?:{_PART.pattern})+")
_LONGEST = 2**63 / 10**9  # seconds; Go counts nanoseconds in 64 bits
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def read(text: str) -> timedelta:
    """Read ``30s``, ``1m30s``, ``1.5h``, ``0``.

    Raises:
        ValueError: it is none, or is longer than 290 years, which Go can't hold.
    """
    if text == "0":
        return timedelta()
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration such as 30s or 1m30s")
    seconds = sum(float(n) * _SECONDS[unit] for n, unit in _PART.findall(text))
    if seconds > _LONGEST:
        raise ValueError(f"{text!r} is a longer duration than there can be")
    return timedelta(seconds=seconds)


def write(span: timedelta) -> str:
    """Write one that isn't negative, without the units that are zero."""
    minutes, seconds = divmod(span / timedelta(seconds=1), 60)
    hours, minutes = divmod(int(minutes), 60)
    parts = f"{hours}h" * bool(hours) + f"{minutes}m" * bool(minutes)
    return parts + (f"{seconds:.9g}s" if seconds or not parts else "")
