"""The object in a request's body, whatever it is encoded in. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from koproxy_harness import yaml_values
from koproxy_harness.kube import protobuf
from koproxy_harness.kube.status import Refusal

if TYPE_CHECKING:
    from koproxy_harness.serving.exchange import Request

JSON = "application/json"
YAML = "application/yaml"
ENCODINGS = (JSON, YAML, protobuf.CONTENT_TYPE)


def content_type(request: Request) -> str:
    """Give the media type of a body, in lower case and without parameters; JSON by default."""
    return (request.values("content-type") or [JSON])[0].partition(";")[0].strip().lower() or JSON


def read(request: Request) -> Any:
    """Give what the body says.

    Raises `Refusal` 415 for an encoding that isn't known, `ValueError` for what can't be read.
    """
    match content_type(request):
        case protobuf.CONTENT_TYPE:
            return protobuf.decode(request.body)
        case "application/json":
            return request.json()
        case "application/yaml":
            try:
                return yaml_values.document(request.body)
            except yaml.YAMLError as wrong:
                raise ValueError(str(wrong)) from None
    raise Refusal(
        415,
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(ENCODINGS),
    )
