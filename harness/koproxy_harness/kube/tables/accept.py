"""What a request's Accept field asks objects to be shown as, and what no server can give. Pure.

Whether JSON is taken at all has been looked at before; other types that the field names besides,
as YAML, are passed over.
https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from koproxy_harness.kube.status import Refusal

SHAPES = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_GROUP, _VERSIONS = "meta.k8s.io", ("v1", "v1beta1")
_JSON = ("application/json", "application/*", "*/*")
_MEDIA = "application/json, application/yaml, application/vnd.kubernetes.protobuf"


@dataclass(frozen=True)
class Shape:
    """One of `SHAPES`, in a version of its group; "" leaves objects as they are."""

    name: str = ""
    version: str = ""


def shape(accept: str) -> Shape:
    """Give the shape that is liked most of those that there are.

    Raises `Refusal` 406 where there is none of them.
    """
    if not accept:
        return Shape()
    for media, words in _liked_most_first(accept):
        if media not in _JSON:
            continue
        name, group, version = asked = [words.get(word, "") for word in ("as", "g", "v")]
        if not any(asked):
            return Shape()
        if name in SHAPES and group == _GROUP and version in _VERSIONS:
            return Shape(name, version)
    raise not_acceptable(f"only the following media types are accepted: {_MEDIA}")


def not_acceptable(message: str) -> Refusal:
    """Refuse an Accept field."""
    return Refusal(406, message, "NotAcceptable")


def _liked_most_first(accept: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Give the types with their words; of one weight, the ones with a `*` come last."""
    found = []
    for offered in accept.split(","):
        media, *words = (part.strip() for part in offered.split(";"))
        given = dict(word.partition("=")[::2] for word in words if "=" in word)
        found.append((_weight(given.get("q") or "1"), media.lower(), given))
    for _, media, given in sorted(found, key=lambda each: (-each[0], each[1].count("*"))):
        yield media, given


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return 0.0 if math.isnan(weight) else weight
