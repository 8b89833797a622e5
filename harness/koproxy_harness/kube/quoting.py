"""Strings as Go quotes them, since clients and people match on Kubernetes' messages.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

_NAMED = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def quoted(text: str) -> str:
    """Give `text` in double quotes, as Go's `%q` does.

    https://pkg.go.dev/strconv#Quote
    """
    return f'"{"".join(map(_escaped, text))}"'


def quoted_list(texts: Iterable[str], separator: str = " ") -> str:
    """Give strings in brackets, as Go's `%q` has a slice of them."""
    return f"[{separator.join(map(quoted, texts))}]"


def _escaped(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
