"""Names that people mistype, and the one that they probably meant. Pure."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """Say that `what` (a sentence's subject) is not known, and what is."""
    near = get_close_matches(name, known, 1)
    meant = f"; did you mean {near[0]}?" if near else ";"
    return f"{what} is not known{meant} There are: {', '.join(known)}".replace("; There", "; there")
