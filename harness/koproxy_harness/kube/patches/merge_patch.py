"""JSON merge patches (RFC 7396). Pure."""

from __future__ import annotations

from typing import Any


def merge_patched(document: Any, patch: Any) -> Any:
    """Give the document with what the patch says; None takes a member away."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patched(merged.get(name), value)
    return merged
