"""A client's server name that is not ASCII ends its handshake, and is not worth a word.

Python can't raise there, and has every such name, with a traceback, on standard error: whoever
connects could fill a disk.
"""

import sys

_before = sys.unraisablehook


def pass_over_names() -> None:
    """Say nothing about such names from now on; all else is said as before."""
    global _before
    if sys.unraisablehook is not _hook:
        _before, sys.unraisablehook = sys.unraisablehook, _hook


def _hook(found: "sys.UnraisableHookArgs") -> None:
    if not isinstance(found.exc_value, UnicodeDecodeError) or not isinstance(found.object, bytes):
        _before(found)
