"""What a request's Accept field asks objects to be shown as. Pure."""

from __future__ import annotations

_GROUP, _VERSION = "meta.k8s.io", "v1"
SHAPES = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")


def shape(accept: str) -> str:
    """Name the first of `SHAPES` asked for, "" where the objects are to stay as they are.

    The types are taken in the order in which they stand; weights (`q`) are not looked at.
    """
    for offered in accept.split(","):
        media, *words = (part.strip() for part in offered.split(";"))
        if media not in ("application/json", "application/*", "*/*"):
            continue
        given = dict(word.partition("=")[::2] for word in words)
        asked = given.get("as", "")
        if not asked:
            return ""
        if asked in SHAPES and (given.get("g"), given.get("v")) == (_GROUP, _VERSION):
            return asked
    return ""
